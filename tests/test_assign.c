/* Who works on what: how studies share the workers of a daemon. */
#include "tests/engine_fixture.h"

enum { SHARED_TRIALS = 40 };

/* Turns in which both had trials left and all workers were at work; in how many of them each had
 * half of the workers. */
static int full_turns, even_turns;

static void note_shares(void *context)
{
    static const char *const names[] = {"a", "b"};
    int64_t segments[2];
    size_t i;
    for (i = 0; i < 2; i++) {
        segments[i] = number_of(context, names[i], "segments");
        if (number_of(context, names[i], "trials_ended") + segments[i] >= SHARED_TRIALS)
            return;
    }
    full_turns += segments[0] + segments[1] == 4;
    even_turns += segments[0] == 2 && segments[1] == 2;
}

static void equals_share_the_workers(void **state)
{
    struct fixture *fixture = *state;
    setenv("FAKE_MS", "2", 1);
    start(fixture, 4, false);
    submit(fixture, "a", SHARED_TRIALS, 0);
    submit(fixture, "b", SHARED_TRIALS, 0);
    full_turns = even_turns = 0;
    daemon_each_turn(fixture->daemon, note_shares, fixture);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"),
                     2 * SHARED_TRIALS);
    assert_true(full_turns > 0);
    assert_int_equal(even_turns, full_turns);
}

static void a_higher_priority_comes_first(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "low", 30, 0);
    submit(fixture, "high", 30, 5);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments l WHERE l.study = 'low' AND "
                                  "l.started_ms < (SELECT max(h.started_ms) FROM segments h "
                                  "WHERE h.study = 'high')"), 0);
}

static int most_segments;

static void note_segments(void *context)
{
    int64_t now = number_of(context, "s", "segments");
    if (now > most_segments)
        most_segments = (int)now;
}

static void a_study_has_no_more_workers_than_it_may(void **state)
{
    struct fixture *fixture = *state;
    json_t *settings = json_pack("{s:i}", "workers", 1);
    setenv("FAKE_MS", "1", 1);
    start(fixture, 3, false);
    submit(fixture, "s", 30, 0);
    assert_int_equal(daemon_set(fixture->daemon, "s", settings, &fixture->why), 0);
    most_segments = 0;
    daemon_each_turn(fixture->daemon, note_segments, fixture);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(most_segments, 1);
    json_decref(settings);
}

static bool has_ended(struct fixture *fixture)
{
    return number_of(fixture, "s", "trials_ended") == 12;
}

static void note_and_turn(void *context)
{
    note_segments(context);
    turned(context);
}

/* Its own file may say how many, and have each take several cores. */
static void a_daemon_heeds_the_workers_of_a_study(void **state)
{
    struct fixture *fixture = *state;
    char *threads = xasprintf("threads: %d\n", cores_allowed() + 1);
    const char *const files[] = {"workers: 1\n", threads};
    size_t i;
    setenv("FAKE_MS", "1", 1);
    for (i = 0; i < ARRAY_LENGTH(files); i++) {
        start(fixture, 3, true);
        fixture->more = files[i];
        submit(fixture, "s", 12, 0);
        most_segments = 0;
        daemon_each_turn(fixture->daemon, note_and_turn, fixture);
        when(fixture, has_ended, end_it);
        run_to(fixture, EXIT_DONE);
        assert_int_equal(most_segments, 1);
        stop(fixture);
        assert_int_equal(folder_remove(fixture->home, NULL) + home_make(fixture->home, NULL), 0);
    }
    free(threads);
}

static void note_while_both_work(void *context)
{
    if (number_of(context, "b", "trials_ended") < 30)
        note_segments(context);
}

/* Of three cores, one segment of two threads has as many as two of one. */
static void equals_share_the_cores(void **state)
{
    struct fixture *fixture = *state;
    setenv("FAKE_MS", "1", 1);
    start(fixture, 3, false);
    fixture->more = "threads: 2\n";
    submit(fixture, "s", 40, 0);
    fixture->more = NULL;
    submit(fixture, "b", 40, 0);
    most_segments = 0;
    daemon_each_turn(fixture->daemon, note_while_both_work, fixture);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(most_segments, 1);
}

/* ---- workers without work ---- */

static bool nobody_works(struct fixture *fixture)
{
    json_t *status = daemon_status(fixture->daemon, NULL, NULL), *slot;
    bool empty = events_with(fixture, "state", "state", "finished") == 1;
    size_t i;
    json_array_foreach(json_object_get(status, "slots"), i, slot)
        empty = empty && json_is_null(json_object_get(slot, "pid"));
    json_decref(status);
    return empty;
}

static bool both_have_finished(struct fixture *fixture)
{
    return events_with(fixture, "state", "state", "finished") == 2;
}

static void submit_another(struct fixture *fixture)
{
    submit(fixture, "another", 2, 0);
    when(fixture, both_have_finished, end_it);
}

static void workers_without_work_are_ended(void **state)
{
    struct fixture *fixture = *state;
    setenv("TUNER_IDLE_MS", "20", 1);
    start(fixture, 2, true);
    submit(fixture, "s", 4, 0);
    when(fixture, nobody_works, submit_another);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"), 6);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM faults"), 0);
}

int main(int count, char *arguments[])
{
    const struct CMUnitTest tests[] = {
        DAEMON_TEST(equals_share_the_workers),
        DAEMON_TEST(a_higher_priority_comes_first),
        DAEMON_TEST(a_study_has_no_more_workers_than_it_may),
        DAEMON_TEST(a_daemon_heeds_the_workers_of_a_study),
        DAEMON_TEST(equals_share_the_cores),
        DAEMON_TEST(workers_without_work_are_ended),
    };
    (void)arguments;
    if (count > 1)
        return write_no_report();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
