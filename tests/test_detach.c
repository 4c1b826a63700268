#include "tuner/detach.h"

#include "tests/home_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *log_of(const char *home)
{
    return xasprintf("%s/log", home);
}

static char *read_log(const char *path)
{
    char *bytes = NULL;
    size_t size;
    assert_int_equal(file_read(path, 1 << 16, &bytes, &size, NULL), 0);
    return bytes;
}

static void the_caller_waits_until_the_other_is_ready(void **state)
{
    char *home = new_home(), *log = log_of(home), *mark = xasprintf("%s/mark", home), *said;
    struct failure why = FAILURE_NONE;
    struct detached detached;
    int side = detach(log, &detached, &why);
    (void)state;
    if (side == 0) {
        FILE *file;
        usleep(50000);
        file = fopen(mark, "w");
        fprintf(file, "%ld %d", (long)getpid(), getsid(0) != getpid() && getsid(0) > 0);
        fclose(file);
        fprintf(stderr, "one\n");
        detach_ready(&detached);
        fprintf(stderr, "two\n");
        _exit(0);
    }
    assert_int_equal(side, 1);
    said = read_log(mark);
    assert_int_equal(strtol(said, NULL, 10), detached.pid);
    free(said);
    for (said = read_log(log); strstr(said, "two") == NULL; said = read_log(log)) {
        free(said);
        usleep(1000);
    }
    assert_string_equal(said, "one\ntwo\n");
    free(said);
    free(log);
    free(mark);
    remove_home(home);
}

static void its_failure_is_the_callers(void **state)
{
    char *home = new_home(), *log = log_of(home);
    struct failure why = FAILURE_NONE;
    struct detached detached;
    int side = detach(log, &detached, &why);
    (void)state;
    if (side == 0) {
        fail_input(&why, "no such %s", "home");
        detach_failed(&detached, &why);
        _exit(0);
    }
    assert_int_equal(side, -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_string_equal(why.text, "no such home");
    failure_clear(&why);
    free(log);
    remove_home(home);
}

static void an_end_without_a_word_is_a_failure(void **state)
{
    char *home = new_home(), *log = log_of(home);
    struct failure why = FAILURE_NONE;
    struct detached detached;
    int side = detach(log, &detached, &why);
    (void)state;
    if (side == 0)
        raise(SIGKILL);
    assert_int_equal(side, -1);
    assert_int_equal(why.code, EXIT_FAILED);
    assert_non_null(strstr(why.text, log));
    failure_clear(&why);
    free(log);
    remove_home(home);
}

static void a_log_that_cannot_be_written_starts_nothing(void **state)
{
    struct failure why = FAILURE_NONE;
    struct detached detached;
    (void)state;
    assert_int_equal(detach("/nonexistent/log", &detached, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    failure_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caller_waits_until_the_other_is_ready),
        cmocka_unit_test(its_failure_is_the_callers),
        cmocka_unit_test(an_end_without_a_word_is_a_failure),
        cmocka_unit_test(a_log_that_cannot_be_written_starts_nothing),
    };
    return cmocka_run_group_tests_name("detach", tests, NULL, NULL);
}
