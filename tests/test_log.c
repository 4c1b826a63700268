#include "tuner/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A log whose lines are read back from a pipe. */
struct page {
    int ends[2];
    struct log *log;
    char text[1 << 17];
};

static void open_page(struct page *page, enum log_format format)
{
    assert_int_equal(pipe2(page->ends, O_CLOEXEC), 0);
    fcntl(page->ends[0], F_SETFL, O_NONBLOCK);
    page->log = log_new(format, page->ends[1]);
}

static const char *read_page(struct page *page)
{
    size_t length = 0;
    ssize_t count;
    while ((count = read(page->ends[0], page->text + length, sizeof page->text - 1 - length)) > 0)
        length += (size_t)count;
    page->text[length] = '\0';
    return page->text;
}

static void close_page(struct page *page)
{
    log_free(page->log);
    close(page->ends[0]);
    close(page->ends[1]);
}

static void text_has_a_time_a_level_and_the_study(void **state)
{
    struct page page;
    int year, month, day, hour, minute, second, end = 0;
    (void)state;
    open_page(&page, LOG_TEXT);
    log_say(page.log, LOG_WARNING, "mine", "trial %d failed", 3);
    assert_int_equal(sscanf(read_page(&page), "%4d-%2d-%2d %2d:%2d:%2d %n", &year, &month, &day,
                            &hour, &minute, &second, &end), 6);
    assert_string_equal(page.text + end, "warning mine: trial 3 failed\n");
    log_say(page.log, LOG_INFORMATION, NULL, "ready");
    assert_string_equal(read_page(&page) + end, "info    ready\n");
    close_page(&page);
}

static void the_journal_gets_priorities(void **state)
{
    struct page page;
    (void)state;
    open_page(&page, LOG_JOURNAL);
    log_say(page.log, LOG_ERROR, NULL, "one\ntwo");
    log_say(page.log, LOG_NOTICE, "s", "three");
    log_say(page.log, LOG_INFORMATION, "s", "four\n");
    assert_string_equal(read_page(&page), "<3>one\n<3>two\n<5>s: three\n<6>s: four\n");
    close_page(&page);
}

static void what_would_steer_a_terminal_is_not_passed_on(void **state)
{
    struct page page;
    (void)state;
    open_page(&page, LOG_JOURNAL);
    log_say(page.log, LOG_ERROR, NULL, "%s", "\033[2J\a\r\x7f caf\xc3\xa9");
    assert_string_equal(read_page(&page), "<3>?[2J??? caf\xc3\xa9\n");
    close_page(&page);
}

static json_t *only_object(struct page *page)
{
    json_t *object = json_loads(read_page(page), JSON_REJECT_DUPLICATES, NULL);
    const char *time = json_string_value(json_object_get(object, "time"));
    assert_non_null(object);
    assert_int_equal(strlen(time), strlen("2026-11-21T02:44:09.120Z"));
    json_object_del(object, "time");
    return object;
}

static void json_has_one_object_a_line(void **state)
{
    struct page page;
    json_t *object, *expected;
    (void)state;
    open_page(&page, LOG_JSON);
    log_say(page.log, LOG_WARNING, "s", "one\ntwo");
    object = only_object(&page);
    expected = json_pack("{s: s, s: s, s: s}", "level", "warning", "study", "s", "text",
                         "one\ntwo");
    assert_true(json_equal(object, expected));
    json_decref(expected);
    json_decref(object);
    close_page(&page);
}

static json_t *fault(void)
{
    return json_pack("{s: s, s: s, s: i, s: s}", "event", "fault", "study", "s", "trial", 3,
                     "kind", "crashed");
}

static void json_has_every_event(void **state)
{
    struct page page;
    json_t *event = fault(), *object;
    (void)state;
    open_page(&page, LOG_JSON);
    log_event(page.log, event);
    object = only_object(&page);
    assert_string_equal(json_string_value(json_object_get(object, "level")), "warning");
    json_object_del(object, "level");
    assert_true(json_equal(object, event));
    json_decref(object);
    json_decref(event);
    close_page(&page);
}

/* "line" says for people what the others say for programs. */
static void people_are_told_of_lines_and_states(void **state)
{
    struct page page;
    json_t *events[] = {
        fault(),
        json_pack("{s: s, s: s, s: s}", "event", "line", "study", "s", "text", "trial 3 crashed"),
        json_pack("{s: s, s: s, s: s, s: n}", "event", "state", "study", "s", "state", "running",
                  "note"),
        json_pack("{s: s, s: s, s: s, s: s}", "event", "state", "study", "s", "state", "failed",
                  "note", "no room"),
        json_pack("{s: s, s: n, s: s, s: b}", "event", "line", "study", "text",
                  "the disk is full", "warning", 1),
        json_pack("{s: s, s: s, s: n}", "event", "report", "study", "s", "error"),
        json_pack("{s: s, s: s, s: s}", "event", "report", "study", "s", "error", "no room"),
    };
    size_t i;
    (void)state;
    open_page(&page, LOG_JOURNAL);
    for (i = 0; i < ARRAY_LENGTH(events); i++) {
        log_event(page.log, events[i]);
        json_decref(events[i]);
    }
    assert_string_equal(read_page(&page), "<6>s: trial 3 crashed\n<5>s: running\n"
                                          "<3>s: failed: no room\n<4>the disk is full\n"
                                          "<6>s: its report is written\n<3>s: no room\n");
    close_page(&page);
}

static void a_reader_that_does_not_read_stops_nobody(void **state)
{
    struct page page;
    int i;
    (void)state;
    open_page(&page, LOG_JOURNAL);
    for (i = 0; i < 20000; i++)
        log_say(page.log, LOG_ERROR, NULL, "%05d", i);
    assert_null(strstr(read_page(&page), "19999"));
    log_say(page.log, LOG_ERROR, NULL, "again");
    assert_non_null(strstr(read_page(&page), " lines were left out: nobody read them\n<3>again\n"));
    close_page(&page);
}

static void a_line_that_is_longer_than_the_room_is_cut_off(void **state)
{
    enum { LINE = 1 << 17 };
    struct page page;
    char *much = xmalloc(LINE + 1), *cut;
    (void)state;
    memset(much, 'x', LINE);
    much[LINE] = '\0';
    open_page(&page, LOG_JOURNAL);
    log_say(page.log, LOG_ERROR, NULL, "%s", much);
    cut = xstrdup(read_page(&page));
    assert_in_range(strlen(cut), 1000, LINE);
    assert_null(strchr(cut, '\n'));
    log_say(page.log, LOG_ERROR, NULL, "again");
    assert_string_equal(read_page(&page), "\n<4>1 line was left out: nobody read them\n"
                                          "<3>again\n");
    close_page(&page);
    free(cut);
    free(much);
}

static void the_format_is_chosen_by_what_stderr_is(void **state)
{
    enum log_format format = LOG_JSON;
    struct failure why = FAILURE_NONE;
    struct stat status;
    char stream[64];
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &status), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    assert_int_equal(log_choose(NULL, stream, ends[1], &format, &why), 0);
    assert_int_equal(format, LOG_JOURNAL);
    assert_int_equal(log_choose(NULL, stream, STDIN_FILENO, &format, &why), 0);
    assert_int_equal(format, LOG_TEXT);
    assert_int_equal(log_choose("json", stream, ends[1], &format, &why), 0);
    assert_int_equal(format, LOG_JSON);
    assert_int_equal(log_choose("text", stream, ends[1], &format, &why), 0);
    assert_int_equal(format, LOG_TEXT);
    assert_int_equal(log_choose(NULL, "nonsense", ends[1], &format, &why), 0);
    assert_int_equal(format, LOG_TEXT);
    assert_int_equal(log_choose("jsn", NULL, ends[1], &format, &why), -1);
    assert_string_equal(why.text, "unknown log format 'jsn'; did you mean 'json'?");
    failure_clear(&why);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_a_time_a_level_and_the_study),
        cmocka_unit_test(the_journal_gets_priorities),
        cmocka_unit_test(what_would_steer_a_terminal_is_not_passed_on),
        cmocka_unit_test(json_has_one_object_a_line),
        cmocka_unit_test(json_has_every_event),
        cmocka_unit_test(people_are_told_of_lines_and_states),
        cmocka_unit_test(a_reader_that_does_not_read_stops_nobody),
        cmocka_unit_test(a_line_that_is_longer_than_the_room_is_cut_off),
        cmocka_unit_test(the_format_is_chosen_by_what_stderr_is),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
