/* One writer per database. */
#include "tests/store_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_second_writer_is_told_who_has_it(void **state)
{
    struct fixture *fixture = *state;
    char *holder = xasprintf("process %ld", (long)getpid());
    struct store *second = store_open(fixture->path, STORE_WRITE, &why);
    assert_null(second);
    assert_non_null(strstr(why.text, fixture->path));
    REFUSED(-1, EXIT_FAILED, holder);
    free(holder);
}

static void the_lock_goes_with_its_holder(void **state)
{
    struct fixture *fixture = *state;
    char *lock = xasprintf("%s.lock", fixture->path);
    assert_true(file_exists(lock));
    store_close(fixture->store);
    fixture->store = NULL;
    assert_false(file_exists(lock));
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool opened = store_open(fixture->path, STORE_WRITE, NULL) != NULL;
        if (!opened || write(ends[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    char *holder = xasprintf("process %ld", (long)child);
    assert_null(store_open(fixture->path, STORE_WRITE, &why));
    REFUSED(-1, EXIT_FAILED, holder);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(file_exists(lock));
    fixture->store = open_store(fixture->path, STORE_WRITE);
    close(ends[0]);
    close(ends[1]);
    free(holder);
    free(lock);
}

/* The child of a holder that was killed before that child became another program. */
static void the_lock_of_a_dead_holder_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    char byte;
    store_close(fixture->store);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!store_open(fixture->path, STORE_WRITE, NULL))
            _exit(1);
        if (fork() == 0) {
            close(ends[0]);
            if (write(ends[1], "x", 1) == 1)
                usleep(200000);
            _exit(0);
        }
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    close(ends[0]);
    close(ends[1]);
}

static void programs_that_are_started_do_not_inherit_the_lock(void **state)
{
    struct fixture *fixture = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execlp("sleep", "sleep", "100", (char *)NULL);
        _exit(127);
    }
    char *descriptors = xasprintf("/proc/%ld/exe", (long)child);
    char target[100] = "";
    while (!strstr(target, "sleep") && !strstr(target, "coreutils")) {
        ssize_t length = readlink(descriptors, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        usleep(1000);
    }
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    free(descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_second_writer_is_told_who_has_it),
        STORE_TEST(the_lock_goes_with_its_holder),
        STORE_TEST(the_lock_of_a_dead_holder_is_waited_for),
        STORE_TEST(programs_that_are_started_do_not_inherit_the_lock),
    };
    return cmocka_run_group_tests_name("store_lock", tests, NULL, NULL);
}
