/* The socket of a home: those who watch, and are told without asking for each. */
#include "tests/control_house.h"

#include <malloc.h>

static void watchers_are_told_of_their_study(void **state)
{
    struct house house;
    char heard[1024];
    int all, one, none;
    (void)state;
    open_house(&house);
    all = call(&house);
    one = call(&house);
    none = call(&house);
    tell(&house, all, "watch\n");
    tell(&house, one, "watch Mine\n");
    hear(all, heard);
    hear(one, heard);
    publish(&house, "mine", false);
    publish(&house, "yours", false);
    publish(&house, NULL, false);
    assert_string_equal(hear(one, heard), "{\"event_of\":\"mine\"}\n{\"event_of\":null}\n");
    assert_string_equal(hear(all, heard), "{\"event_of\":\"mine\"}\n{\"event_of\":\"yours\"}\n"
                                          "{\"event_of\":null}\n");
    assert_string_equal(hear(none, heard), "");
    publish(&house, "mine", true);
    publish(&house, "mine", false);
    assert_string_equal(hear(one, heard), "{\"event_of\":\"mine\"}\n");
    assert_string_equal(hear(all, heard), "{\"event_of\":\"mine\"}\n{\"event_of\":\"mine\"}\n");
    close(all);
    close(one);
    close(none);
    close_house(&house);
}

/* `echo ... | socat` closes its side at once, and still wants to hear. */
static void who_says_no_more_still_hears_what_it_watches(void **state)
{
    struct house house;
    char heard[1024];
    int fd;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "watch s\n");
    shutdown(fd, SHUT_WR);
    turn(&house, 3);
    hear(fd, heard);
    publish(&house, "s", false);
    assert_string_equal(hear(fd, heard), "{\"event_of\":\"s\"}\n");
    publish(&house, "s", true);
    assert_string_equal(hear(fd, heard), "{\"event_of\":\"s\"}\n");
    assert_null(hear(fd, heard));
    close(fd);
    close_house(&house);
}

/* The last events are said right before the end. */
static void the_end_writes_what_is_kept(void **state)
{
    struct house house;
    json_t *event = json_pack("{s: s}", "state", "finished");
    char heard[1024];
    int fd;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "watch\n");
    hear(fd, heard);
    control_publish(house.control, "s", event, true);
    control_close(house.control);
    house.control = NULL;
    assert_string_equal(hear(fd, heard), "{\"state\":\"finished\"}\n");
    assert_null(hear(fd, heard));
    json_decref(event);
    close(fd);
    close_house(&house);
}

/* A watcher is told without having asked for each: when it does not read, it is cut off. */
static void a_watcher_that_does_not_read_is_cut_off(void **state)
{
    struct house house;
    json_t *event;
    char heard[1024], *much = xmalloc(1 << 20);
    int fd, other, i;
    (void)state;
    open_house(&house);
    fd = call(&house);
    other = call(&house);
    tell(&house, fd, "watch s\n");
    memset(much, 'x', (1 << 20) - 1);
    much[(1 << 20) - 1] = '\0';
    event = json_pack("{s: s}", "text", much);
    for (i = 0; i < 20; i++) {
        control_publish(house.control, "s", event, false);
        turn(&house, 1);
    }
    turn(&house, 2);
    tell(&house, other, "x\n");
    assert_string_equal(hear(other, heard), "{\"heard\":\"x\"}\n");
    for (i = 0; hear(fd, heard) != NULL; i++)
        assert_true(i < 12 << 10);
    json_decref(event);
    free(much);
    close(fd);
    close(other);
    close_house(&house);
}

/* It reads on and on, and never all that there is: 64 MiB pass through, and little is kept. */
static void what_a_watcher_has_read_is_not_kept(void **state)
{
    enum { PIECE = 1 << 20, PIECES = 64 };
    struct house house;
    char *much = xmalloc(PIECE);
    json_t *event;
    size_t before, heard = 0;
    int fd, i;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "watch s\n");
    memset(much, 'x', PIECE - 1);
    much[PIECE - 1] = '\0';
    event = json_pack("{s: s}", "text", much);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (i = 0; i < PIECES; i++) {
        control_publish(house.control, "s", event, false);
        while (heard < (size_t)i * PIECE) { /* one piece stays behind */
            ssize_t count = recv(fd, much, PIECE, 0);
            heard += count > 0 ? (size_t)count : 0;
            turn(&house, 1);
        }
    }
    assert_in_range(mallinfo2().uordblks + mallinfo2().hblkhd, 0, before + (16 << 20));
    json_decref(event);
    free(much);
    close(fd);
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchers_are_told_of_their_study),
        cmocka_unit_test(who_says_no_more_still_hears_what_it_watches),
        cmocka_unit_test(the_end_writes_what_is_kept),
        cmocka_unit_test(a_watcher_that_does_not_read_is_cut_off),
        cmocka_unit_test(what_a_watcher_has_read_is_not_kept),
    };
    return cmocka_run_group_tests_name("control_watch", tests, NULL, NULL);
}
