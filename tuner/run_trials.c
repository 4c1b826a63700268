/* A run's trials: how they end, their checkpoints, and what the scheduler decides of them. */
#include "tuner/engine.h"

#include "common/member.h"

#include <math.h>
#include <stdlib.h>

void run_add_trial(struct run *run, struct trial *trial)
{
    if (run->trial_count == run->trial_capacity) {
        run->trial_capacity = run->trial_capacity * 2 + 16;
        run->trials = xreallocarray(run->trials, (size_t)run->trial_capacity,
                                    sizeof(struct trial *));
    }
    run->trials[run->trial_count++] = trial;
}

static void forget_parameters(struct trial *trial)
{
    json_decref(trial->parameters);
    json_decref(trial->configuration);
    trial->parameters = trial->configuration = NULL;
}

void run_end_trial(struct run *run, struct trial *trial)
{
    if (trial->state != TRIAL_ENDED) {
        run->tally.ended++;
        run->tally.failed += isnan(trial->value);
    }
    trial->state = TRIAL_ENDED;
    if (trial != run->best && trial != run->final.winner)
        forget_parameters(trial);
}

void run_recall(struct run *run, struct trial *trial)
{
    json_t *arguments, *rows;
    const json_t *row;
    if (trial->parameters != NULL && trial->configuration != NULL)
        return;
    arguments = json_pack("[s, i]", run->study->name, trial->number);
    rows = store_rows(run->daemon->store, "SELECT parameters, configuration FROM trials "
                                          "WHERE study = ?1 AND trial = ?2", arguments,
                      &run->daemon->broken);
    row = json_array_get(rows, 0);
    forget_parameters(trial);
    trial->parameters = member_parsed(row, "parameters");
    trial->configuration = member_parsed(row, "configuration");
    json_decref(arguments);
    json_decref(rows);
}

/* At a fixed number of epochs only trials that went equally far are compared; with full,
 * each trial went as far as it should.  Of equals the first. */
static bool is_better(const struct run *run, const struct trial *a, const struct trial *b)
{
    if (isnan(a->value) || b == NULL)
        return !isnan(a->value);
    if (run->study->scheduler != SCHEDULER_FULL && a->value_epochs != b->value_epochs)
        return a->value_epochs > b->value_epochs;
    if (value_better(a->value, b->value, run->study->maximize))
        return true;
    return a->number < b->number && !value_better(b->value, a->value, run->study->maximize);
}

void run_note_value(struct run *run, struct trial *trial)
{
    struct trial *before = run->best;
    if (!is_better(run, trial, before))
        return;
    run->best = trial;
    if (before != NULL && before != trial && before->state == TRIAL_ENDED)
        forget_parameters(before);
}

void run_find_best(struct run *run)
{
    int i;
    run->best = NULL;
    for (i = 0; i < run->trial_count; i++)
        run_note_value(run, run->trials[i]);
}

void run_drop_checkpoint(struct run *run, struct trial *trial)
{
    struct daemon *daemon = run->daemon;
    if (trial->checkpoint == NULL)
        return;
    disk_subtract(run, trial);
    daemon_doom(daemon, trial->checkpoint);
    if (daemon_recording(daemon))
        store_forget_checkpoint(daemon->store, run->id, trial->number, trial->checkpoint_epoch,
                                &daemon->broken);
    free(trial->checkpoint);
    trial->checkpoint = NULL;
}

/* Keeps the checkpoints of the best `keep` completed trials. */
static void keep_the_best(struct run *run)
{
    while (run->kept.count > run->study->keep)
        run_drop_checkpoint(run, kept_take_worst(&run->kept));
}

static void carry_out(struct run *run, const struct decision *decision)
{
    struct trial *trial = run->trials[decision->trial];
    switch (decision->verdict) {
    case VERDICT_PROMOTED: /* the scheduler gives out its next segment */
        break;
    case VERDICT_COMPLETED:
        trial->completed = true;
        run_end_trial(run, trial);
        if (trial->checkpoint != NULL)
            kept_add(&run->kept, trial);
        keep_the_best(run);
        break;
    case VERDICT_STOPPED:
    case VERDICT_FAILED:
        run_end_trial(run, trial);
        run_drop_checkpoint(run, trial);
        break;
    }
}

void run_take_decisions(struct run *run)
{
    struct daemon *daemon = run->daemon;
    struct decision decision;
    while (scheduler_decision(run->scheduler, &decision)) {
        if (daemon_recording(daemon))
            store_add_decision(daemon->store, run->id, decision.trial,
                               run->plan.brackets[decision.bracket].number, decision.rung,
                               verdict_name(decision.verdict), decision.rank, decision.reason,
                               &daemon->broken);
        event_decision(run, &decision);
        carry_out(run, &decision);
    }
}

int64_t run_test_images(const struct run *run)
{
    return json_integer_value(json_object_get(run->prepared.shape, "test"));
}
