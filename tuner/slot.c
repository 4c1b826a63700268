#include "tuner/engine.h"

#include <math.h>
#include <stdlib.h>

enum { START_FAILURES_MAX = 3, READY_SECONDS = 60 };

/* ---- what ends a worker before its time ---- */

static void kill_worker(struct slot *slot)
{
    slot->state = SLOT_ENDING;
    slot->kill = true;
    slot->job = (struct job){.type = JOB_NONE};
    loop_clear_timer(slot->tuner->loop, &slot->deadline);
}

/* A trainer that does not even start ends the study: trying for ever helps nobody. */
static void count_start_failure(struct slot *slot, const char *reason)
{
    struct tuner *tuner = slot->tuner;
    if (slot->state == SLOT_STARTING && ++tuner->start_failures >= START_FAILURES_MAX)
        fail(&tuner->broken, "workers cannot start: the trainer %s; see %s/logs/worker-%d.log",
             reason, tuner->options->home, slot->number);
}

/* The worker may be in any state now: what it had is lost, and it is ended. */
static void at_fault(struct slot *slot, const char *kind, const char *reason)
{
    if (slot->state == SLOT_ENDING)
        return;
    fault_lose_job(slot, kind, reason);
    count_start_failure(slot, reason);
    kill_worker(slot);
}

static void deadline_passed(struct timer *timer, void *context)
{
    struct slot *slot = context;
    char *reason = xasprintf("said nothing for %g s",
                             slot->state == SLOT_STARTING ? READY_SECONDS
                                                          : slot->tuner->study->epoch_seconds);
    (void)timer;
    at_fault(slot, "hung", reason);
    free(reason);
}

static void set_deadline(struct slot *slot)
{
    double seconds = slot->state == SLOT_STARTING ? READY_SECONDS
                                                  : slot->tuner->study->epoch_seconds;
    slot->deadline.due = deadline_passed;
    slot->deadline.context = slot;
    loop_set_timer(slot->tuner->loop, &slot->deadline, (int64_t)(seconds * 1e3));
}

/* ---- what workers say ---- */

static void free_slot(struct slot *slot)
{
    slot->job = (struct job){.type = JOB_NONE};
    slot->state = SLOT_IDLE;
    loop_clear_timer(slot->tuner->loop, &slot->deadline);
}

static void hear_ready(struct slot *slot, const struct message *message)
{
    struct tuner *tuner = slot->tuner;
    if (slot->state != SLOT_STARTING) {
        at_fault(slot, "protocol", "said `ready` twice");
        return;
    }
    tuner->start_failures = 0;
    if (tuner_recording(tuner))
        store_add_worker(tuner->store, tuner->id, worker_pid(slot->worker), message->program,
                         message->arithmetic, &slot->worker_id, &tuner->broken);
    free_slot(slot);
}

/* There is no other attempt at a final training that diverges: it would again. */
static void hear_final_epoch(struct slot *slot, const struct message *message)
{
    const char *name = fault_not_finite(message);
    final_epoch(slot->tuner, &slot->job, message);
    if (name != NULL) {
        char *reason = xasprintf("the final training diverged: %s is not finite after epoch %d",
                                 name, (int)message->epoch);
        fault_record(slot, "diverged", reason, "study failed");
        slot->job.settled = true;
        fail(&slot->tuner->broken, "%s; a study with final: {retrain: false} and another name "
                                   "takes the winner as the search left it", reason);
        free(reason);
    }
}

/* What is wrong with an epoch that is said now, to be freed; NULL: nothing. */
static char *epoch_fault(const struct slot *slot, const struct message *message)
{
    const struct job *job = &slot->job;
    const char *metric = slot->tuner->study->metric;
    bool training = job->type == JOB_SEGMENT || job->type == JOB_FINAL_TRAINING;
    if (!training || message->epoch != job->next_epoch || message->epoch > job->to_epoch)
        return xasprintf("epoch %lld out of order", (long long)message->epoch);
    if (job->type == JOB_SEGMENT && json_object_get(message->metrics, metric) == NULL)
        return xasprintf("an epoch without the objective's metric %s", metric);
    return NULL;
}

static void hear_epoch(struct slot *slot, const struct message *message)
{
    char *reason;
    if (slot->job.settled)
        return;
    reason = epoch_fault(slot, message);
    if (reason != NULL)
        at_fault(slot, "protocol", reason);
    else if (slot->job.type == JOB_SEGMENT)
        segment_epoch(slot, message);
    else
        hear_final_epoch(slot, message);
    free(reason);
}

/* What is missing of a job whose worker says that it is done; NULL: nothing. */
static const char *missing(const struct slot *slot, const struct message *message)
{
    if (slot->job.type == JOB_SEGMENT)
        return segment_lacks(&slot->job, message);
    return final_lacks(slot->tuner, &slot->job);
}

static void hear_done(struct slot *slot, const struct message *message)
{
    const struct job *job = &slot->job;
    const char *lack = job->settled ? NULL : missing(slot, message);
    if (lack != NULL) {
        at_fault(slot, "protocol", lack);
        return;
    }
    if (!job->settled && job->type == JOB_SEGMENT)
        segment_done(slot->tuner, job, message);
    else if (!job->settled)
        final_done(slot->tuner, &slot->job, message);
    free_slot(slot);
}

static void hear_error(struct slot *slot, const struct message *message)
{
    if (!slot->job.settled) {
        if (fault_is_of_precision(message)) {
            fault_lack_precision(slot, message);
        } else if (fault_is_of_checkpoint(slot, message)) {
            fault_lose_checkpoint(slot, message->text);
        } else if (message->retry || slot->job.type != JOB_SEGMENT) {
            fault_lose_job(slot, "error", message->text);
            /* The same file would be refused again; trained again it may be whole. */
            if (slot->job.type == JOB_FINAL_EVALUATION && !message->retry)
                final_drop_checkpoint(slot->tuner);
        } else {
            fault_record(slot, "error", message->text, "trial failed");
            fault_fail_trial(slot, message->text);
        }
    }
    free_slot(slot);
}

/* Messages about a job: what belongs to an earlier attempt is ignored. */
static void hear_about_job(struct slot *slot, const struct message *message)
{
    const struct job *job = &slot->job;
    if (job->type == JOB_NONE || message->trial != job->trial->number ||
        message->attempt > job->attempt) {
        at_fault(slot, "protocol", "spoke of a trial that it does not have");
        return;
    }
    if (message->attempt < job->attempt)
        return;
    set_deadline(slot);
    switch (message->type) {
    case MESSAGE_EPOCH:
        hear_epoch(slot, message);
        break;
    case MESSAGE_DONE:
        hear_done(slot, message);
        break;
    case MESSAGE_PREDICTIONS:
        if (job->type == JOB_FINAL_EVALUATION && message->first == job->next_image &&
            job->next_image + (int64_t)json_array_size(message->labels) <=
                tuner_test_images(slot->tuner))
            final_predictions(slot->tuner, &slot->job, message);
        else
            at_fault(slot, "protocol", "predictions that were not asked for, or out of order");
        break;
    default:
        hear_error(slot, message);
    }
}

static void hear(void *context, struct worker *worker, const struct message *message)
{
    struct slot *slot = worker_owner(worker);
    (void)context;
    if (slot->state == SLOT_ENDING && slot->job.type == JOB_NONE)
        return;
    if (message->type == MESSAGE_READY)
        hear_ready(slot, message);
    else if (message->type == MESSAGE_DESCRIBED || message->trial < 0)
        at_fault(slot, "protocol", "answered what was not asked");
    else
        hear_about_job(slot, message);
}

static void hear_garbage(void *context, struct worker *worker, const char *reason)
{
    (void)context;
    at_fault(worker_owner(worker), "garbage", reason);
}

/* ---- beginning and end of workers ---- */

/* A worker that was told to stop: its segment goes on in the next run. */
static void interrupt_job(struct slot *slot)
{
    struct trial *trial = slot->job.trial;
    if (slot->job.type != JOB_SEGMENT || slot->job.settled)
        return;
    segment_end(slot->tuner, &slot->job, "interrupted", (double)NAN, NULL);
    trial->state = TRIAL_PENDING;
}

void slot_record_end(struct slot *slot, const char *reason)
{
    struct tuner *tuner = slot->tuner;
    interrupt_job(slot);
    if (slot->worker_id != 0 && tuner_recording(tuner))
        store_end_worker(tuner->store, slot->worker_id, reason, &tuner->broken);
    slot->worker_id = 0;
}

/* Under a limit of memory the same configuration would end the same way. */
static void lose_worker(struct slot *slot, const char *reason)
{
    const struct job *job = &slot->job;
    bool too_large = worker_out_of_memory(slot->worker) &&
                     slot->tuner->study->worker_limits.memory_mb > 0;
    if (too_large && job->type == JOB_SEGMENT && !job->settled) {
        fault_record(slot, "memory", reason, "trial failed");
        fault_fail_trial(slot, reason);
    } else {
        fault_lose_job(slot, "crashed", reason);
    }
}

static void hear_end(void *context, struct worker *worker, const char *reason)
{
    struct slot *slot = worker_owner(worker);
    struct tuner *tuner = slot->tuner;
    (void)context;
    if (tuner->interrupts == 0 && slot->state != SLOT_ENDING) {
        lose_worker(slot, reason);
        count_start_failure(slot, reason);
    }
    slot_record_end(slot, reason);
    loop_clear_timer(tuner->loop, &slot->deadline);
    json_decref(slot->unsaid);
    *slot = (struct slot){.tuner = tuner, .number = slot->number, .state = SLOT_EMPTY};
}

struct launcher_events slot_events(struct tuner *tuner)
{
    return (struct launcher_events){hear, hear_garbage, hear_end, tuner};
}

void slot_give(struct slot *slot, const struct job *job, json_t *message)
{
    slot->job = *job;
    slot->state = SLOT_BUSY;
    json_decref(slot->unsaid);
    slot->unsaid = message;
}

/* The epoch in hand is finished, then the worker ends by itself. */
void slot_stop(struct slot *slot)
{
    if (slot->worker == NULL || slot->state == SLOT_ENDING)
        return;
    if (slot->state == SLOT_BUSY && slot->job.type != JOB_FINAL_EVALUATION) {
        json_decref(slot->unsaid);
        slot->unsaid = json_pack("{s:s}", "type", "stop");
    } else {
        interrupt_job(slot);
        kill_worker(slot);
    }
}

/* A job that does not say how many threads it takes may take any. */
static void say(struct slot *slot, const json_t *message)
{
    struct tuner *tuner = slot->tuner;
    json_int_t threads = json_integer_value(json_object_get(message, "threads"));
    worker_give_cores(slot->worker, tuner->slot_count, (int)threads);
    worker_send(slot->worker, message);
    set_deadline(slot);
}

void slot_act(struct slot *slot, bool wanted)
{
    struct tuner *tuner = slot->tuner;
    if (slot->kill && slot->worker != NULL) {
        worker_kill(slot->worker);
        slot->kill = false;
    }
    if (slot->state == SLOT_EMPTY && wanted) {
        slot->worker = launcher_start(tuner->launcher, slot->number, slot, &tuner->broken);
        slot->state = SLOT_STARTING;
        set_deadline(slot);
    }
    if (slot->unsaid != NULL) {
        say(slot, slot->unsaid);
        json_decref(slot->unsaid);
        slot->unsaid = NULL;
    }
}
