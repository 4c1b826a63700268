/* Orders that a daemon is given while it works: pause, resume, stop, cancel, set. */
#include "tests/engine_fixture.h"

static void pause_it(struct fixture *fixture)
{
    assert_int_equal(daemon_pause(fixture->daemon, "s", &fixture->why), 0);
}

static bool rests(struct fixture *fixture)
{
    return is_in(fixture, "s", "paused") && number_of(fixture, "s", "segments") == 0;
}

static void resume_it(struct fixture *fixture)
{
    assert_int_equal(ask(fixture, "SELECT state = 'paused' FROM studies"), 1);
    assert_int_equal(daemon_resume(fixture->daemon, "s", &fixture->why), 0);
    assert_int_equal(ask(fixture, "SELECT state = 'running' FROM studies"), 1);
}

static void pause_then_wait(struct fixture *fixture)
{
    pause_it(fixture);
    when(fixture, rests, resume_it);
}

static void a_paused_study_starts_nothing_until_it_is_resumed(void **state)
{
    struct fixture *fixture = *state;
    setenv("FAKE_MS", "1", 1);
    start(fixture, 2, false);
    submit(fixture, "s", 20, 0);
    when(fixture, has_begun, pause_then_wait);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments WHERE state = 'ended'"), 20);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 20);
}

static void stop_it(struct fixture *fixture)
{
    assert_int_equal(daemon_stop(fixture->daemon, "s", &fixture->why), 0);
}

static void a_study_that_is_stopped_lets_its_segments_end(void **state)
{
    struct fixture *fixture = *state;
    setenv("FAKE_MS", "2", 1);
    start(fixture, 2, false);
    submit(fixture, "s", 30, 0);
    when(fixture, has_begun, stop_it);
    run_to(fixture, EXIT_INTERRUPTED);
    assert_int_equal(ask(fixture, "SELECT state = 'interrupted' FROM studies"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments WHERE state <> 'ended'"), 0);
    assert_true(ask(fixture, "SELECT count(*) FROM trials") < 30);
}

static bool works(struct fixture *fixture)
{
    return number_of(fixture, "s", "segments") > 0;
}

static void cancel_it(struct fixture *fixture)
{
    assert_int_equal(daemon_cancel(fixture->daemon, "s", &fixture->why), 0);
}

static void a_cancelled_study_ends_at_once_and_can_be_gone_on_with(void **state)
{
    struct fixture *fixture = *state;
    setenv("FAKE_MS", "300", 1);
    start(fixture, 2, false);
    submit(fixture, "s", 3, 0);
    when(fixture, works, cancel_it);
    run_to(fixture, EXIT_INTERRUPTED);
    assert_int_equal(ask(fixture, "SELECT note = 'cancelled' FROM studies"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) > 0 FROM segments "
                                  "WHERE state = 'interrupted'"), 1);
    stop(fixture);
    unsetenv("FAKE_MS");
    start(fixture, 2, false);
    submit(fixture, "s", 3, 0);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"), 3);
}

static void what_cannot_be_done_is_refused_with_a_reason(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *settings, *part;
    } refused[] = {
        {"{\"workers\": -1}", "from 0"},           {"{\"worker\": 1}", "workers"},
        {"{\"limits\": {\"epochs\": 3}}", "plan"}, {"{\"limits\": {\"retries\": 1.5}}", "whole"},
        {"{}", "object"},                          {"{\"priority\": \"high\"}", "number"},
    };
    size_t i;
    char *again;
    start(fixture, 1, false);
    submit(fixture, "mnist", 3, 0);
    assert_int_equal(daemon_pause(fixture->daemon, "mnits", &fixture->why), -1);
    assert_non_null(strstr(fixture->why.text, "did you mean mnist?"));
    failure_clear(&fixture->why);
    assert_int_equal(daemon_resume(fixture->daemon, "mnist", &fixture->why), -1);
    assert_int_equal(fixture->why.code, EXIT_BAD_INPUT);
    failure_clear(&fixture->why);
    again = submit_with(fixture, "mnist", "0.0", 3, (struct submission){0});
    assert_string_equal(again, "mnist"); /* in hand with these settings: it goes on */
    free(again);
    assert_int_equal(daemon_stop(fixture->daemon, "mnist", &fixture->why), 0);
    assert_null(submit_with(fixture, "mnist", "0.0", 3, (struct submission){0}));
    assert_non_null(strstr(fixture->why.text, "is stopping"));
    failure_clear(&fixture->why);
    for (i = 0; i < ARRAY_LENGTH(refused); i++) {
        json_t *settings = json_loads(refused[i].settings, 0, NULL);
        assert_int_equal(daemon_set(fixture->daemon, "mnist", settings, &fixture->why), -1);
        if (strstr(fixture->why.text, refused[i].part) == NULL)
            print_error("%s: %s\n", refused[i].settings, fixture->why.text);
        assert_non_null(strstr(fixture->why.text, refused[i].part));
        failure_clear(&fixture->why);
        json_decref(settings);
    }
}

/* As after a commit that found no room. */
static void no_order_is_taken_on_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    json_t *settings = json_pack("{s:i}", "priority", 3);
    start(fixture, 2, true);
    submit(fixture, "s", 3, 0);
    submit(fixture, "gone", 3, 0);
    assert_int_equal(daemon_cancel(fixture->daemon, "gone", &fixture->why), 0);
    disk_put_down(fixture->daemon);
    assert_int_equal(daemon_pause(fixture->daemon, "s", &fixture->why), -1);
    assert_non_null(strstr(fixture->why.text, "is full"));
    failure_clear(&fixture->why);
    assert_int_equal(daemon_stop(fixture->daemon, NULL, &fixture->why), -1);
    failure_clear(&fixture->why);
    assert_int_equal(daemon_set(fixture->daemon, "s", settings, &fixture->why), -1);
    failure_clear(&fixture->why);
    assert_true(is_in(fixture, "s", "queued"));
    assert_int_equal(number_of(fixture, "s", "priority"), 0);
    assert_true(is_in(fixture, "gone", "interrupted")); /* which was recorded before */
    json_decref(settings);
}

int main(int count, char *arguments[])
{
    const struct CMUnitTest tests[] = {
        DAEMON_TEST(a_paused_study_starts_nothing_until_it_is_resumed),
        DAEMON_TEST(a_study_that_is_stopped_lets_its_segments_end),
        DAEMON_TEST(a_cancelled_study_ends_at_once_and_can_be_gone_on_with),
        DAEMON_TEST(what_cannot_be_done_is_refused_with_a_reason),
        DAEMON_TEST(no_order_is_taken_on_a_full_disk),
    };
    (void)arguments;
    if (count > 1)
        return write_no_report();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
