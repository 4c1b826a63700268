#include "trainer/inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct line {
    int ends[2]; /* of a pipe: the inbox reads [0], the test writes [1] */
    struct inbox inbox;
};

static int open_line(void **state)
{
    struct line *line = xcalloc(1, sizeof *line);
    *state = line;
    if (pipe(line->ends) != 0)
        return -1;
    inbox_init(&line->inbox, line->ends[0]);
    return 0;
}

static int close_line(void **state)
{
    struct line *line = *state;
    inbox_release(&line->inbox);
    close(line->ends[0]);
    if (line->ends[1] >= 0)
        close(line->ends[1]);
    free(line);
    return 0;
}

static void say(struct line *line, const char *text)
{
    assert_int_equal(write(line->ends[1], text, strlen(text)), strlen(text));
}

static void hang_up(struct line *line)
{
    close(line->ends[1]);
    line->ends[1] = -1;
}

static void assert_next(struct line *line, const char *type)
{
    json_t *message = inbox_next(&line->inbox);
    if (type)
        assert_string_equal(json_string_value(json_object_get(message, "type")), type);
    else
        assert_null(message);
    json_decref(message);
}

static void messages_come_in_order(void **state)
{
    struct line *line = *state;
    say(line, "{\"type\":\"a\"}\n{\"type\":\"b\"}\n{\"ty");
    assert_next(line, "a");
    assert_next(line, "b");
    say(line, "pe\":\"c\"}\n");
    assert_next(line, "c");
}

static void what_was_said_before_the_end_is_heard(void **state)
{
    struct line *line = *state;
    say(line, "{\"type\":\"a\"}\n{\"type\":\"b\"}\n");
    hang_up(line);
    assert_next(line, "a");
    assert_next(line, "b");
    assert_next(line, NULL);
    assert_true(line->inbox.ended);
    assert_false(line->inbox.stopped);
    assert_null(line->inbox.fault.text);
}

static void stop_goes_before_what_waits(void **state)
{
    struct line *line = *state;
    say(line, "{\"type\":\"a\"}\n{\"type\":\"stop\"}\n");
    assert_next(line, NULL);
    assert_true(line->inbox.stopped);
    assert_false(line->inbox.ended);
}

static void a_look_does_not_wait(void **state)
{
    struct line *line = *state;
    inbox_look(&line->inbox);
    assert_false(line->inbox.ended);
    say(line, "{\"type\":\"a\"}\n");
    inbox_look(&line->inbox);
    assert_false(line->inbox.stopped);
    say(line, "{\"type\":\"stop\"}\n");
    inbox_look(&line->inbox);
    assert_true(line->inbox.stopped);
    hang_up(line);
    inbox_look(&line->inbox);
    assert_false(line->inbox.ended);
}

static void a_look_sees_the_end(void **state)
{
    struct line *line = *state;
    say(line, "{\"type\":\"a\"}\n");
    hang_up(line);
    inbox_look(&line->inbox);
    assert_true(line->inbox.ended);
    assert_next(line, "a");
    assert_next(line, NULL);
}

static void lines_that_are_no_messages_are_faults(void **state)
{
    static const char *const wrong[] = {"\n", "nonsense\n", "{\"type\":5}\n", "[]\n", "{}\n",
                                        "{\"type\":\"a\",\"type\":\"a\"}\n", "3\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        void *own = NULL;
        assert_int_equal(open_line(&own), 0);
        struct line *line = own;
        say(line, wrong[i]);
        assert_next(line, NULL);
        assert_true(line->inbox.ended);
        assert_int_equal(line->inbox.fault.code, EXIT_BAD_INPUT);
        assert_int_equal(close_line(&own), 0);
    }
}

static void a_line_that_is_too_long_is_a_fault(void **state)
{
    struct line *line = *state;
    char block[4096];
    memset(block, 'x', sizeof block);
    for (size_t said = 0; said <= PROTOCOL_LINE_MAX && !line->inbox.ended; said += sizeof block) {
        assert_int_equal(write(line->ends[1], block, sizeof block), sizeof block);
        inbox_look(&line->inbox);
    }
    assert_true(line->inbox.ended);
    assert_non_null(strstr(line->inbox.fault.text, "too long"));
}

#define ON_LINE(test) cmocka_unit_test_setup_teardown(test, open_line, close_line)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LINE(messages_come_in_order),
        ON_LINE(what_was_said_before_the_end_is_heard),
        ON_LINE(stop_goes_before_what_waits),
        ON_LINE(a_look_does_not_wait),
        ON_LINE(a_look_sees_the_end),
        ON_LINE(a_line_that_is_too_long_is_a_fault),
        cmocka_unit_test(lines_that_are_no_messages_are_faults),
    };
    return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
