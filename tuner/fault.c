#include "tuner/engine.h"

#include <math.h>
#include <string.h>

void fault_record(struct slot *slot, const char *kind, const char *reason, const char *action)
{
    struct daemon *daemon = slot->daemon;
    const struct run *run = slot->run;
    const struct job *job = &slot->job;
    int trial = job->trial != NULL ? job->trial->number : -1;
    if (run != NULL && daemon_recording(daemon))
        store_add_fault(daemon->store, run->id, trial, job->attempt, slot->worker_id, kind,
                        reason, action, &daemon->broken);
    event_fault(slot, kind, reason, action);
    if (trial >= 0 && slot->number < 0)
        event_warn(daemon, run, "trial %d: %s: %s (%s)", trial, kind, reason, action);
    else if (trial >= 0)
        event_warn(daemon, run, "trial %d, worker %d: %s: %s (%s)", trial, slot->number, kind,
                   reason, action);
    else
        event_warn(daemon, run, "worker %d: %s: %s (%s)", slot->number, kind, reason, action);
}

void fault_fail_trial(struct slot *slot, const char *reason)
{
    struct run *run = slot->run;
    struct trial *trial = slot->job.trial;
    segment_end(run, &slot->job, "failed", (double)NAN, reason);
    trial->value = (double)NAN;
    if (run->best == trial)
        run_find_best(run);
    run_end_trial(run, trial);
    slot->job.settled = true;
    scheduler_ended(run->scheduler, trial->number, trial->rung, (double)NAN);
    run_take_decisions(run);
    event_warn(run->daemon, run, "trial %d failed: %s", trial->number, reason);
}

/* The segment's worker is at fault: another attempt, or the trial fails. */
static void lose_segment(struct slot *slot, const char *kind, const char *reason)
{
    struct run *run = slot->run;
    struct trial *trial = slot->job.trial;
    bool again = trial->retries < run->study->retries;
    fault_record(slot, kind, reason, again ? "retried" : "trial failed");
    if (again) {
        segment_end(run, &slot->job, "retry", (double)NAN, reason);
        trial->retries++;
        run_delay(run, trial);
        slot->job.settled = true;
        return;
    }
    fault_fail_trial(slot, reason);
    if (daemon_recording(slot->daemon))
        store_void_study(slot->daemon->store, run->id,
                         "a trial failed because its retries were used up",
                         &slot->daemon->broken);
}

static void lose_final(struct slot *slot, const char *kind, const char *reason)
{
    struct run *run = slot->run;
    bool again = run->final.retries++ < run->study->retries;
    fault_record(slot, kind, reason, again ? "retried" : "study failed");
    slot->job.settled = true;
    if (again) {
        run->final.due_ms = clock_ms() + run_pause_ms(run, run->final.retries);
        run_set_retry_timer(run);
        return;
    }
    fail(&run->broken, "the final training and evaluation failed: %s; run the study again to go "
                       "on from here", reason);
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
    struct run *run = slot->run;
    fault_record(slot, "checkpoint", reason, "trained again from the start");
    slot->job.settled = true;
    if (slot->job.type == JOB_SEGMENT) {
        segment_end(run, &slot->job, "interrupted", (double)NAN, reason);
        run_drop_checkpoint(run, slot->job.trial);
        run_pend(run, slot->job.trial);
    } else {
        final_drop_checkpoint(run);
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
    struct run *run = slot->run;
    struct trial *trial = slot->job.trial;
    fault_record(slot, "precision", message->text, "study stopped");
    slot->job.settled = true;
    if (slot->job.type == JOB_SEGMENT) {
        segment_end(run, &slot->job, "interrupted", (double)NAN, message->text);
        run_pend(run, trial);
    }
    fail_input(&run->broken, "trial %d cannot go on on this machine: %s%s", trial->number,
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
                                                       slot->run->final.checkpoint != NULL;
    return has_one && message->where != NULL && strcmp(message->where, "read_checkpoint") == 0;
}
