#include "tuner/notify.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What systemd is: a socket that hears datagrams. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
    return fd;
}

static void assert_heard(int fd, const char *expected)
{
    char heard[256];
    ssize_t count = recv(fd, heard, sizeof heard - 1, 0);
    assert_true(count >= 0);
    heard[count] = '\0';
    assert_string_equal(heard, expected);
}

static void say_all_at(const char *name)
{
    int fd = listen_at(name);
    struct notify *notify;
    char heard[256] = "";
    setenv("NOTIFY_SOCKET", name, 1);
    notify = notify_new();
    assert_non_null(notify);
    notify_ready(notify);
    assert_heard(fd, "READY=1");
    notify_status(notify, "2 studies");
    assert_heard(fd, "STATUS=2 studies");
    notify_alive(notify);
    assert_heard(fd, "WATCHDOG=1");
    notify_stopping(notify);
    assert_heard(fd, "STOPPING=1");
    notify_reloading(notify);
    assert_true(recv(fd, heard, sizeof heard - 1, 0) > 0);
    assert_true(strncmp(heard, "RELOADING=1\nMONOTONIC_USEC=", 27) == 0);
    assert_true(llabs(strtoll(heard + 27, NULL, 10) / 1000 - clock_ms()) < 10000);
    notify_free(notify);
    close(fd);
}

static void everything_reaches_a_path_and_an_abstract_name(void **state)
{
    char *folder = xasprintf("%s/notify-XXXXXX", getenv("TEST_TMP") != NULL ? getenv("TEST_TMP")
                                                                            : "/tmp");
    char *path, *name = xasprintf("@tuner-test-notify-%ld", (long)getpid());
    (void)state;
    assert_non_null(mkdtemp(folder));
    path = xasprintf("%s/n", folder);
    if (strlen(path) < 100)
        say_all_at(path);
    say_all_at(name);
    unlink(path);
    rmdir(folder);
    free(folder);
    free(path);
    free(name);
}

static void without_a_socket_nothing_is_said(void **state)
{
    static const char *const useless[] = {"", "relative", "@", "/nobody/listens/here",
        ("/a-path-that-is-too-long-for-an-address-of-a-unix-socket-as-it-has-more-than-a-hundred"
         "-and-seven-characters-in-all")};
    size_t i;
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_null(notify_new());
    notify_ready(NULL);
    assert_int_equal(notify_alive_ms(NULL), 0);
    notify_free(NULL);
    for (i = 0; i < ARRAY_LENGTH(useless); i++) {
        struct notify *notify;
        setenv("NOTIFY_SOCKET", useless[i], 1);
        notify = notify_new();
        assert_true(notify == NULL || i == 3);
        notify_ready(notify);
        notify_free(notify);
    }
}

static int64_t alive_ms(const char *period, const char *process)
{
    struct notify *notify;
    int64_t ms;
    setenv("NOTIFY_SOCKET", "@tuner-test-nobody", 1);
    setenv("WATCHDOG_USEC", period, 1);
    if (process != NULL)
        setenv("WATCHDOG_PID", process, 1);
    notify = notify_new();
    ms = notify_alive_ms(notify);
    notify_free(notify);
    return ms;
}

static void the_watchdog_is_fed_twice_in_its_time(void **state)
{
    char process[32];
    (void)state;
    snprintf(process, sizeof process, "%ld", (long)getpid());
    assert_int_equal(alive_ms("120000000", NULL), 60000);
    assert_int_equal(alive_ms("120000000", process), 60000);
    assert_int_equal(alive_ms("120000000", "1"), 0);
    assert_int_equal(alive_ms("nonsense", NULL), 0);
}

static void programs_that_are_started_know_nothing_of_it(void **state)
{
    (void)state;
    alive_ms("1000", "1");
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_reaches_a_path_and_an_abstract_name),
        cmocka_unit_test(without_a_socket_nothing_is_said),
        cmocka_unit_test(the_watchdog_is_fed_twice_in_its_time),
        cmocka_unit_test(programs_that_are_started_know_nothing_of_it),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
