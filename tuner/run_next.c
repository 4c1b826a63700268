/* Which trial of a run is next: new ones, those promoted, and those to be tried again. */
#include "tuner/engine.h"

#include <stdlib.h>

enum { PAUSE_MS_MAX = 60000 };

void run_pend(struct run *run, struct trial *trial)
{
    trial->state = TRIAL_PENDING;
    heap_push(&run->pending, (uint64_t)trial->number);
}

int64_t run_pause_ms(const struct run *run, int retries)
{
    int64_t pause = run->daemon->retry_ms;
    while (--retries > 0 && pause < PAUSE_MS_MAX)
        pause *= 2;
    return pause < PAUSE_MS_MAX ? pause : PAUSE_MS_MAX;
}

static void retry_due(struct timer *timer, void *context)
{
    struct run *run = context;
    int64_t now = clock_ms();
    int i = 0;
    (void)timer;
    while (i < run->delayed_count) {
        struct trial *trial = run->delayed[i];
        if (trial->due_ms > now) {
            i++;
            continue;
        }
        run->delayed[i] = run->delayed[--run->delayed_count];
        run_pend(run, trial);
    }
    run_set_retry_timer(run);
}

void run_set_retry_timer(struct run *run)
{
    int64_t now = clock_ms(), first = run->final.due_ms > now ? run->final.due_ms : INT64_MAX;
    int i;
    for (i = 0; i < run->delayed_count; i++) {
        if (run->delayed[i]->due_ms < first)
            first = run->delayed[i]->due_ms;
    }
    run->retry.due = retry_due;
    run->retry.context = run;
    loop_clear_timer(run->daemon->loop, &run->retry);
    if (first < INT64_MAX)
        loop_set_timer(run->daemon->loop, &run->retry, first > now ? first - now : 0);
}

void run_delay(struct run *run, struct trial *trial)
{
    trial->state = TRIAL_PENDING;
    trial->due_ms = clock_ms() + run_pause_ms(run, trial->retries);
    run->delayed = xreallocarray(run->delayed, (size_t)run->delayed_count + 1,
                                 sizeof(struct trial *));
    run->delayed[run->delayed_count++] = trial;
    run_set_retry_timer(run);
}

/* Draws the parameters of a new trial and records it; false when the space is used up.  A
 * trial that cannot be configured is recorded and has failed. */
static bool propose(struct run *run, const struct assignment *assignment)
{
    struct daemon *daemon = run->daemon;
    struct failure why = FAILURE_NONE;
    struct trial *trial;
    json_t *parameters = sampler_propose(run->sampler, (uint32_t)assignment->trial);
    int epochs = assignment->to_epoch;
    if (parameters == NULL) {
        run->exhausted = true;
        scheduler_exhausted(run->scheduler, assignment->trial);
        run_take_decisions(run);
        return false;
    }
    trial = trial_new(assignment->trial, run->plan.brackets[assignment->bracket].number,
                      parameters);
    trial->configuration = study_configure(run->study, parameters, run->prepared.classes, &why);
    if (epochs == 0 && trial->configuration != NULL)
        epochs = (int)json_integer_value(json_object_get(
            json_object_get(trial->configuration, "training"), "epochs"));
    trial_set_out(trial, 0, 0, epochs > 0 ? epochs : 1);
    run_add_trial(run, trial);
    if (daemon_recording(daemon))
        store_add_trial(daemon->store, run->id, trial->number, trial->bracket, parameters,
                        trial->configuration, &daemon->broken);
    if (trial->configuration == NULL)
        segment_fail_unconfigurable(run, trial, why.text);
    else
        run_pend(run, trial);
    failure_clear(&why);
    return true;
}

/* The next rung of a trial that was promoted. */
static void go_on(struct run *run, const struct assignment *assignment)
{
    struct trial *trial = run->trials[assignment->trial];
    trial_set_out(trial, assignment->rung, assignment->from_epoch, assignment->to_epoch);
    if (trial->early_end > 0) /* which may promote it once more */
        segment_pass(run, trial);
    else
        run_pend(run, trial);
}

struct trial *run_next(struct run *run)
{
    struct assignment assignment;
    while (run->pending.count == 0 && run->daemon->broken.text == NULL &&
           run->broken.text == NULL &&
           scheduler_next(run->scheduler, &assignment) == SCHEDULER_RUN) {
        if (assignment.rung > 0)
            go_on(run, &assignment);
        else if (!propose(run, &assignment))
            continue;
    }
    return run->pending.count > 0 ? run->trials[heap_first(&run->pending)] : NULL;
}

bool run_has_work(struct run *run)
{
    const struct final *final = &run->final;
    if (!run->begun || run->state != RUN_RUNNING || run->broken.text != NULL)
        return false;
    if (run->workers > 0 && run->segments >= run->workers)
        return false;
    if (final->winner != NULL)
        return !final->evaluated && run->segments == 0 && final->due_ms <= clock_ms();
    return !run->closed && run_next(run) != NULL;
}
