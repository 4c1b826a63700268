#include "tuner/engine.h"

#include "common/file.h"
#include "common/text.h"
#include "tuner/home.h"
#include "tuner/study_plan.h"

#include <stdlib.h>

struct run *run_new(struct daemon *daemon, struct study *study)
{
    struct run *run = xcalloc(1, sizeof *run);
    run->daemon = daemon;
    run->study = study;
    return run;
}

void run_free(struct run *run)
{
    struct loop *loop = run->daemon->loop;
    int i;
    loop_clear_timer(loop, &run->retry);
    loop_clear_timer(loop, &run->time_limit);
    child_kill(run->child);
    scheduler_free(run->scheduler);
    sampler_free(run->sampler);
    for (i = 0; i < run->trial_count; i++) {
        disk_subtract(run, run->trials[i]);
        trial_free(run->trials[i]);
    }
    free(run->trials);
    for (i = 0; i < run->asked_count; i++)
        slot_free(run->asked[i]);
    free(run->asked);
    heap_free(&run->pending);
    free(run->delayed);
    kept_free(&run->kept);
    free(run->final.checkpoint);
    prepared_release(&run->prepared);
    study_free(run->study);
    failure_clear(&run->broken);
    free(run->state_before);
    free(run->note_before);
    free(run);
}

struct run *run_renew(struct run *run)
{
    struct run *again = run_new(run->daemon, run->study);
    again->id = run->id;
    again->state = run->state == RUN_PAUSED || run->state == RUN_STOPPING ? run->state
                                                                          : RUN_QUEUED;
    again->priority = run->priority;
    again->workers = run->workers;
    again->any_precision = run->any_precision;
    again->is_prepared = run->is_prepared;
    again->prepared = run->prepared;
    again->state_before = run->state_before;
    again->note_before = run->note_before;
    run->study = NULL;
    run->prepared = (struct prepared){0};
    run->state_before = run->note_before = NULL;
    run_free(run);
    return again;
}

/* ---- too many failures ---- */

enum { FAILURES_LEAST = 100, REASONS_TOLD = 5 };

static int failures_allowed(const struct run *run)
{
    int half = run->plan.trials / 2;
    if (run->study->limit_failures > 0)
        return run->study->limit_failures;
    return half > FAILURES_LEAST ? half : FAILURES_LEAST;
}

/* "60 trials: out of memory (such as trial 3)", a line for each of the most frequent. */
static char *failure_reasons(struct run *run)
{
    struct daemon *daemon = run->daemon;
    json_t *arguments = json_pack("[s, i]", run->study->name, REASONS_TOLD);
    json_t *rows = store_rows(daemon->store,
                              "SELECT error, count(*) AS times, min(trial) AS trial FROM trials "
                              "WHERE study = ?1 AND state = 'failed' GROUP BY error "
                              "ORDER BY times DESC, trial LIMIT ?2", arguments, &daemon->broken);
    struct text text = TEXT_EMPTY;
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row) {
        const char *error = json_string_value(json_object_get(row, "error"));
        text_addf(&text, "\n  %lld x %s (trial %lld)",
                  (long long)json_integer_value(json_object_get(row, "times")),
                  error != NULL ? error : "unknown",
                  (long long)json_integer_value(json_object_get(row, "trial")));
    }
    json_decref(arguments);
    json_decref(rows);
    return text_take(&text);
}

void run_check_failures(struct run *run)
{
    char *reasons;
    if (!run->accepted || run->final.winner != NULL || run->broken.text != NULL ||
        run->tally.failed <= failures_allowed(run))
        return;
    reasons = failure_reasons(run);
    fail(&run->broken, "%d trials have failed, and no more than %d may (search.limits.failures):%s",
         run->tally.failed, failures_allowed(run), reasons);
    free(reasons);
}

/* ---- beginning ---- */

static void time_is_up(struct timer *timer, void *context)
{
    struct run *run = context;
    struct daemon *daemon = run->daemon;
    (void)timer;
    if (run->final.winner != NULL) /* nothing of the search is left to be cut off */
        return;
    run->closed = true;
    event_line(daemon, run, "the limit of %g minutes is reached: no new segments",
               run->study->limit_minutes);
    if (daemon_recording(daemon))
        store_void_study(daemon->store, run->id, "cut off by the limit in minutes",
                         &daemon->broken);
}

void run_limit_minutes(struct run *run)
{
    run->time_limit.due = time_is_up;
    run->time_limit.context = run;
    loop_clear_timer(run->daemon->loop, &run->time_limit);
    if (run->study->limit_minutes > 0)
        loop_set_timer(run->daemon->loop, &run->time_limit,
                       (int64_t)(run->study->limit_minutes * 60e3));
}

static int make_folder(struct run *run)
{
    char *folder = home_checkpoints(run->daemon->settings.home, run->study->name);
    int result = folder_make(folder, &run->broken);
    free(folder);
    return result;
}

int run_begin(struct run *run)
{
    const struct study *study = run->study;
    run->begun = true;
    run->kept.maximize = study->maximize;
    run->sampler = sampler_new(study->sampler, &study->space, study->seed, study->points);
    if (study_plan(study, sampler_size(run->sampler), &run->plan, &run->broken) != 0)
        return -1;
    run->scheduler = scheduler_new(&run->plan, study->maximize);
    if (replay(run) != 0 || run->daemon->broken.text != NULL)
        return -1;
    if (run->finished)
        return 0;
    if (!study->outside) {
        run->limits = limits_join(&study->worker_limits, &run->daemon->limits);
        run->launcher = daemon_launcher(run->daemon, run->prepared.command, &run->limits);
        sweep_checkpoints(run);
        if (make_folder(run) != 0)
            return -1;
    }
    run_limit_minutes(run);
    run->accepted = true;
    return 0;
}

/* ---- states ---- */

const char *run_state_name(enum run_state state)
{
    static const char *const names[] = {"queued", "running", "paused", "stopping", "over"};
    return names[state];
}

/* How the next daemon that stays is to go on with it. */
static enum wanted_as wanted_as(const struct run *run)
{
    if (!run->daemon->settings.stay || run->state == RUN_STOPPING)
        return WANTED_NOT;
    return run->state == RUN_PAUSED ? WANTED_PAUSED : WANTED;
}

void run_set_state(struct run *run, enum run_state state)
{
    struct daemon *daemon = run->daemon;
    run->state = state;
    if (daemon_recording(daemon)) {
        store_set_study_state(daemon->store, run->id, run_state_name(state), NULL,
                              &daemon->broken);
        store_want_study(daemon->store, run->id, wanted_as(run), &daemon->broken);
    }
    event_state(run, run_state_name(state), NULL);
}

/* Its workers go over to other studies; what they had in hand can be gone on with. */
static void dismiss_workers(struct run *run)
{
    struct daemon *daemon = run->daemon;
    int i;
    for (i = 0; i < run->asked_count; i++)
        outside_take_back(run->asked[i], "interrupted");
    for (i = 0; i < daemon->slot_count; i++) {
        struct slot *slot = daemon->slots[i];
        if (slot->run != run)
            continue;
        if (slot->job.type != JOB_NONE)
            slot_cancel(slot);
        slot_leave(slot, "ended with the study");
    }
}

void run_end(struct run *run, const char *state, const char *note, bool wanted)
{
    struct daemon *daemon = run->daemon;
    enum wanted_as as = wanted ? wanted_as(run) : WANTED_NOT;
    dismiss_workers(run);
    run->state = RUN_OVER;
    if (daemon_recording(daemon)) {
        store_set_study_state(daemon->store, run->id, state, note, &daemon->broken);
        store_want_study(daemon->store, run->id, as, &daemon->broken);
    }
    event_state(run, state, note);
}

void run_fail(struct run *run)
{
    struct daemon *daemon = run->daemon;
    bool known = !run->accepted && run->state_before != NULL;
    if (!daemon->settings.stay && daemon->failed.text == NULL) {
        fail(&daemon->failed, "%s", run->broken.text);
        daemon->failed.code = run->broken.code;
    } else {
        event_warn(daemon, run, "%s", run->broken.text);
    }
    if (!known) {
        run_end(run, "failed", run->broken.text, false);
    } else { /* refused before anything was done: it is as it was */
        run->state = RUN_OVER;
        if (daemon->settings.stay && daemon_recording(daemon))
            store_restore_study(daemon->store, run->id, run->state_before, run->note_before,
                                &daemon->broken);
        event_state(run, "failed", run->broken.text);
    }
}
/* ---- the end of the search ---- */

/* Whether no configuration is left that has not been tried. */
static bool used_up(const struct run *run)
{
    double size = sampler_size(run->sampler);
    return run->exhausted || (size > 0 && run->trial_count >= size);
}

static void finish(struct run *run)
{
    run_end(run, "finished", used_up(run) ? "the search space is used up" : NULL,
            !run->study->outside);
    if (run->study->outside)
        event_report(run->daemon, run->study->name, "there is no model to report on");
    else if (run->daemon->settings.stay)
        report_later(run->daemon, run->study->name);
}

bool run_conclude(struct run *run)
{
    bool searched = run->final.winner == NULL;
    if (run->segments > 0 || run->delayed_count > 0 || run->final.due_ms > clock_ms() ||
        run_has_work(run) || run->broken.text != NULL || run->daemon->broken.text != NULL)
        return false;
    if (searched && used_up(run))
        event_line(run->daemon, run, "the search space is used up: all of its %d configurations "
                                     "were tried", run->trial_count);
    if (searched && final_decide(run) != 0)
        return false;
    if (run->final.evaluated || run->study->outside)
        finish(run);
    return run->state != RUN_OVER;
}
