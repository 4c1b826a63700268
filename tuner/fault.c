#include "tuner/engine.h"

#include <math.h>
#include <string.h>

void fault_record(struct slot *slot, const char *kind, const char *reason, const char *action)
{
    struct tuner *tuner = slot->tuner;
    const struct job *job = &slot->job;
    int trial = job->trial != NULL ? job->trial->number : -1;
    if (tuner_recording(tuner))
        store_add_fault(tuner->store, tuner->id, trial, job->attempt, slot->worker_id, kind,
                        reason, action, &tuner->broken);
    if (trial >= 0)
        progress_line(tuner->progress, "trial %d, worker %d: %s: %s (%s)", trial, slot->number,
                      kind, reason, action);
    else
        progress_line(tuner->progress, "worker %d: %s: %s (%s)", slot->number, kind, reason,
                      action);
}

void fault_fail_trial(struct slot *slot, const char *reason)
{
    struct tuner *tuner = slot->tuner;
    struct trial *trial = slot->job.trial;
    segment_end(tuner, &slot->job, "failed", (double)NAN, reason);
    trial->value = (double)NAN;
    trial->state = TRIAL_ENDED;
    slot->job.settled = true;
    scheduler_ended(tuner->scheduler, trial->number, trial->rung, (double)NAN);
    tuner_take_decisions(tuner);
    progress_line(tuner->progress, "trial %d failed: %s", trial->number, reason);
}

/* The segment's worker is at fault: another attempt, or the trial fails. */
static void lose_segment(struct slot *slot, const char *kind, const char *reason)
{
    struct tuner *tuner = slot->tuner;
    struct trial *trial = slot->job.trial;
    bool again = trial->retries < tuner->study->retries;
    fault_record(slot, kind, reason, again ? "retried" : "trial failed");
    if (again) {
        segment_end(tuner, &slot->job, "retry", (double)NAN, reason);
        trial->retries++;
        trial->state = TRIAL_PENDING;
        slot->job.settled = true;
        return;
    }
    fault_fail_trial(slot, reason);
    if (tuner_recording(tuner))
        store_void_study(tuner->store, tuner->id, "a trial failed because its retries were used up",
                         &tuner->broken);
}

static void lose_final(struct slot *slot, const char *kind, const char *reason)
{
    struct tuner *tuner = slot->tuner;
    bool again = tuner->final.retries++ < tuner->study->retries;
    fault_record(slot, kind, reason, again ? "retried" : "study failed");
    slot->job.settled = true;
    if (!again)
        fail(&tuner->broken, "the final training and evaluation failed: %s; run the study again "
                             "to go on from here", reason);
}

void fault_lose_job(struct slot *slot, const char *kind, const char *reason)
{
    if (slot->job.type == JOB_NONE || slot->job.settled)
        fault_record(slot, kind, reason, "worker ended");
    else if (slot->job.type == JOB_SEGMENT)
        lose_segment(slot, kind, reason);
    else
        lose_final(slot, kind, reason);
}

void fault_lose_checkpoint(struct slot *slot, const char *reason)
{
    struct tuner *tuner = slot->tuner;
    fault_record(slot, "checkpoint", reason, "trained again from the start");
    slot->job.settled = true;
    if (slot->job.type == JOB_SEGMENT) {
        segment_end(tuner, &slot->job, "interrupted", (double)NAN, reason);
        tuner_drop_checkpoint(tuner, slot->job.trial);
        slot->job.trial->state = TRIAL_PENDING;
    } else {
        final_drop_checkpoint(tuner);
    }
}

static bool is_of_other_precision(const struct message *message)
{
    return message->where != NULL && strcmp(message->where, "any_precision") == 0;
}

bool fault_is_of_precision(const struct message *message)
{
    return is_of_other_precision(message) ||
           (message->where != NULL && strcmp(message->where, "training.precision") == 0);
}

void fault_lack_precision(struct slot *slot, const struct message *message)
{
    struct tuner *tuner = slot->tuner;
    struct trial *trial = slot->job.trial;
    fault_record(slot, "precision", message->text, "study stopped");
    slot->job.settled = true;
    if (slot->job.type == JOB_SEGMENT) {
        segment_end(tuner, &slot->job, "interrupted", (double)NAN, message->text);
        trial->state = TRIAL_PENDING;
    }
    fail_input(&tuner->broken, "trial %d cannot go on on this machine: %s%s", trial->number,
               message->text,
               is_of_other_precision(message) ? " with tuner run --any-precision" : "");
}

const char *fault_not_finite(const struct message *message)
{
    const char *name;
    json_t *value;
    json_object_foreach(message->metrics, name, value) {
        if (!json_is_number(value))
            return name;
    }
    return NULL;
}

bool fault_is_of_checkpoint(const struct slot *slot, const struct message *message)
{
    bool has_one = slot->job.type == JOB_SEGMENT ? slot->job.trial->checkpoint != NULL
                                                 : slot->job.type == JOB_FINAL_TRAINING &&
                                                       slot->tuner->final.checkpoint != NULL;
    return has_one && message->where != NULL && strcmp(message->where, "read_checkpoint") == 0;
}
