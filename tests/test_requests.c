#include "tuner/requests.h"

#include "tests/fake_daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What the daemon was asked to do for a line, and what was answered: "asked => answer". */
static char *talk(const char *line)
{
    struct daemon daemon = {.asked = TEXT_EMPTY};
    struct failure why = FAILURE_NONE;
    struct request request;
    json_t *answer;
    char *text, *both;
    if (request_parse(line, strlen(line), &request, &why) == 0) {
        answer = request_answer(&request, &daemon);
        request_release(&request);
    } else {
        answer = request_refusal(&why);
    }
    text = json_text(answer);
    both = xasprintf("%s=> %s", text_string(&daemon.asked), text);
    free(text);
    json_decref(answer);
    text_free(&daemon.asked);
    failure_clear(&why);
    return both;
}

static void assert_talk(const char *line, const char *expected)
{
    char *said = talk(line);
    assert_string_equal(said, expected);
    free(said);
}

static void assert_refused(const char *line, const char *reason)
{
    char *said = talk(line), *expected;
    expected = xasprintf("=> {\"ok\":false,\"code\":64,\"error\":\"%s\"}", reason);
    assert_string_equal(said, expected);
    free(expected);
    free(said);
}

static void each_request_is_done(void **state)
{
    (void)state;
    assert_talk("{\"request\":\"pause\",\"study\":\"s\"}", "pause s; => {\"ok\":true}");
    assert_talk("{\"request\":\"resume\"}", "resume *; => {\"ok\":true}");
    assert_talk("{\"request\":\"stop\",\"study\":\"s\"}", "stop s; => {\"ok\":true}");
    assert_talk("{\"request\":\"cancel\",\"study\":\"s\"}", "cancel s; => {\"ok\":true}");
    assert_talk("{\"request\":\"status\"}",
                "status *; => {\"ok\":true,\"pid\":7,\"studies\":[]}");
    assert_talk("{\"request\":\"watch\",\"study\":\"s\"}",
                "status s; => {\"ok\":true,\"pid\":7,\"studies\":[]}");
    assert_talk("{\"request\":\"set\",\"settings\":{\"workers\":4}}",
                "set *{\"workers\":4}; => {\"ok\":true}");
    assert_talk("{\"request\":\"ask\",\"study\":\"s\"}", "ask s; => {\"ok\":true,\"trial\":3}");
    assert_talk("{\"request\":\"tell\",\"study\":\"s\",\"trial\":3,\"attempt\":1,\"value\":0.5}",
                "tell s{\"trial\":3,\"attempt\":1,\"value\":0.5}; => {\"ok\":true}");
    assert_talk("{\"request\":\"tell\",\"study\":\"s\",\"trial\":3,\"failed\":\"it broke\"}",
                "tell s{\"trial\":3,\"failed\":\"it broke\"}; => {\"ok\":true}");
}

static void a_submission_has_all_that_was_sent(void **state)
{
    (void)state;
    assert_talk("{\"request\":\"submit\",\"file\":\"/a/s.yaml\",\"text\":\"study: s\\n\"}",
                "submit /a/s.yaml [study: s\n] - 0; => {\"ok\":true,\"study\":\"s\"}");
    assert_talk("{\"request\":\"submit\",\"file\":\"/s\",\"text\":\"x\",\"name\":\"t\","
                "\"priority\":-5,\"fresh\":true,\"extend\":false,\"any_precision\":true}",
                "submit /s [x] t -5 fresh any; => {\"ok\":true,\"study\":\"t\"}");
}

static void what_the_daemon_refuses_is_answered(void **state)
{
    (void)state;
    assert_talk("{\"request\":\"pause\",\"study\":\"nobody\"}",
                "pause nobody; => {\"ok\":false,\"code\":65,"
                "\"error\":\"there is no study named nobody\"}");
    assert_talk("{\"request\":\"status\",\"study\":\"nobody\"}",
                "status nobody; => {\"ok\":false,\"code\":65,"
                "\"error\":\"there is no study named nobody\"}");
    assert_talk("{\"request\":\"submit\",\"file\":\"/s\",\"text\":\"\"}",
                "submit /s [] - 0; => {\"ok\":false,\"code\":65,"
                "\"error\":\"/s:1:1: error: it is empty\"}");
}

static void what_is_no_request_reaches_no_daemon(void **state)
{
    (void)state;
    assert_refused("", "a request is one line of JSON; this is none from byte 0 on");
    assert_refused("{\"request\":\"status\"", "a request is one line of JSON; this is none from "
                                              "byte 19 on");
    assert_refused("[1]", "a request is a JSON object, such as {\\\"request\\\": \\\"status\\\"}");
    assert_refused("{}", "\\\"request\\\" must say what is asked for, such as \\\"status\\\"");
    assert_refused("{\"request\":7}",
                   "\\\"request\\\" must say what is asked for, such as \\\"status\\\"");
    assert_refused("{\"request\":\"paus\"}", "unknown request 'paus'; did you mean 'pause'?");
    assert_refused("{\"request\":\"xyzzyxyzzy\"}",
                   "unknown request 'xyzzyxyzzy'; docs/control.md lists them");
    assert_refused("{\"request\":\"pause\",\"studdy\":\"s\"}",
                   "pause: unknown field 'studdy'; did you mean 'study'?");
    assert_refused("{\"request\":\"ask\"}", "ask: \\\"study\\\" is missing");
}

static void each_field_is_of_its_type(void **state)
{
    static const char *const lines[][2] = {
        {"{\"request\":\"pause\",\"study\":\"../etc\"}", "pause: \\\"study\\\" must be the name of "
         "a study: a letter, then up to 63 letters, digits and _"},
        {"{\"request\":\"pause\",\"study\":null}", "pause: \\\"study\\\" must be the name of "
         "a study: a letter, then up to 63 letters, digits and _"},
        {"{\"request\":\"submit\",\"file\":\"s.yaml\",\"text\":\"\"}",
         "submit: \\\"file\\\" must be an absolute path"},
        {"{\"request\":\"submit\",\"file\":\"/s\",\"text\":[]}",
         "submit: \\\"text\\\" must be a string"},
        {"{\"request\":\"submit\",\"file\":\"/s\",\"text\":\"\",\"priority\":1001}",
         "submit: \\\"priority\\\" must be a whole number from -1000 to 1000"},
        {"{\"request\":\"submit\",\"file\":\"/s\",\"text\":\"\",\"fresh\":1}",
         "submit: \\\"fresh\\\" must be true or false"},
        {"{\"request\":\"set\",\"settings\":3}", "set: \\\"settings\\\" must be an object"},
        {"{\"request\":\"tell\",\"study\":\"s\",\"trial\":-1,\"value\":1}",
         "tell: \\\"trial\\\" must be a whole number from 0"},
        {"{\"request\":\"tell\",\"study\":\"s\",\"trial\":4294967296,\"value\":1}",
         "tell: \\\"trial\\\" must be a whole number from 0"},
        {"{\"request\":\"tell\",\"study\":\"s\",\"trial\":1,\"metrics\":{\"a\":\"b\"}}",
         "tell: \\\"metrics\\\" must be an object: names of metrics, each with a number or null"},
        {"{\"request\":\"tell\",\"study\":\"s\",\"trial\":1,\"metrics\":[]}",
         "tell: \\\"metrics\\\" must be an object: names of metrics, each with a number or null"},
        {"{\"request\":\"tell\",\"study\":\"s\",\"trial\":1}",
         "tell: one of \\\"value\\\", \\\"metrics\\\" and \\\"failed\\\" is needed"},
        {"{\"request\":\"tell\",\"study\":\"s\",\"trial\":1,\"value\":1,\"failed\":\"x\"}",
         "tell: one of \\\"value\\\", \\\"metrics\\\" and \\\"failed\\\" is needed"},
        {"{\"request\":\"submit\",\"file\":\"/s\",\"text\":\"\",\"fresh\":true,\"extend\":true}",
         "submit: \\\"fresh\\\" begins another study and \\\"extend\\\" goes on with one: choose "
         "one of them"},
    };
    size_t i;
    (void)state;
    for (i = 0; i < ARRAY_LENGTH(lines); i++)
        assert_refused(lines[i][0], lines[i][1]);
}

static void refuse_bytes(const char *bytes, size_t length)
{
    struct failure why = FAILURE_NONE;
    struct request request;
    json_t *answer;
    assert_int_equal(request_parse(bytes, length, &request, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_USAGE);
    answer = request_refusal(&why);
    assert_true(strlen(json_string_value(json_object_get(answer, "error"))) < 200);
    json_decref(answer);
    failure_clear(&why);
}

/* Nesting, bytes that are no UTF-8, zero bytes, words as long as a line may be. */
static void hostile_lines_are_refused_shortly(void **state)
{
    enum { LONG = 1 << 20 };
    char *deep = xmalloc(LONG), *word = xmalloc(LONG);
    (void)state;
    memset(deep, '[', LONG);
    refuse_bytes(deep, LONG);
    memset(word, 'a', LONG);
    memcpy(word, "{\"request\":\"", 12);
    memcpy(word + LONG - 2, "\"}", 2);
    refuse_bytes(word, LONG);
    memcpy(word, "{\"request\":\"pause\",\"", 20);
    memcpy(word + LONG - 4, "\":1}", 4);
    refuse_bytes(word, LONG);
    refuse_bytes("{\"request\":\"pa\xff\"}", 16);
    refuse_bytes("{\"request\":\"pause\\u0000\"}", 25);
    refuse_bytes("{\"request\":\"pause\"}\0{}", 22);
    refuse_bytes("{\"request\":\"pause\",\"request\":\"stop\"}", 36);
    free(deep);
    free(word);
}

static void a_reason_that_is_no_text_is_answered_all_the_same(void **state)
{
    struct failure why = FAILURE_NONE;
    json_t *answer;
    (void)state;
    fail_input(&why, "%s: cannot be read", "/data/\xff");
    answer = request_refusal(&why);
    assert_int_equal(json_integer_value(json_object_get(answer, "code")), EXIT_BAD_INPUT);
    assert_true(json_is_string(json_object_get(answer, "error")));
    json_decref(answer);
    failure_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_is_done),
        cmocka_unit_test(a_submission_has_all_that_was_sent),
        cmocka_unit_test(what_the_daemon_refuses_is_answered),
        cmocka_unit_test(what_is_no_request_reaches_no_daemon),
        cmocka_unit_test(each_field_is_of_its_type),
        cmocka_unit_test(hostile_lines_are_refused_shortly),
        cmocka_unit_test(a_reason_that_is_no_text_is_answered_all_the_same),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
