/* Programs on the side, and what becomes of a study whose preparation goes wrong in one.  A
 * child is "this very program": here the test itself, which main() has act as a child. */
#include "tuner/child.h"

#include "db/store.h"
#include "tests/home_fixture.h"
#include "tuner/daemon.h"
#include "tuner/home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- in the child ---- */

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(1);
}

static bool is(const char *way, const char *name)
{
    return strncmp(way, name, strlen(name)) == 0;
}

static int act(const char *way, char *const arguments[])
{
    char bytes[4096];
    ssize_t got;
    if (is(way, "echo")) {
        while ((got = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
            got = write(STDOUT_FILENO, bytes, (size_t)got);
    } else if (is(way, "pieces")) {
        say("half ");
        usleep(50000);
        say("whole");
    } else if (is(way, "killed")) {
        say("{\"command\": [");
        raise(SIGKILL);
    } else if (is(way, "garbage")) {
        say("[\"no\", {\"answer\": 1");
    } else if (is(way, "another")) {
        say("{\"answer\": 1}");
    } else if (is(way, "hangs")) {
        fork();
        sleep(600);
    } else if (is(way, "slow")) {
        usleep(300000);
        execv(getenv("TUNER"), arguments);
    }
    return is(way, "silent") ? 3 : 0;
}

/* ---- children ---- */

struct answer {
    int status;
    char *output;
};

static void take_answer(void *context, int status, const char *output, size_t length)
{
    struct answer *answer = context;
    answer->status = status;
    answer->output = xstrdup(output);
    assert_int_equal(strlen(output), length);
}

static struct answer answer_of(const char *way, const char *input)
{
    struct answer answer = {-1, NULL};
    const struct child_end end = {take_answer, &answer};
    const char *arguments[] = {way, NULL};
    struct loop *loop = loop_new(NULL);
    assert_non_null(child_start(loop, arguments, input, strlen(input), &end, NULL));
    while (answer.output == NULL)
        assert_int_equal(loop_turn(loop, NULL), 0);
    loop_free(loop);
    return answer;
}

static void a_child_reads_its_text_and_answers(void **state)
{
    char *long_text = xcalloc(300001, 1);
    struct answer answer;
    (void)state;
    memset(long_text, 'x', 300000); /* more than any pipe holds */
    answer = answer_of("echo", long_text);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.output, long_text);
    free(answer.output);
    free(long_text);
}

static void what_comes_in_pieces_is_told_whole(void **state)
{
    struct answer answer = answer_of("pieces", "");
    (void)state;
    assert_string_equal(answer.output, "half whole");
    free(answer.output);
}

static void how_it_ended_is_told(void **state)
{
    struct answer killed = answer_of("killed", ""), silent = answer_of("silent", "");
    (void)state;
    assert_true(WIFSIGNALED(killed.status) && WTERMSIG(killed.status) == SIGKILL);
    assert_string_equal(killed.output, "{\"command\": [");
    assert_true(WIFEXITED(silent.status) && WEXITSTATUS(silent.status) == 3);
    assert_string_equal(silent.output, "");
    free(killed.output);
    free(silent.output);
}

static void one_that_is_killed_is_waited_for_and_says_nothing(void **state)
{
    struct answer answer = {-1, NULL};
    const struct child_end end = {take_answer, &answer};
    const char *arguments[] = {"hangs", NULL};
    struct loop *loop = loop_new(NULL);
    (void)state;
    child_kill(child_start(loop, arguments, "", 0, &end, NULL));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_null(answer.output);
    loop_free(loop);
}

/* ---- studies that are prepared in one ---- */

static const char study_text[] =
    "study: digits\n"
    "data: {dataset: synthetic, train: 100, validation: 100}\n"
    "parameters: {rate: {type: float, low: 0.0, high: 0.5}}\n"
    "model: [flatten, {dropout: $rate}, {dense: {units: classes}}]\n"
    "training: {optimizer: {type: adam, learning_rate: 0.001}, batch_size: 32}\n"
    "search: {trials: 3, max_epochs: 1}\n";

/* The studies go by the names of their files, which say how their preparation goes. */
static enum exit_code run_studies(char *home, const char *const names[], size_t count,
                                  struct failure *why)
{
    const struct daemon_settings settings = {.home = home, .workers = 1,
                                             .trainer = getenv("FAKE_TRAINER")};
    const struct daemon_events events = {0};
    struct loop *loop = loop_new(NULL);
    struct daemon *daemon = daemon_new(loop, &settings, &events, why);
    enum exit_code code;
    size_t i;
    assert_non_null(daemon);
    for (i = 0; i < count; i++) {
        const struct submission submission = {.file = names[i], .text = study_text,
                                              .size = strlen(study_text), .name = names[i]};
        char *called = NULL;
        assert_int_equal(daemon_submit(daemon, &submission, &called, why), 0);
        free(called);
    }
    code = daemon_run(daemon, why);
    daemon_free(daemon);
    loop_free(loop);
    return code;
}

static void assert_state(const char *home, const char *study, const char *state,
                         const char *note)
{
    char *database = home_database(home);
    struct store *store = store_open(database, STORE_READ, NULL);
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(store, "SELECT state, note FROM studies WHERE study = ?1",
                              arguments, NULL);
    json_t *row = json_array_get(rows, 0);
    const char *told = json_string_value(json_object_get(row, "note"));
    assert_string_equal(json_string_value(json_object_get(row, "state")), state);
    assert_true(note == NULL || (told != NULL && strstr(told, note) != NULL));
    json_decref(rows);
    json_decref(arguments);
    store_close(store);
    free(database);
}

static void a_study_that_cannot_be_prepared_fails_and_the_others_go_on(void **state)
{
    static const char *const names[] = {"killed", "garbage", "another", "silent", "slow"};
    char *home = new_home();
    struct failure why = FAILURE_NONE;
    size_t i;
    (void)state;
    assert_int_equal(home_make(home, NULL), 0);
    assert_int_equal(run_studies(home, names, ARRAY_LENGTH(names), &why), EXIT_FAILED);
    assert_non_null(strstr(why.text, "could not be prepared"));
    for (i = 0; i + 1 < ARRAY_LENGTH(names); i++)
        assert_state(home, names[i], "failed", "could not be prepared");
    assert_state(home, "slow", "finished", NULL);
    failure_clear(&why);
    remove_home(home);
}

int main(int argc, char *arguments[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_reads_its_text_and_answers),
        cmocka_unit_test(what_comes_in_pieces_is_told_whole),
        cmocka_unit_test(how_it_ended_is_told),
        cmocka_unit_test(one_that_is_killed_is_waited_for_and_says_nothing),
        cmocka_unit_test(a_study_that_cannot_be_prepared_fails_and_the_others_go_on),
    };
    if (argc > 1) /* tuner WAY, or tuner prepare --home HOME WAY ... */
        return act(arguments[argc > 4 ? 4 : 1], arguments);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
