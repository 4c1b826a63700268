#include "common/base.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
/* cmocka has a macro of this name. */
#undef fail

static void failure_keeps_code_and_text(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    assert_int_equal(fail(&why, "%s: line %d", "a.yaml", 7), -1);
    assert_int_equal(why.code, EXIT_FAILED);
    assert_string_equal(why.text, "a.yaml: line 7");
    assert_null(why.where);
    failure_clear(&why);
    assert_int_equal(why.code, EXIT_DONE);
    assert_null(why.text);
}

static void each_kind_has_its_exit_code(void **state)
{
    (void)state;
    struct failure input = FAILURE_NONE, usage = FAILURE_NONE, at = FAILURE_NONE;
    assert_int_equal(fail_input(&input, "bad"), -1);
    assert_int_equal(fail_usage(&usage, "which?"), -1);
    assert_int_equal(fail_at(&at, "model[3].kernel", "%d is too large", 9), -1);
    assert_int_equal(input.code, 65);
    assert_int_equal(usage.code, 64);
    assert_int_equal(at.code, 65);
    assert_string_equal(at.where, "model[3].kernel");
    assert_string_equal(at.text, "9 is too large");
    failure_clear(&input);
    failure_clear(&usage);
    failure_clear(&at);
    assert_null(at.where);
}

static void first_cause_is_kept(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    fail_at(&why, "training", "the first");
    fail(&why, "the second");
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_string_equal(why.text, "the first");
    assert_string_equal(why.where, "training");
    failure_clear(&why);
}

static void prefix_stands_before_the_text(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    assert_int_equal(fail_prefix(&why, "%s", "nothing has failed"), -1);
    assert_int_equal(why.code, EXIT_DONE);
    fail_input(&why, "no such file");
    assert_int_equal(fail_prefix(&why, "%s:%d", "x.yaml", 3), -1);
    assert_string_equal(why.text, "x.yaml:3: no such file");
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    failure_clear(&why);
}

static void nobody_need_ask_why(void **state)
{
    (void)state;
    assert_int_equal(fail(NULL, "x"), -1);
    assert_int_equal(fail_at(NULL, "y", "x"), -1);
    assert_int_equal(fail_prefix(NULL, "x"), -1);
    failure_clear(NULL);
}

static void memory_of_no_bytes_is_memory(void **state)
{
    (void)state;
    char *empty = xmalloc(0);
    assert_non_null(empty);
    empty = xreallocarray(empty, 0, 8);
    assert_non_null(empty);
    free(empty);
    int *zeros = xcalloc(5, sizeof *zeros);
    for (int i = 0; i < 5; i++)
        assert_int_equal(zeros[i], 0);
    free(zeros);
}

static void copies_end_where_the_string_ends(void **state)
{
    (void)state;
    char *all = xstrdup("abc");
    char *two = xstrndup("abc", 2);
    char *short_one = xstrndup("abc", 100);
    char *made = xasprintf("%s-%03d", "a", 7);
    assert_string_equal(all, "abc");
    assert_string_equal(two, "ab");
    assert_string_equal(short_one, "abc");
    assert_string_equal(made, "a-007");
    free(all);
    free(two);
    free(short_one);
    free(made);
}

/* Runs `what` in a child whose stderr is read back; its exit code is returned. */
static int in_child(void (*what)(void), char *output, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        what();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while (length < size - 1 && (count = read(ends[0], output + length, size - 1 - length)) > 0)
        length += (size_t)count;
    output[length] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void ask_for_too_much(void)
{
    /* From a variable, or the compiler warns of what is meant to go wrong. */
    volatile size_t count = SIZE_MAX / 2;
    free(xreallocarray(NULL, count, 3));
}

static void too_much_memory_ends_the_program(void **state)
{
    (void)state;
    char output[200];
    assert_int_equal(in_child(ask_for_too_much, output, sizeof output),
                     EXIT_OUT_OF_MEMORY);
    assert_non_null(strstr(output, "out of memory"));
}

static void say_something(void)
{
    message_program("trainer");
    message("%d of %d", 1, 2);
}

static void message_begins_with_the_program(void **state)
{
    (void)state;
    char output[200];
    assert_int_equal(in_child(say_something, output, sizeof output), 0);
    assert_string_equal(output, "trainer: 1 of 2\n");
}

static void what_steers_a_terminal_is_not_shown(void **state)
{
    char text[] = "one\n\ttwo \x1b[2J\x7f\r na\xc3\xafve";
    (void)state;
    make_visible(text);
    assert_string_equal(text, "one\n\ttwo ?[2J?? na\xc3\xafve");
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t before = clock_ms();
    double seconds = clock_seconds();
    usleep(2000);
    assert_true(clock_ms() >= before + 1);
    assert_true(clock_seconds() > seconds);
    assert_true(clock_wall_ms() > INT64_C(1500000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_keeps_code_and_text),
        cmocka_unit_test(each_kind_has_its_exit_code),
        cmocka_unit_test(first_cause_is_kept),
        cmocka_unit_test(prefix_stands_before_the_text),
        cmocka_unit_test(nobody_need_ask_why),
        cmocka_unit_test(memory_of_no_bytes_is_memory),
        cmocka_unit_test(copies_end_where_the_string_ends),
        cmocka_unit_test(too_much_memory_ends_the_program),
        cmocka_unit_test(message_begins_with_the_program),
        cmocka_unit_test(what_steers_a_terminal_is_not_shown),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
