#include "tuner/engine.h"

#include "tuner/home.h"
#include "tuner/recorded.h"

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

int segment_schedule(const struct run *run, const struct trial *trial, int to_epoch)
{
    if (is_laid_out_by_milestones(trial) || run->study->scheduler == SCHEDULER_FULL)
        return to_epoch;
    return run->study->max_epochs;
}

int segment_pause(const struct run *run, const struct trial *trial, int from, int to)
{
    int b, r;
    if (!is_laid_out_by_milestones(trial))
        return to;
    for (b = 0; b < run->plan.bracket_count; b++) {
        const struct bracket_plan *bracket = &run->plan.brackets[b];
        for (r = 0; bracket->number == trial->bracket && r < bracket->rung_count; r++) {
            if (bracket->rungs[r].epochs > from && bracket->rungs[r].epochs < to)
                return bracket->rungs[r].epochs;
        }
    }
    return to;
}

/* ---- given to a worker ---- */

static json_t *segment_message(const struct run *run, const struct trial *trial,
                               const struct job *job)
{
    char *folder = home_checkpoints(run->daemon->settings.home, run->study->name);
    char *prefix = xasprintf("%s/%d", folder, trial->number);
    json_t *message = json_pack(
        "{s:s, s:i, s:i, s:O, s:O, s:O, s:O, s:O, s:i, s:i, s:i, s:i, s:s?, s:s}", "type", "run",
        "trial", trial->number, "attempt", trial->attempt, "seed",
        json_object_get(run->prepared.data, "seed"), "parameters", trial->parameters, "model",
        json_object_get(trial->configuration, "model"), "training",
        json_object_get(trial->configuration, "training"), "data", run->prepared.data,
        "threads", run->study->threads, "schedule_epochs",
        segment_schedule(run, trial, job->to_epoch), "from_epoch", job->next_epoch - 1,
        "to_epoch", job->to_epoch, "read_checkpoint", trial->checkpoint, "write_checkpoint",
        prefix);
    if (run->any_precision)
        json_object_set_new(message, "any_precision", json_true());
    free(prefix);
    free(folder);
    return message;
}

static void record_begin(struct run *run, const struct trial *trial, const struct job *job,
                         int64_t worker)
{
    struct daemon *daemon = run->daemon;
    if (daemon_recording(daemon))
        store_begin_segment(daemon->store, run->id, trial->number, trial->rung, job->attempt,
                            trial->from_epoch, trial->to_epoch, worker, &daemon->broken);
}

void segment_give(struct run *run, struct slot *slot, struct trial *trial)
{
    struct job job = {.type = JOB_SEGMENT, .trial = trial, .attempt = ++trial->attempt};
    bool outside = run->study->outside;
    int from = trial->checkpoint != NULL ? trial->checkpoint_epoch : 0;
    uint64_t first;
    if (outside) /* what it needs to go on it has kept itself */
        from = trial->from_epoch;
    heap_pop(&run->pending, &first);
    run_recall(run, trial);
    if (!outside)
        recorded_check_trial(run, trial);
    job.next_epoch = from + 1;
    job.to_epoch = segment_pause(run, trial, from, trial->to_epoch);
    trial->state = TRIAL_RUNNING;
    slot_serve(slot, run);
    record_begin(run, trial, &job, slot->worker_id);
    slot_give(slot, &job, outside ? NULL : segment_message(run, trial, &job));
}

/* ---- what its worker says ---- */

static void record_arithmetic(struct run *run, const struct job *job,
                              const struct message *message)
{
    struct daemon *daemon = run->daemon;
    if (message->arithmetic != NULL && daemon_recording(daemon))
        store_set_arithmetic(daemon->store, run->id, job->trial->number, job->trial->rung,
                             job->attempt, message->arithmetic, &daemon->broken);
}

static void record_epoch(struct slot *slot, const struct message *message)
{
    struct daemon *daemon = slot->daemon;
    struct epoch_record record = {slot->job.trial->number, (int)message->epoch, slot->job.attempt,
                                  message->metrics, message->checkpoint, message->seconds};
    bool differs = false;
    if (daemon_recording(daemon))
        store_add_epoch(daemon->store, slot->run->id, &record, &differs, &daemon->broken);
    record_arithmetic(slot->run, &slot->job, message);
    event_epoch(slot, message);
    if (differs)
        fault_record(slot, "differs", "an epoch that was run again came out differently",
                     "first result kept");
}

void segment_epoch(struct slot *slot, const struct message *message)
{
    struct run *run = slot->run;
    struct trial *trial = slot->job.trial;
    const json_t *metric = json_object_get(message->metrics, run->study->metric);
    const char *name = fault_not_finite(message);
    record_epoch(slot, message);
    slot->job.next_epoch = (int)message->epoch + 1;
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
        run_drop_checkpoint(run, trial);
    run->tally.epochs -= trial->epochs;
    trial_advance(trial, (int)message->epoch, json_number_value(metric), run->study->maximize,
                  message->checkpoint);
    run->tally.epochs += trial->epochs;
    if (message->checkpoint != NULL)
        disk_add(run, trial);
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

void segment_end(struct run *run, const struct job *job, const char *state, double value,
                 const char *reason)
{
    struct daemon *daemon = run->daemon;
    if (daemon_recording(daemon))
        store_end_segment(daemon->store, run->id, job->trial->number, job->trial->rung,
                          job->attempt, state, value, reason, &daemon->broken);
    event_segment(run, job, state, value, reason);
}

/* The trial has its value at its milestone: the scheduler decides. */
static void reach_milestone(struct run *run, struct trial *trial)
{
    int known = trial->value_epochs > trial->early_end ? trial->value_epochs : trial->early_end;
    if (trial->early_end > 0)
        run->tally.spared += trial->to_epoch - known;
    trial->value_epochs = trial->to_epoch;
    trial->state = TRIAL_PAUSED;
    run_note_value(run, trial);
    scheduler_ended(run->scheduler, trial->number, trial->rung, trial->value);
    run_take_decisions(run);
}

static void end_well(struct run *run, const struct job *job)
{
    struct trial *trial = job->trial;
    int epochs = job->next_epoch - 1;
    const char *reason = trial->early_end > 0 ? "stopped early" : NULL;
    trial->value = run->study->take_best ? trial->best : trial->latest;
    segment_end(run, job, "ended", trial->value, reason);
    event_line(run->daemon, run, "trial %d: %s %.4f after %d epoch%s%s", trial->number,
               run->study->metric, trial->value, epochs, epochs == 1 ? "" : "s",
               trial->early_end > 0 ? ", stopped early" : "");
    reach_milestone(run, trial);
}

static void end_early(struct run *run, const struct job *job)
{
    struct trial *trial = job->trial;
    trial->early_end = job->next_epoch - 1;
    if (daemon_recording(run->daemon))
        store_set_early_end(run->daemon->store, run->id, trial->number, trial->early_end,
                            &run->daemon->broken);
    end_well(run, job);
}

/* What was trained again, because its checkpoint was lost, has come to an earlier rung's
 * end: the rest is the next attempt's. */
static void pause_again(struct run *run, const struct job *job)
{
    segment_end(run, job, "interrupted", (double)NAN, "trained again up to an earlier milestone");
    run_pend(run, job->trial);
}

void segment_done(struct run *run, const struct job *job, const struct message *message)
{
    record_arithmetic(run, job, message);
    if (message->stopped_early)
        end_early(run, job);
    else if (job->to_epoch < job->trial->to_epoch)
        pause_again(run, job);
    else
        end_well(run, job);
}

/* ---- without a worker ---- */

static void record_unrun(struct run *run, struct trial *trial, const char *state,
                         const char *reason)
{
    const struct job job = {.trial = trial, .attempt = ++trial->attempt};
    record_begin(run, trial, &job, 0);
    segment_end(run, &job, state, trial->value, reason);
}

void segment_fail_unconfigurable(struct run *run, struct trial *trial, const char *reason)
{
    record_unrun(run, trial, "failed", reason);
    run_end_trial(run, trial);
    scheduler_ended(run->scheduler, trial->number, trial->rung, (double)NAN);
    run_take_decisions(run);
}

void segment_pass(struct run *run, struct trial *trial)
{
    char *reason = xasprintf("not run: stopped early after epoch %d", trial->early_end);
    record_unrun(run, trial, "ended", reason);
    reach_milestone(run, trial);
    free(reason);
}
