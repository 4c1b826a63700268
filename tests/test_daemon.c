/* The daemon with studies: from submission to the end, versions of them, and what the next daemon
 * goes on with. */
#include "tests/engine_fixture.h"

static void a_study_runs_to_its_end(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "one", 20, 0);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"), 20);
    assert_int_equal(ask(fixture, "SELECT state = 'finished' AND winner NOT NULL FROM studies"), 1);
    assert_int_equal(events_with(fixture, "segment", "state", "ended"), 20);
    assert_int_equal(events_with(fixture, "decision", "verdict", "completed"), 20);
    assert_int_equal(events_with(fixture, "state", "state", "finished"), 1);
    stop(fixture);
    start(fixture, 2, false);
    submit(fixture, "one", 20, 0);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 20);
}

static void the_best_comes_first_on_the_leaderboard(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "b", 10, 0);
    submit(fixture, "a", 20, 0);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM (SELECT value, rank, lag(value) OVER "
                                  "(PARTITION BY study ORDER BY rank) AS before FROM leaderboard)"
                                  " WHERE value > before"), 0);
    assert_int_equal(ask(fixture, "SELECT sum(winner = l.trial) FROM leaderboard l "
                                  "JOIN studies s USING (study) WHERE rank = 1"), 2);
    assert_int_equal(ask(fixture, "SELECT rank FROM leaderboard WHERE study = 'b' LIMIT 1"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials t JOIN segments g "
                                  "USING (study, trial) WHERE t.value IS NOT g.value "
                                  "OR t.value_epochs IS NOT g.to_epoch"), 0);
}

static void a_study_that_is_in_hand_is_not_taken_twice(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "mnist", 20, 0);
    submit(fixture, "mnist", 20, 0);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials"), 20);
    assert_int_equal(events_with(fixture, "state", "state", "finished"), 1);
}

static void another_search_space_is_refused_or_another_version(void **state)
{
    struct fixture *fixture = *state;
    const struct submission extend = {.extend = true};
    char *name;
    start(fixture, 1, false);
    submit(fixture, "s", 2, 0);
    run_to(fixture, EXIT_DONE);
    stop(fixture);
    start(fixture, 1, false);
    assert_null(submit_with(fixture, "s", "0.25", 2, (struct submission){0}));
    assert_int_equal(fixture->why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(fixture->why.text, "parameters.rate.low: 0"));
    assert_non_null(strstr(fixture->why.text, "--extend"));
    failure_clear(&fixture->why);
    name = submit_with(fixture, "s", "0.25", 2, extend);
    assert_string_equal(name, "s_v2");
    free(name);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT extends = 's' FROM studies WHERE study = 's_v2'"), 1);
    stop(fixture);
    start(fixture, 1, false);
    name = submit_with(fixture, "s", "0.25", 2, (struct submission){0});
    assert_string_equal(name, "s_v2"); /* its settings are known */
    free(name);
    name = submit_with(fixture, "s", "0.125", 2, extend);
    assert_string_equal(name, "s_v3");
    free(name);
    name = submit_with(fixture, "s", "0.0", 2, (struct submission){.fresh = true});
    assert_string_equal(name, "s_2");
    free(name);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM studies WHERE state = 'finished'"), 4);
}

/* ---- the next daemon ---- */

static void a_daemon_that_stays_goes_on_with_what_the_last_one_had(void **state)
{
    struct fixture *fixture = *state;
    json_t *settings = json_pack("{s:i, s:i, s:{s:i}}", "workers", 1, "priority", 3, "limits",
                                 "failures", 7);
    setenv("FAKE_MS", "1", 1);
    start(fixture, 2, true);
    submit(fixture, "s", 1000, 0);
    submit(fixture, "p", 10, 0);
    submit(fixture, "c", 10, 0);
    assert_int_equal(daemon_set(fixture->daemon, "s", settings, &fixture->why), 0);
    assert_int_equal(daemon_pause(fixture->daemon, "p", &fixture->why), 0);
    assert_int_equal(daemon_cancel(fixture->daemon, "c", &fixture->why), 0);
    when(fixture, has_begun, end_it);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM studies WHERE state = 'interrupted'"), 3);
    stop(fixture);
    start(fixture, 2, true);
    assert_true(is_in(fixture, "s", "queued"));
    assert_int_equal(number_of(fixture, "s", "workers"), 1);
    assert_int_equal(number_of(fixture, "s", "priority"), 3);
    assert_true(is_in(fixture, "p", "paused"));
    assert_true(is_in(fixture, "c", "interrupted"));
    json_decref(settings);
}

static bool has_finished(struct fixture *fixture)
{
    return events_with(fixture, "state", "state", "finished") == 1;
}

static void end_before_the_report(struct fixture *fixture)
{
    assert_int_equal(ask(fixture, "SELECT state = 'finished' FROM studies"), 1);
    assert_int_equal(ask(fixture, "SELECT wanted FROM recorded_studies"), 1);
    daemon_end(fixture->daemon, true);
}

static bool has_reported(struct fixture *fixture)
{
    return events_with(fixture, "report", "event", "report") == 1;
}

/* The program that writes reports is this very one (main): the first time it takes too long. */
static void a_report_that_was_not_written_is_written_by_the_next_daemon(void **state)
{
    struct fixture *fixture = *state;
    setenv("REPORT_SECONDS", "60", 1);
    start(fixture, 2, true);
    submit(fixture, "s", 2, 0);
    when(fixture, has_finished, end_before_the_report);
    run_to(fixture, EXIT_DONE);
    assert_false(has_reported(fixture));
    stop(fixture);
    setenv("REPORT_SECONDS", "0", 1);
    start(fixture, 2, true);
    when(fixture, has_reported, end_it);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT wanted FROM recorded_studies"), 0);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 2);
}

int main(int count, char *arguments[])
{
    const struct CMUnitTest tests[] = {
        DAEMON_TEST(a_study_runs_to_its_end),
        DAEMON_TEST(the_best_comes_first_on_the_leaderboard),
        DAEMON_TEST(a_study_that_is_in_hand_is_not_taken_twice),
        DAEMON_TEST(another_search_space_is_refused_or_another_version),
        DAEMON_TEST(a_daemon_that_stays_goes_on_with_what_the_last_one_had),
        DAEMON_TEST(a_report_that_was_not_written_is_written_by_the_next_daemon),
    };
    (void)arguments;
    if (count > 1)
        return write_no_report();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
