/* The socket of a home under peers that say too much, do not read, are too many or vanish. */
#include "tests/control_house.h"

#include <sys/resource.h>

static void a_line_that_is_too_long_ends_its_peer_alone(void **state)
{
    struct house house;
    char heard[1024], *much = xmalloc(1 << 20);
    int loud, quiet, i;
    (void)state;
    open_house(&house);
    loud = call(&house);
    quiet = call(&house);
    memset(much, 'x', 1 << 20);
    for (i = 0; i < (1 << 20);) {
        ssize_t count = send(loud, much + i, (size_t)((1 << 20) - i), MSG_NOSIGNAL);
        i += count > 0 ? (int)count : 0;
        turn(&house, 1);
    }
    turn(&house, 4);
    assert_non_null(strstr(hear(loud, heard), "longer than 1048576 bytes"));
    assert_null(hear(loud, heard));
    tell(&house, quiet, "x\n");
    assert_string_equal(hear(quiet, heard), "{\"heard\":\"x\"}\n");
    free(much);
    close(loud);
    close(quiet);
    close_house(&house);
}

static int count_lines(struct house *house, int fd)
{
    static char bytes[1 << 16];
    int lines = 0, idle = 0;
    while (idle < 10) {
        ssize_t i, count = recv(fd, bytes, sizeof bytes, 0);
        for (i = 0; i < count; i++)
            lines += bytes[i] == '\n';
        idle = count > 0 ? 0 : idle + 1;
        turn(house, 1);
    }
    return lines;
}

/* It asks and asks, and reads nothing: it is not listened to, until it reads. */
static void who_does_not_read_is_not_listened_to(void **state)
{
    struct house house;
    int fd, i, before;
    (void)state;
    open_house(&house);
    fd = call(&house);
    for (i = 0; i < 100; i++)
        assert_int_equal(send(fd, "flood\n", 6, MSG_NOSIGNAL), 6);
    turn(&house, 50);
    before = (int)house.heard.length / 6;
    assert_in_range(before, 4, 50);
    shutdown(fd, SHUT_WR);
    assert_int_equal(count_lines(&house, fd), 100);
    assert_int_equal(house.heard.length, 600);
    assert_int_equal(recv(fd, &i, 1, 0), 0);
    close(fd);
    close_house(&house);
}

static void one_too_many_is_told_so(void **state)
{
    struct house house;
    char heard[1024];
    int fds[CONTROL_PEERS_MAX], i, extra;
    (void)state;
    open_house(&house);
    for (i = 0; i < CONTROL_PEERS_MAX; i++)
        fds[i] = call(&house);
    extra = call(&house);
    assert_non_null(strstr(hear(extra, heard), "too many"));
    assert_null(hear(extra, heard));
    close(extra);
    close(fds[7]);
    turn(&house, 2);
    fds[7] = call(&house);
    tell(&house, fds[7], "x\n");
    assert_string_equal(hear(fds[7], heard), "{\"heard\":\"x\"}\n");
    for (i = 0; i < CONTROL_PEERS_MAX; i++)
        close(fds[i]);
    close_house(&house);
}

/* With no descriptor left for a peer, the loop sleeps, and the peer is served later. */
static void out_of_descriptors_the_loop_does_not_spin(void **state)
{
    struct house house;
    struct rlimit limit, tight;
    char heard[1024];
    int fd, probe, turns = 0;
    int64_t until;
    (void)state;
    open_house(&house);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    fd = call_at(house.home);
    probe = dup(0);
    close(probe);
    tight = (struct rlimit){.rlim_cur = (rlim_t)probe, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    loop_set_timer(house.loop, &house.tick, 200);
    until = clock_ms() + 150;
    while (clock_ms() < until) {
        turn(&house, 1);
        turns++;
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(turns < 10);
    loop_set_timer(house.loop, &house.tick, 1);
    assert_int_equal(send(fd, "x\n", 2, 0), 2);
    turn_until_heard(&house);
    turn(&house, 2);
    assert_string_equal(hear(fd, heard), "{\"heard\":\"x\"}\n");
    close(fd);
    close_house(&house);
}

static void peers_that_vanish_do_no_harm(void **state)
{
    struct house house;
    int i;
    (void)state;
    open_house(&house);
    for (i = 0; i < 200; i++) {
        int fd = call_at(house.home);
        if (i % 2 == 0)
            assert_int_equal(send(fd, "flood\nflood\nha", 14, MSG_NOSIGNAL), 14);
        turn(&house, i % 3);
        close(fd);
        if (i % 20 == 0)
            turn(&house, 50);
    }
    turn(&house, 300);
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_is_too_long_ends_its_peer_alone),
        cmocka_unit_test(who_does_not_read_is_not_listened_to),
        cmocka_unit_test(one_too_many_is_told_so),
        cmocka_unit_test(out_of_descriptors_the_loop_does_not_spin),
        cmocka_unit_test(peers_that_vanish_do_no_harm),
    };
    return cmocka_run_group_tests_name("control_load", tests, NULL, NULL);
}
