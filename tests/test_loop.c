#include "tuner/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    char order[16];
    int count;
    struct watch *others[2];
};

static void note(struct seen *seen, char what)
{
    if (seen->count < 15)
        seen->order[seen->count++] = what;
}

static void due_a(struct timer *timer, void *context)
{
    (void)timer;
    note(context, 'a');
}

static void due_b(struct timer *timer, void *context)
{
    (void)timer;
    note(context, 'b');
}

static void timers_come_in_their_order_and_once(void **state)
{
    struct seen seen = {.loop = loop_new(NULL)};
    struct timer late = {.due = due_b, .context = &seen}, early = {.due = due_a, .context = &seen};
    struct timer never = {.due = due_a, .context = &seen};
    (void)state;
    loop_set_timer(seen.loop, &late, 60);
    loop_set_timer(seen.loop, &early, 1);
    loop_set_timer(seen.loop, &never, 5);
    loop_clear_timer(seen.loop, &never);
    while (seen.count < 2)
        assert_int_equal(loop_turn(seen.loop, NULL), 0);
    assert_string_equal(seen.order, "ab");
    assert_int_equal(late.at_ms, 0);
    loop_free(seen.loop);
}

/* Whichever of two ready descriptors comes first unwatches both. */
static void unwatch_both(struct watch *watch, void *context)
{
    struct seen *seen = context;
    note(seen, 'w');
    loop_unwatch(seen->loop, watch);
    loop_unwatch(seen->loop, seen->others[watch == seen->others[0]]);
}

static void a_descriptor_unwatched_in_the_same_turn_is_not_called(void **state)
{
    struct seen seen = {.loop = loop_new(NULL)};
    struct watch first = {.ready = unwatch_both, .context = &seen}, second = first;
    int one[2], two[2];
    (void)state;
    assert_int_equal(pipe(one) | pipe(two), 0);
    first.fd = one[0];
    second.fd = two[0];
    seen.others[0] = &first;
    seen.others[1] = &second;
    assert_int_equal(write(one[1], "x", 1) + write(two[1], "x", 1), 2);
    assert_int_equal(loop_watch(seen.loop, &first, NULL), 0);
    assert_int_equal(loop_watch(seen.loop, &second, NULL), 0);
    assert_int_equal(loop_turn(seen.loop, NULL), 0);
    assert_string_equal(seen.order, "w");
    loop_free(seen.loop);
    close(one[0]);
    close(one[1]);
    close(two[0]);
    close(two[1]);
}

static void note_ready(struct watch *watch, void *context)
{
    (void)watch;
    note(context, 'r');
}

static void a_descriptor_is_watched_for_what_is_asked(void **state)
{
    struct seen seen = {.loop = loop_new(NULL)};
    struct timer tick = {.due = due_a, .context = &seen};
    struct watch watch = {.ready = note_ready, .context = &seen};
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    watch.fd = ends[0];
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(loop_watch(seen.loop, &watch, NULL), 0);
    assert_int_equal(loop_turn(seen.loop, NULL), 0);
    loop_watch_for(seen.loop, &watch, false, false);
    loop_set_timer(seen.loop, &tick, 1);
    while (seen.count < 2)
        assert_int_equal(loop_turn(seen.loop, NULL), 0);
    loop_watch_for(seen.loop, &watch, false, true);
    assert_int_equal(loop_turn(seen.loop, NULL), 0);
    loop_watch_for(seen.loop, &watch, false, false);
    close(ends[1]);
    assert_int_equal(loop_turn(seen.loop, NULL), 0);
    assert_string_equal(seen.order, "rarr");
    loop_free(seen.loop);
    close(ends[0]);
}

static void caught(int number, void *context)
{
    note(context, number == SIGUSR1 ? 'u' : '?');
}

static void a_signal_is_an_event(void **state)
{
    static const int signals[] = {SIGUSR1};
    struct seen seen = {.loop = loop_new(NULL)};
    (void)state;
    assert_int_equal(loop_signals(seen.loop, signals, 1, caught, &seen, NULL), 0);
    raise(SIGUSR1);
    assert_int_equal(loop_turn(seen.loop, NULL), 0);
    assert_string_equal(seen.order, "u");
    loop_free(seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_in_their_order_and_once),
        cmocka_unit_test(a_descriptor_unwatched_in_the_same_turn_is_not_called),
        cmocka_unit_test(a_descriptor_is_watched_for_what_is_asked),
        cmocka_unit_test(a_signal_is_an_event),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
