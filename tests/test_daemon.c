/* The daemon with studies of a trainer that answers at once (tests/fake_trainer.c): how they
 * are submitted, shared out, steered, and gone on with by the next daemon. */
#include "tuner/engine.h"

#include "common/file.h"
#include "db/store.h"
#include "tuner/home.h"
#include "tests/folder_remove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a home with a daemon ---- */

struct fixture {
    char *home;
    struct loop *loop;
    struct daemon *daemon;
    struct failure why;
    json_t *events;         /* all that happened */
    const char *more;       /* lines of the next studies, or NULL */
    bool (*reached)(struct fixture *fixture); /* ends the daemon when it says so; or NULL */
    void (*once)(struct fixture *fixture);    /* done in the first turn after `reached` */
};

static void happened(void *context, const json_t *event)
{
    struct fixture *fixture = context;
    json_array_append(fixture->events, (json_t *)(uintptr_t)event);
}

static void turned(void *context)
{
    struct fixture *fixture = context;
    if (fixture->reached == NULL || !fixture->reached(fixture))
        return;
    fixture->reached = NULL;
    fixture->once(fixture);
}

static void start(struct fixture *fixture, int workers, bool stay)
{
    const struct daemon_settings settings = {.home = fixture->home, .workers = workers,
                                             .trainer = getenv("FAKE_TRAINER"), .stay = stay};
    const struct daemon_events events = {.happened = happened, .context = fixture};
    fixture->loop = loop_new(&fixture->why);
    fixture->daemon = daemon_new(fixture->loop, &settings, &events, &fixture->why);
    if (fixture->daemon == NULL)
        print_error("%s\n", fixture->why.text);
    assert_non_null(fixture->daemon);
    daemon_each_turn(fixture->daemon, turned, fixture);
}

static void stop(struct fixture *fixture)
{
    daemon_free(fixture->daemon);
    loop_free(fixture->loop);
    fixture->daemon = NULL;
    fixture->loop = NULL;
    fixture->reached = NULL;
    failure_clear(&fixture->why);
}

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    const char *folder = getenv("TEST_TMP");
    fixture->home = xasprintf("%s/daemon-XXXXXX", folder != NULL ? folder : "/tmp");
    if (mkdtemp(fixture->home) == NULL || home_make(fixture->home, NULL) != 0)
        return -1;
    fixture->events = json_array();
    unsetenv("FAKE_MS");
    unsetenv("FAKE_BYTES");
    setenv("TUNER_RETRY_MS", "10", 1);
    unsetenv("TUNER_IDLE_MS");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    stop(fixture);
    folder_remove(fixture->home, NULL);
    json_decref(fixture->events);
    free(fixture->home);
    free(fixture);
    return 0;
}

/* ---- studies ---- */

static const char study_form[] =
    "study: %s\n"
    "data: {dataset: synthetic, train: 100, validation: 100}\n"
    "parameters: {rate: {type: float, low: %s, high: 0.5}}\n"
    "model: [flatten, {dropout: $rate}, {dense: {units: classes}}]\n"
    "training: {optimizer: {type: adam, learning_rate: 0.001}, batch_size: 32}\n"
    "search: {trials: %d, max_epochs: 2}\n";

/* Submits a study of `trials` trials, prepared; its name here, to be freed, or NULL. */
static char *submit_with(struct fixture *fixture, const char *name, const char *low, int trials,
                         struct submission submission)
{
    char *plain = xasprintf(study_form, name, low, trials), *called = NULL;
    char *text = xasprintf("%s%s", plain, fixture->more != NULL ? fixture->more : "");
    struct study *study = study_parse("study.yaml", text, strlen(text), NULL);
    struct prepared prepared = {0};
    assert_non_null(study);
    assert_int_equal(prepare(study, fixture->home, getenv("FAKE_TRAINER"), PURPOSE_RUN, &prepared,
                             NULL), 0);
    submission.file = "study.yaml";
    submission.text = text;
    submission.size = strlen(text);
    submission.prepared = &prepared;
    daemon_submit(fixture->daemon, &submission, &called, &fixture->why);
    prepared_release(&prepared);
    study_free(study);
    free(text);
    free(plain);
    return called;
}

static void submit(struct fixture *fixture, const char *name, int trials, int priority)
{
    char *called = submit_with(fixture, name, "0.0", trials,
                               (struct submission){.priority = priority});
    assert_non_null(called);
    assert_string_equal(called, name);
    free(called);
}

/* ---- what is asked ---- */

static int64_t ask(struct fixture *fixture, const char *sql)
{
    char *database = home_database(fixture->home);
    struct store *store = store_open(database, STORE_READ, NULL);
    json_t *rows = store_rows(store, sql, NULL, NULL);
    json_t *row = json_array_get(rows, 0);
    int64_t value = json_integer_value(json_object_iter_value(json_object_iter(row)));
    assert_non_null(rows);
    json_decref(rows);
    store_close(store);
    free(database);
    return value;
}

static json_t *status_of(struct fixture *fixture, const char *study)
{
    json_t *status = daemon_status(fixture->daemon, study, NULL);
    json_t *one = json_incref(json_array_get(json_object_get(status, "studies"), 0));
    json_decref(status);
    return one;
}

static bool is_in(struct fixture *fixture, const char *study, const char *state)
{
    json_t *status = status_of(fixture, study);
    const char *now = json_string_value(json_object_get(status, "state"));
    bool is = now != NULL && strcmp(now, state) == 0;
    json_decref(status);
    return is;
}

static int64_t number_of(struct fixture *fixture, const char *study, const char *what)
{
    json_t *status = status_of(fixture, study);
    int64_t number = json_integer_value(json_object_get(status, what));
    json_decref(status);
    return number;
}

/* How many events of that kind there were, with this in them. */
static int events_with(const struct fixture *fixture, const char *event, const char *key,
                       const char *value)
{
    const json_t *one;
    size_t i;
    int count = 0;
    json_array_foreach(fixture->events, i, one) {
        const char *kind = json_string_value(json_object_get(one, "event"));
        const char *found = json_string_value(json_object_get(one, key));
        count += strcmp(kind, event) == 0 && found != NULL && strstr(found, value) != NULL;
    }
    return count;
}

/* ---- one study ---- */

static void a_study_runs_to_its_end(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "one", 20, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"), 20);
    assert_int_equal(ask(fixture, "SELECT state = 'finished' AND winner NOT NULL FROM studies"), 1);
    assert_int_equal(events_with(fixture, "segment", "state", "ended"), 20);
    assert_int_equal(events_with(fixture, "decision", "verdict", "completed"), 20);
    assert_int_equal(events_with(fixture, "state", "state", "finished"), 1);
    stop(fixture);
    start(fixture, 2, false);
    submit(fixture, "one", 20, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 20);
}

static void the_best_comes_first_on_the_leaderboard(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "b", 10, 0);
    submit(fixture, "a", 20, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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

/* ---- several ---- */

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
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments l WHERE l.study = 'low' AND "
                                  "l.started_ms < (SELECT max(h.started_ms) FROM segments h "
                                  "WHERE h.study = 'high')"), 0);
}

static bool has_begun(struct fixture *fixture)
{
    return number_of(fixture, "s", "trials_ended") >= 4;
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
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(most_segments, 1);
    json_decref(settings);
}

static bool has_ended(struct fixture *fixture)
{
    return number_of(fixture, "s", "trials_ended") == 12;
}

static void end_it(struct fixture *fixture)
{
    daemon_end(fixture->daemon, false);
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
        fixture->reached = has_ended;
        fixture->once = end_it;
        assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    fixture->reached = both_have_finished;
    fixture->once = end_it;
}

static void workers_without_work_are_ended(void **state)
{
    struct fixture *fixture = *state;
    setenv("TUNER_IDLE_MS", "20", 1);
    start(fixture, 2, true);
    submit(fixture, "s", 4, 0);
    fixture->reached = nobody_works;
    fixture->once = submit_another;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"), 6);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM faults"), 0);
}

/* ---- steering ---- */

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
    fixture->reached = rests;
    fixture->once = resume_it;
}

static void a_paused_study_starts_nothing_until_it_is_resumed(void **state)
{
    struct fixture *fixture = *state;
    setenv("FAKE_MS", "1", 1);
    start(fixture, 2, false);
    submit(fixture, "s", 20, 0);
    fixture->reached = has_begun;
    fixture->once = pause_then_wait;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    fixture->reached = has_begun;
    fixture->once = stop_it;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_INTERRUPTED);
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
    fixture->reached = works;
    fixture->once = cancel_it;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_INTERRUPTED);
    assert_int_equal(ask(fixture, "SELECT note = 'cancelled' FROM studies"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) > 0 FROM segments "
                                  "WHERE state = 'interrupted'"), 1);
    stop(fixture);
    unsetenv("FAKE_MS");
    start(fixture, 2, false);
    submit(fixture, "s", 3, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials WHERE state = 'completed'"), 3);
}

static void a_study_that_is_in_hand_is_not_taken_twice(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 2, false);
    submit(fixture, "mnist", 20, 0);
    submit(fixture, "mnist", 20, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM trials"), 20);
    assert_int_equal(events_with(fixture, "state", "state", "finished"), 1);
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
    fixture->reached = has_begun;
    fixture->once = end_it;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    fixture->reached = has_finished;
    fixture->once = end_before_the_report;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_false(has_reported(fixture));
    stop(fixture);
    setenv("REPORT_SECONDS", "0", 1);
    start(fixture, 2, true);
    fixture->reached = has_reported;
    fixture->once = end_it;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT wanted FROM recorded_studies"), 0);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 2);
}

/* ---- versions ---- */

static void another_search_space_is_refused_or_another_version(void **state)
{
    struct fixture *fixture = *state;
    const struct submission extend = {.extend = true};
    char *name;
    start(fixture, 1, false);
    submit(fixture, "s", 2, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM studies WHERE state = 'finished'"), 4);
}

/* ---- outside programs ---- */

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

static bool is_there(struct fixture *fixture)
{
    (void)fixture;
    return true;
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
        fixture->reached = is_there;
        fixture->once = ask_and_tell;
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
    fixture->reached = is_there;
    fixture->once = ask_and_tell;
    loop_set_timer(fixture->loop, &timer, 1);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
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
    fixture->reached = is_there;
    fixture->once = report_nonsense;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments WHERE state = 'ended'"), 1);
}

/* ---- disk ---- */

static void checkpoints_keep_to_the_quota(void **state)
{
    struct fixture *fixture = *state;
    json_t *quota = json_pack("{s:i}", "quota_bytes", 2500);
    setenv("FAKE_BYTES", "999", 1);
    start(fixture, 2, false);
    assert_int_equal(daemon_set(fixture->daemon, NULL, quota, &fixture->why), 0);
    submit(fixture, "s", 20, 0);
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_in_range(ask(fixture, "SELECT count(*) FROM epochs WHERE checkpoint NOT NULL"), 1, 2);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM epochs JOIN studies USING (study) "
                                  "WHERE checkpoint NOT NULL AND trial = winner"), 1);
    json_decref(quota);
}

static void write_settings(struct fixture *fixture, const char *settings)
{
    const struct file_piece piece = {settings, strlen(settings)};
    char *path = path_join(fixture->home, "settings.yaml");
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
    free(path);
}

static void nothing_is_started_on_a_disk_that_is_nearly_full(void **state)
{
    struct fixture *fixture = *state;
    write_settings(fixture, "free_bytes: 1e15\n");
    start(fixture, 2, true);
    submit(fixture, "s", 3, 0);
    fixture->reached = is_there;
    fixture->once = end_it;
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 0);
    assert_int_equal(events_with(fixture, "line", "text", "nothing new is started"), 1);
}

static void expect_settings(struct fixture *fixture, int64_t workers, int64_t quota)
{
    json_t *status = daemon_status(fixture->daemon, NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(status, "workers")), workers);
    assert_int_equal(json_integer_value(json_object_get(status, "quota_bytes")), quota);
    json_decref(status);
}

static void settings_are_taken_whole_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    write_settings(fixture, "workers: 3\nquota_bytes: 5e9\n");
    start(fixture, 2, true);
    expect_settings(fixture, 3, 5000000000);
    write_settings(fixture, "workers: 4\nquota_bytes: 6e9\nfree_bytes: -1\n");
    assert_int_equal(daemon_reload(fixture->daemon, &fixture->why), -1);
    assert_non_null(strstr(fixture->why.text, "settings.yaml:3:13: error: `free_bytes`"));
    failure_clear(&fixture->why);
    expect_settings(fixture, 3, 5000000000);
    write_settings(fixture, "nice: 1\n"); /* the rest is as it was started */
    assert_int_equal(daemon_reload(fixture->daemon, &fixture->why), 0);
    expect_settings(fixture, 2, 0);
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
    const char *seconds = getenv("REPORT_SECONDS");
    (void)arguments;
    if (count > 1) { /* as the program that writes a report */
        sleep(seconds != NULL ? (unsigned)atoi(seconds) : 0);
        return 0;
    }
#define DAEMON_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DAEMON_TEST(a_study_runs_to_its_end),
        DAEMON_TEST(the_best_comes_first_on_the_leaderboard),
        DAEMON_TEST(equals_share_the_workers),
        DAEMON_TEST(a_higher_priority_comes_first),
        DAEMON_TEST(a_study_has_no_more_workers_than_it_may),
        DAEMON_TEST(a_daemon_heeds_the_workers_of_a_study),
        DAEMON_TEST(equals_share_the_cores),
        DAEMON_TEST(workers_without_work_are_ended),
        DAEMON_TEST(a_paused_study_starts_nothing_until_it_is_resumed),
        DAEMON_TEST(a_study_that_is_stopped_lets_its_segments_end),
        DAEMON_TEST(a_cancelled_study_ends_at_once_and_can_be_gone_on_with),
        DAEMON_TEST(a_study_that_is_in_hand_is_not_taken_twice),
        DAEMON_TEST(what_cannot_be_done_is_refused_with_a_reason),
        DAEMON_TEST(a_daemon_that_stays_goes_on_with_what_the_last_one_had),
        DAEMON_TEST(a_report_that_was_not_written_is_written_by_the_next_daemon),
        DAEMON_TEST(another_search_space_is_refused_or_another_version),
        DAEMON_TEST(an_outside_program_asks_and_tells),
        DAEMON_TEST(a_report_that_makes_no_sense_is_refused),
        DAEMON_TEST(checkpoints_keep_to_the_quota),
        DAEMON_TEST(nothing_is_started_on_a_disk_that_is_nearly_full),
        DAEMON_TEST(settings_are_taken_whole_or_not_at_all),
        DAEMON_TEST(no_order_is_taken_on_a_full_disk),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
