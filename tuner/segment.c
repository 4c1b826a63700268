#include "tuner/engine.h"

#include "tuner/home.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- how far ---- */

static bool is_laid_out_by_milestones(const struct trial *trial)
{
    const json_t *over = json_object_get(
        json_object_get(json_object_get(trial->configuration, "training"),
                        "learning_rate_schedule"), "over");
    const char *word = json_string_value(over);
    return word != NULL && strcmp(word, "milestone") == 0;
}

int segment_schedule(const struct tuner *tuner, const struct trial *trial, int to_epoch)
{
    if (is_laid_out_by_milestones(trial) || tuner->study->scheduler == SCHEDULER_FULL)
        return to_epoch;
    return tuner->study->max_epochs;
}

int segment_pause(const struct tuner *tuner, const struct trial *trial, int from, int to)
{
    int b, r;
    if (!is_laid_out_by_milestones(trial))
        return to;
    for (b = 0; b < tuner->plan.bracket_count; b++) {
        const struct bracket_plan *bracket = &tuner->plan.brackets[b];
        for (r = 0; bracket->number == trial->bracket && r < bracket->rung_count; r++) {
            if (bracket->rungs[r].epochs > from && bracket->rungs[r].epochs < to)
                return bracket->rungs[r].epochs;
        }
    }
    return to;
}

/* ---- given to a worker ---- */

static json_t *segment_message(const struct tuner *tuner, const struct trial *trial,
                               const struct job *job)
{
    char *folder = home_checkpoints(tuner->options->home, tuner->study->name);
    char *prefix = xasprintf("%s/%d", folder, trial->number);
    json_t *message = json_pack(
        "{s:s, s:i, s:i, s:O, s:O, s:O, s:O, s:O, s:i, s:i, s:i, s:i, s:s?, s:s}", "type", "run",
        "trial", trial->number, "attempt", trial->attempt, "seed",
        json_object_get(tuner->prepared.data, "seed"), "parameters", trial->parameters, "model",
        json_object_get(trial->configuration, "model"), "training",
        json_object_get(trial->configuration, "training"), "data", tuner->prepared.data,
        "threads", tuner->study->threads, "schedule_epochs",
        segment_schedule(tuner, trial, job->to_epoch), "from_epoch", job->next_epoch - 1,
        "to_epoch", job->to_epoch, "read_checkpoint", trial->checkpoint, "write_checkpoint",
        prefix);
    if (tuner->options->any_precision)
        json_object_set_new(message, "any_precision", json_true());
    free(prefix);
    free(folder);
    return message;
}

void segment_give(struct tuner *tuner, struct slot *slot, struct trial *trial)
{
    struct job job = {.type = JOB_SEGMENT, .trial = trial, .attempt = ++trial->attempt};
    int from = trial->checkpoint != NULL ? trial->checkpoint_epoch : 0;
    job.next_epoch = from + 1;
    job.to_epoch = segment_pause(tuner, trial, from, trial->to_epoch);
    trial->state = TRIAL_RUNNING;
    if (tuner_recording(tuner))
        store_begin_segment(tuner->store, tuner->id, trial->number, trial->rung, job.attempt,
                            trial->from_epoch, trial->to_epoch, slot->worker_id, &tuner->broken);
    slot_give(slot, &job, segment_message(tuner, trial, &job));
}

/* ---- what its worker says ---- */

static void record_epoch(struct slot *slot, const struct message *message)
{
    struct tuner *tuner = slot->tuner;
    struct epoch_record record = {slot->job.trial->number, (int)message->epoch, slot->job.attempt,
                                  message->metrics, message->checkpoint, message->seconds};
    bool differs = false;
    if (tuner_recording(tuner))
        store_add_epoch(tuner->store, tuner->id, &record, &differs, &tuner->broken);
    if (message->arithmetic != NULL && tuner_recording(tuner))
        store_set_arithmetic(tuner->store, tuner->id, record.trial, slot->job.trial->rung,
                             record.attempt, message->arithmetic, &tuner->broken);
    if (differs)
        fault_record(slot, "differs", "an epoch that was run again came out differently",
                     "first result kept");
}

void segment_epoch(struct slot *slot, const struct message *message)
{
    struct tuner *tuner = slot->tuner;
    struct trial *trial = slot->job.trial;
    const json_t *metric = json_object_get(message->metrics, tuner->study->metric);
    const char *name = fault_not_finite(message);
    record_epoch(slot, message);
    slot->job.next_epoch++;
    if (name != NULL) {
        char *reason = xasprintf("diverged: %s is not finite after epoch %d", name,
                                 (int)message->epoch);
        fault_record(slot, "diverged", reason, "trial failed");
        fault_fail_trial(slot, reason);
        free(reason);
        return;
    }
    if (trial->checkpoint != NULL && message->checkpoint != NULL &&
        strcmp(trial->checkpoint, message->checkpoint) != 0)
        tuner_drop_checkpoint(tuner, trial);
    trial_advance(trial, (int)message->epoch, json_number_value(metric), tuner->study->maximize,
                  message->checkpoint);
}

static bool may_stop_early(const struct trial *trial)
{
    const json_t *training = json_object_get(trial->configuration, "training");
    return json_object_get(training, "early_stopping") != NULL;
}

const char *segment_lacks(const struct job *job, const struct message *message)
{
    int last = job->next_epoch - 1;
    if (!message->stopped_early)
        return last < job->to_epoch ? "said `done` before its last epoch" : NULL;
    if (!may_stop_early(job->trial))
        return "stopped early without `early_stopping` among its settings";
    if (last == 0)
        return "stopped early before its first epoch";
    return last < job->trial->epochs ? "stopped early before an epoch that it had trained" : NULL;
}

/* ---- its end ---- */

void segment_end(struct tuner *tuner, const struct job *job, const char *state, double value,
                 const char *reason)
{
    if (tuner_recording(tuner))
        store_end_segment(tuner->store, tuner->id, job->trial->number, job->trial->rung,
                          job->attempt, state, value, reason, &tuner->broken);
}

/* The trial has its value at its milestone: the scheduler decides. */
static void reach_milestone(struct tuner *tuner, struct trial *trial)
{
    trial->value_epochs = trial->to_epoch;
    trial->state = TRIAL_PAUSED;
    scheduler_ended(tuner->scheduler, trial->number, trial->rung, trial->value);
    tuner_take_decisions(tuner);
}

static void end_well(struct tuner *tuner, const struct job *job)
{
    struct trial *trial = job->trial;
    int epochs = job->next_epoch - 1;
    const char *reason = trial->early_end > 0 ? "stopped early" : NULL;
    trial->value = tuner->study->take_best ? trial->best : trial->latest;
    segment_end(tuner, job, "ended", trial->value, reason);
    progress_line(tuner->progress, "trial %d: %s %.4f after %d epoch%s%s", trial->number,
                  tuner->study->metric, trial->value, epochs, epochs == 1 ? "" : "s",
                  trial->early_end > 0 ? ", stopped early" : "");
    reach_milestone(tuner, trial);
}

static void end_early(struct tuner *tuner, const struct job *job)
{
    struct trial *trial = job->trial;
    trial->early_end = job->next_epoch - 1;
    if (tuner_recording(tuner))
        store_set_early_end(tuner->store, tuner->id, trial->number, trial->early_end,
                            &tuner->broken);
    end_well(tuner, job);
}

/* What was trained again, because its checkpoint was lost, has come to an earlier rung's
 * end: the rest is the next attempt's. */
static void pause_again(struct tuner *tuner, const struct job *job)
{
    segment_end(tuner, job, "interrupted", (double)NAN, "trained again up to an earlier milestone");
    job->trial->state = TRIAL_PENDING;
}

void segment_done(struct tuner *tuner, const struct job *job, const struct message *message)
{
    if (message->stopped_early)
        end_early(tuner, job);
    else if (job->to_epoch < job->trial->to_epoch)
        pause_again(tuner, job);
    else
        end_well(tuner, job);
}

/* ---- without a worker ---- */

static void record_unrun(struct tuner *tuner, struct trial *trial, const char *state,
                         const char *reason)
{
    const struct job job = {.trial = trial, .attempt = ++trial->attempt};
    if (tuner_recording(tuner))
        store_begin_segment(tuner->store, tuner->id, trial->number, trial->rung, job.attempt,
                            trial->from_epoch, trial->to_epoch, 0, &tuner->broken);
    segment_end(tuner, &job, state, trial->value, reason);
}

void segment_fail_unconfigurable(struct tuner *tuner, struct trial *trial, const char *reason)
{
    record_unrun(tuner, trial, "failed", reason);
    trial->state = TRIAL_ENDED;
    scheduler_ended(tuner->scheduler, trial->number, trial->rung, (double)NAN);
    tuner_take_decisions(tuner);
}

void segment_pass(struct tuner *tuner, struct trial *trial)
{
    char *reason = xasprintf("not run: stopped early after epoch %d", trial->early_end);
    record_unrun(tuner, trial, "ended", reason);
    reach_milestone(tuner, trial);
    free(reason);
}
