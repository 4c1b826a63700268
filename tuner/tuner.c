#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/failpoint.h"
#include "tuner/home.h"
#include "tuner/study_plan.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REDRAW_MS = 250 };

/* ---- recording ---- */

bool tuner_recording(struct tuner *tuner)
{
    if (tuner->broken.text != NULL)
        return false;
    if (!tuner->in_transaction)
        tuner->in_transaction = store_begin(tuner->store, &tuner->broken) == 0;
    return tuner->in_transaction;
}

static void commit(struct tuner *tuner)
{
    if (!tuner->in_transaction)
        return;
    tuner->in_transaction = false;
    failpoint("before-commit");
    /* Also of a turn that ended the study: the store itself refuses a spoilt one. */
    store_commit(tuner->store, &tuner->broken);
    failpoint("after-commit");
}

void tuner_doom_file(struct tuner *tuner, const char *path)
{
    tuner->doomed = xreallocarray(tuner->doomed, tuner->doomed_count + 1, sizeof *tuner->doomed);
    tuner->doomed[tuner->doomed_count++] = xstrdup(path);
}

void tuner_drop_checkpoint(struct tuner *tuner, struct trial *trial)
{
    if (trial->checkpoint == NULL)
        return;
    tuner_doom_file(tuner, trial->checkpoint);
    if (tuner_recording(tuner))
        store_forget_checkpoint(tuner->store, tuner->id, trial->number, trial->checkpoint_epoch,
                                &tuner->broken);
    free(trial->checkpoint);
    trial->checkpoint = NULL;
}

static void delete_doomed(struct tuner *tuner)
{
    size_t i;
    for (i = 0; i < tuner->doomed_count; i++) {
        if (tuner->broken.text == NULL)
            unlink(tuner->doomed[i]);
        free(tuner->doomed[i]);
    }
    tuner->doomed_count = 0;
}

/* ---- decisions ---- */

/* The worst of the completed trials that have a checkpoint, and how many have one. */
static struct trial *worst_kept(const struct tuner *tuner, int *kept)
{
    struct trial *worst = NULL;
    int i;
    *kept = 0;
    for (i = 0; i < tuner->trial_count; i++) {
        struct trial *trial = tuner->trials[i];
        if (!trial->completed || trial->checkpoint == NULL)
            continue;
        ++*kept;
        if (worst == NULL || !value_better(trial->value, worst->value, tuner->study->maximize))
            worst = trial;
    }
    return worst;
}

/* Keeps the checkpoints of the best `keep` completed trials.  An earlier run may have
 * kept more. */
static void keep_the_best(struct tuner *tuner)
{
    int kept;
    struct trial *worst = worst_kept(tuner, &kept);
    while (kept > tuner->study->keep) {
        tuner_drop_checkpoint(tuner, worst);
        worst = worst_kept(tuner, &kept);
    }
}

static void carry_out(struct tuner *tuner, const struct decision *decision)
{
    struct trial *trial = tuner->trials[decision->trial];
    switch (decision->verdict) {
    case VERDICT_PROMOTED: /* the scheduler gives out its next segment */
        break;
    case VERDICT_COMPLETED:
        trial->completed = true;
        trial->state = TRIAL_ENDED;
        keep_the_best(tuner);
        break;
    case VERDICT_STOPPED:
    case VERDICT_FAILED:
        trial->state = TRIAL_ENDED;
        tuner_drop_checkpoint(tuner, trial);
        break;
    }
}

void tuner_take_decisions(struct tuner *tuner)
{
    struct decision decision;
    while (scheduler_decision(tuner->scheduler, &decision)) {
        if (tuner_recording(tuner))
            store_add_decision(tuner->store, tuner->id, decision.trial,
                               tuner->plan.brackets[decision.bracket].number, decision.rung,
                               verdict_name(decision.verdict), decision.rank, decision.reason,
                               &tuner->broken);
        carry_out(tuner, &decision);
    }
}

void tuner_end_workers(struct tuner *tuner, const char *reason)
{
    int i;
    for (i = 0; i < tuner->slot_count; i++)
        slot_record_end(&tuner->slots[i], reason);
}

const struct trial *tuner_best(const struct tuner *tuner)
{
    /* At a fixed number of epochs only trials that went equally far are compared;
     * with full, each trial went as far as it should. */
    bool by_epochs = tuner->study->scheduler != SCHEDULER_FULL;
    const struct trial *best = NULL;
    int i;
    for (i = 0; i < tuner->trial_count; i++) {
        const struct trial *trial = tuner->trials[i];
        bool further = best != NULL && by_epochs && trial->value_epochs > best->value_epochs;
        bool as_far = best == NULL || !by_epochs || trial->value_epochs == best->value_epochs;
        if (isnan(trial->value))
            continue;
        if (best == NULL || further ||
            (as_far && value_better(trial->value, best->value, tuner->study->maximize)))
            best = trial;
    }
    return best;
}

int64_t tuner_test_images(const struct tuner *tuner)
{
    return json_integer_value(json_object_get(tuner->prepared.shape, "test"));
}

/* ---- progress ---- */

static void count_trials(const struct tuner *tuner, struct progress_state *state)
{
    int i;
    for (i = 0; i < tuner->trial_count; i++) {
        const struct trial *trial = tuner->trials[i];
        state->epochs_done += trial->epochs;
        if (trial->early_end > 0)
            state->epochs_planned -= trial->value_epochs - trial->early_end;
        state->trials_ended += trial->state == TRIAL_ENDED;
        state->trials_failed += trial->state == TRIAL_ENDED && isnan(trial->value);
    }
}

static void draw(struct tuner *tuner)
{
    static const char *const activities[] = {"", "training", "final training", "final evaluation"};
    struct progress_row *rows = xcalloc((size_t)tuner->slot_count, sizeof *rows);
    struct progress_state state = {
        .study = tuner->study->name, .metric = tuner->study->metric, .rows = rows,
        .row_count = tuner->slot_count, .epochs_planned = tuner->plan.epochs,
        .trials_planned = tuner->plan.trials, .best = tuner_best(tuner),
        .stopping = tuner->interrupts > 0};
    int i;
    for (i = 0; i < tuner->slot_count; i++) {
        const struct job *job = &tuner->slots[i].job;
        rows[i].trial = job->trial;
        rows[i].activity = tuner->slots[i].state == SLOT_STARTING ? "starting"
                                                                  : activities[job->type];
        rows[i].epoch = job->next_epoch - 1;
        rows[i].to_epoch = job->to_epoch;
    }
    count_trials(tuner, &state);
    if (tuner->study->retrain) {
        state.epochs_done += tuner->final.epochs;
        state.epochs_planned += tuner->final.winner != NULL ? tuner->final.to_epoch
                                                            : tuner->study->max_epochs;
    }
    progress_draw(tuner->progress, &state);
    free(rows);
}

static void redraw_due(struct timer *timer, void *context)
{
    struct tuner *tuner = context;
    /* Nothing to do but to wake the loop, whose turn draws. */
    loop_set_timer(tuner->loop, timer, REDRAW_MS);
}

/* ---- the turn ---- */

static void signal_caught(int number, void *context)
{
    struct tuner *tuner = context;
    int i;
    (void)number;
    tuner->interrupts++;
    if (tuner->interrupts == 1)
        progress_line(tuner->progress, "stopping: the epochs in hand are finished and recorded "
                                       "(once more: stop now)");
    for (i = 0; i < tuner->slot_count; i++) {
        if (tuner->interrupts == 1)
            slot_stop(&tuner->slots[i]);
        else if (tuner->slots[i].worker != NULL)
            tuner->slots[i].kill = true;
    }
}

static void time_is_up(struct timer *timer, void *context)
{
    struct tuner *tuner = context;
    (void)timer;
    if (tuner->final.winner != NULL) /* nothing of the search is left to be cut off */
        return;
    tuner->closed = true;
    progress_line(tuner->progress, "the limit of %g minutes is reached: no new segments",
                  tuner->study->limit_minutes);
    if (tuner_recording(tuner))
        store_void_study(tuner->store, tuner->id, "cut off by the limit in minutes",
                         &tuner->broken);
}

static bool all_empty(const struct tuner *tuner)
{
    int i;
    for (i = 0; i < tuner->slot_count; i++) {
        if (tuner->slots[i].state != SLOT_EMPTY)
            return false;
    }
    return true;
}

static void act(struct tuner *tuner)
{
    bool wanted = tuner->interrupts == 0 && !tuner->finished && tuner->broken.text == NULL;
    int i;
    delete_doomed(tuner);
    failpoint("before-act");
    for (i = 0; i < tuner->slot_count; i++)
        slot_act(&tuner->slots[i], wanted);
    failpoint("after-act");
}

static int run_loop(struct tuner *tuner)
{
    while (!tuner->finished && tuner->broken.text == NULL) {
        if (tuner->interrupts > 0 && all_empty(tuner))
            break;
        assign(tuner);
        commit(tuner);
        if (tuner->broken.text != NULL)
            break;
        act(tuner);
        if (progress_due(tuner->progress))
            draw(tuner);
        if (!tuner->finished && !(tuner->interrupts > 0 && all_empty(tuner)))
            loop_turn(tuner->loop, &tuner->broken);
    }
    commit(tuner);
    return tuner->broken.text == NULL ? 0 : -1;
}

/* ---- beginning and end ---- */

static void set_slots(struct tuner *tuner)
{
    int i;
    tuner->slot_count = study_workers(tuner->study, tuner->options->workers);
    tuner->slots = xcalloc((size_t)tuner->slot_count, sizeof *tuner->slots);
    for (i = 0; i < tuner->slot_count; i++)
        tuner->slots[i] = (struct slot){.tuner = tuner, .number = i};
}

static int set_up(struct tuner *tuner, struct failure *why)
{
    static const int signals[] = {SIGINT, SIGTERM};
    const struct launcher_events events = slot_events(tuner);
    const struct study *study = tuner->study;
    char *logs = path_join(tuner->options->home, "logs");
    char *checkpoints;
    int failed = (tuner->loop = loop_new(why)) == NULL ||
                 loop_signals(tuner->loop, signals, ARRAY_LENGTH(signals), signal_caught, tuner,
                              why) != 0;
    tuner->sampler = sampler_new(study->sampler, &study->space, study->seed, study->points);
    failed = failed || study_plan(study, sampler_size(tuner->sampler), &tuner->plan, why) != 0;
    if (!failed) {
        tuner->scheduler = scheduler_new(&tuner->plan, study->maximize);
        tuner->launcher = launcher_local_new(tuner->loop, tuner->prepared.command, logs, &events);
        launcher_limit(tuner->launcher, &study->worker_limits);
        set_slots(tuner);
        failed = find_study(tuner, why) != 0;
    }
    if (!failed) {
        checkpoints = home_checkpoints(tuner->options->home, study->name);
        folder_make(checkpoints, &tuner->broken); /* recorded as every end of a study is */
        free(checkpoints);
    }
    free(logs);
    return failed ? -1 : 0;
}

static void start_timers(struct tuner *tuner)
{
    tuner->redraw = (struct timer){.due = redraw_due, .context = tuner};
    tuner->time_limit = (struct timer){.due = time_is_up, .context = tuner};
    loop_set_timer(tuner->loop, &tuner->redraw, REDRAW_MS);
    if (tuner->study->limit_minutes > 0)
        loop_set_timer(tuner->loop, &tuner->time_limit,
                       (int64_t)(tuner->study->limit_minutes * 60e3));
}

static void tear_down(struct tuner *tuner)
{
    int i;
    progress_free(tuner->progress);
    launcher_free(tuner->launcher);
    loop_free(tuner->loop);
    scheduler_free(tuner->scheduler);
    sampler_free(tuner->sampler);
    for (i = 0; i < tuner->trial_count; i++)
        trial_free(tuner->trials[i]);
    free(tuner->trials);
    for (i = 0; i < tuner->slot_count; i++)
        json_decref(tuner->slots[i].unsaid);
    free(tuner->slots);
    delete_doomed(tuner);
    free(tuner->doomed);
    free(tuner->final.checkpoint);
    prepared_release(&tuner->prepared);
    store_close(tuner->store);
    failure_clear(&tuner->broken);
}

/* The record says what ended the study, unless the store itself did. */
static void record_failure(struct tuner *tuner)
{
    struct failure cause = tuner->broken;
    tuner->broken = (struct failure)FAILURE_NONE;
    tuner_end_workers(tuner, "ended with the study");
    if (tuner_recording(tuner))
        store_set_study_state(tuner->store, tuner->id, "failed", cause.text, &tuner->broken);
    commit(tuner);
    failure_clear(&tuner->broken);
    tuner->broken = cause;
}

static enum exit_code outcome(struct tuner *tuner, struct failure *why)
{
    if (!tuner->finished && tuner_recording(tuner))
        store_set_study_state(tuner->store, tuner->id, "interrupted", NULL, &tuner->broken);
    commit(tuner);
    if (tuner->broken.text == NULL)
        return tuner->finished ? EXIT_DONE : EXIT_INTERRUPTED;
    record_failure(tuner);
    fail(why, "%s", tuner->broken.text);
    if (why != NULL)
        why->code = tuner->broken.code;
    return tuner->broken.code;
}

enum exit_code tuner_run(struct study *study, const struct tuner_options *options,
                         struct failure *why)
{
    struct tuner tuner = {.study = study, .options = options};
    char *database = home_database(options->home);
    enum exit_code code = EXIT_FAILED;
    if (prepare(study, options->home, options->trainer, false, &tuner.prepared, why) != 0 ||
        home_make(options->home, why) != 0 ||
        (tuner.store = store_open(database, STORE_WRITE, why)) == NULL)
        goto done;
    tuner.progress = progress_new(options->quiet);
    if (set_up(&tuner, why) != 0)
        goto done;
    start_timers(&tuner);
    run_loop(&tuner);
    code = outcome(&tuner, why);
done:
    if (why != NULL && why->code != EXIT_DONE)
        code = why->code;
    tear_down(&tuner);
    free(database);
    return code;
}
