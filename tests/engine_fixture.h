/* The engine in a home of its own, with studies of a trainer that answers at once
 * (tests/fake_trainer.c), in the process of the test. */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include "common/file.h"
#include "db/store.h"
#include "tests/folder_remove.h"
#include "tuner/engine.h"
#include "tuner/home.h"

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

static inline void happened(void *context, const json_t *event)
{
    struct fixture *fixture = context;
    json_array_append(fixture->events, (json_t *)(uintptr_t)event);
}

static inline void turned(void *context)
{
    struct fixture *fixture = context;
    if (fixture->reached == NULL || !fixture->reached(fixture))
        return;
    fixture->reached = NULL;
    fixture->once(fixture);
}

static inline void start(struct fixture *fixture, int workers, bool stay)
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

static inline void stop(struct fixture *fixture)
{
    daemon_free(fixture->daemon);
    loop_free(fixture->loop);
    fixture->daemon = NULL;
    fixture->loop = NULL;
    fixture->reached = NULL;
    failure_clear(&fixture->why);
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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
static inline char *submit_with(struct fixture *fixture, const char *name, const char *low,
                                int trials, struct submission submission)
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

static inline void submit(struct fixture *fixture, const char *name, int trials, int priority)
{
    char *called = submit_with(fixture, name, "0.0", trials,
                               (struct submission){.priority = priority});
    assert_non_null(called);
    assert_string_equal(called, name);
    free(called);
}

/* ---- what is asked ---- */

static inline int64_t ask(struct fixture *fixture, const char *sql)
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

static inline json_t *status_of(struct fixture *fixture, const char *study)
{
    json_t *status = daemon_status(fixture->daemon, study, NULL);
    json_t *one = json_incref(json_array_get(json_object_get(status, "studies"), 0));
    json_decref(status);
    return one;
}

static inline bool is_in(struct fixture *fixture, const char *study, const char *state)
{
    json_t *status = status_of(fixture, study);
    const char *now = json_string_value(json_object_get(status, "state"));
    bool is = now != NULL && strcmp(now, state) == 0;
    json_decref(status);
    return is;
}

static inline int64_t number_of(struct fixture *fixture, const char *study, const char *what)
{
    json_t *status = status_of(fixture, study);
    int64_t number = json_integer_value(json_object_get(status, what));
    json_decref(status);
    return number;
}

/* How many events of that kind there were, with this in them. */
static inline int events_with(const struct fixture *fixture, const char *event, const char *key,
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

/* ---- when to do what ---- */

static inline void when(struct fixture *fixture, bool (*reached)(struct fixture *fixture),
                        void (*once)(struct fixture *fixture))
{
    fixture->reached = reached;
    fixture->once = once;
}

static inline void run_to(struct fixture *fixture, enum exit_code end)
{
    assert_int_equal(daemon_run(fixture->daemon, &fixture->why), end);
}

static inline bool has_begun(struct fixture *fixture)
{
    return number_of(fixture, "s", "trials_ended") >= 4;
}

static inline void end_it(struct fixture *fixture)
{
    daemon_end(fixture->daemon, false);
}

static inline bool is_there(struct fixture *fixture)
{
    (void)fixture;
    return true;
}

/* The program that writes the reports of finished studies is "this very one": a test's main, with
 * arguments, which is as long about it as $REPORT_SECONDS says, and writes none. */
static inline int write_no_report(void)
{
    const char *seconds = getenv("REPORT_SECONDS");
    sleep(seconds != NULL ? (unsigned)atoi(seconds) : 0);
    return 0;
}

#define DAEMON_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
