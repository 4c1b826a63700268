/* Studies that other programs train, asking and telling. */
#include "tests/engine_fixture.h"

static const char outside_study[] =
    "study: tuned\n"
    "trainer: none\n"
    "objective: {metric: speed, goal: maximize}\n"
    "parameters: {size: {type: int, low: 1, high: 100}}\n"
    "search: {scheduler: hyperband, max_epochs: 3, limits: {epoch_seconds: 0.2}}\n";

static void submit_outside(struct fixture *fixture)
{
    const struct submission submission = {.file = "t.yaml", .text = outside_study,
                                          .size = strlen(outside_study)};
    char *name = NULL;
    assert_int_equal(daemon_submit(fixture->daemon, &submission, &name, &fixture->why), 0);
    assert_string_equal(name, "tuned");
    free(name);
}

static void tell(struct fixture *fixture, const json_t *asked, double value)
{
    json_t *report = json_pack("{s:O, s:O, s:f}", "trial", json_object_get(asked, "trial"),
                               "attempt", json_object_get(asked, "attempt"), "value", value);
    if (daemon_tell(fixture->daemon, "tuned", report, &fixture->why) != 0)
        print_error("%s\n", fixture->why.text);
    assert_null(fixture->why.text);
    json_decref(report);
}

static int given_out;

/* One thing asked and told in each turn; the first is forgotten until it is given again. */
static void ask_and_tell(struct fixture *fixture)
{
    json_t *asked = daemon_ask(fixture->daemon, "tuned", &fixture->why);
    assert_non_null(asked);
    if (json_object_get(asked, "finished") != NULL) {
        daemon_end(fixture->daemon, false);
    } else {
        if (json_object_get(asked, "trial") != NULL && given_out++ > 0)
            tell(fixture, asked, 10.0 * json_number_value(json_object_get(
                json_object_get(asked, "parameters"), "size")));
        when(fixture, is_there, ask_and_tell);
    }
    json_decref(asked);
}

static void wake(struct timer *timer, void *context)
{
    struct fixture *fixture = context;
    loop_set_timer(fixture->loop, timer, 5);
}

static void an_outside_program_asks_and_tells(void **state)
{
    struct fixture *fixture = *state;
    struct timer timer = {.due = wake, .context = fixture};
    start(fixture, 1, true);
    submit_outside(fixture);
    given_out = 0;
    when(fixture, is_there, ask_and_tell);
    loop_set_timer(fixture->loop, &timer, 1);
    run_to(fixture, EXIT_DONE);
    loop_clear_timer(fixture->loop, &timer);
    assert_int_equal(ask(fixture, "SELECT state = 'finished' FROM studies"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments WHERE state = 'interrupted' AND "
                                  "reason LIKE 'said nothing%'"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state NOT IN ('completed', "
                                  "'stopped')"), 0);
    assert_int_equal(ask(fixture, "SELECT winner = (SELECT trial FROM leaderboard LIMIT 1) "
                                  "FROM studies"), 1);
    assert_int_equal(given_out, 1 + (int)ask(fixture, "SELECT count(*) FROM segments "
                                                      "WHERE state = 'ended'"));
}

/* With trial 0 in hand. */
static void report_nonsense(struct fixture *fixture)
{
    static const struct {
        const char *report, *part;
    } refused[] = {
        {"{\"trial\": 0, \"attempt\": 2, \"value\": 1}", "not in hand"},
        {"{\"trial\": 9, \"attempt\": 1, \"value\": 1}", "not in hand"},
        {"{\"trial\": 0, \"attempt\": 1}", "needs `value`"},
        {"{\"trial\": 0, \"attempt\": 1, \"value\": \"much\"}", "must be a number"},
        {"{\"trial\": 0, \"attempt\": 1, \"epoch\": 7, \"value\": 1}", "out of order"},
        {"{\"trial\": 0, \"attempt\": 1, \"metrics\": {\"sped\": 1}}", "objective's speed"},
        {"{\"trial\": 0, \"attempt\": 1, \"metrics\": [1]}", "objective's speed"},
        {"{\"trial\": 0, \"attempt\": 1, \"done\": true}", "before its last epoch"},
    };
    json_t *asked = daemon_ask(fixture->daemon, "tuned", &fixture->why);
    size_t i;
    assert_int_equal(json_integer_value(json_object_get(asked, "attempt")), 1);
    for (i = 0; i < ARRAY_LENGTH(refused); i++) {
        json_t *report = json_loads(refused[i].report, 0, NULL);
        assert_int_equal(daemon_tell(fixture->daemon, "tuned", report, &fixture->why), -1);
        assert_int_equal(fixture->why.code, EXIT_BAD_INPUT);
        assert_non_null(strstr(fixture->why.text, refused[i].part));
        failure_clear(&fixture->why);
        json_decref(report);
    }
    tell(fixture, asked, 1);
    json_decref(asked);
    daemon_end(fixture->daemon, false);
}

static void a_report_that_makes_no_sense_is_refused(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 1, true);
    submit_outside(fixture);
    when(fixture, is_there, report_nonsense);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments WHERE state = 'ended'"), 1);
}

int main(int count, char *arguments[])
{
    const struct CMUnitTest tests[] = {
        DAEMON_TEST(an_outside_program_asks_and_tells),
        DAEMON_TEST(a_report_that_makes_no_sense_is_refused),
    };
    (void)arguments;
    if (count > 1)
        return write_no_report();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("outside", tests, NULL, NULL);
}
