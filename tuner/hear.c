#include "tuner/engine.h"

#include "tuner/home.h"

#include <stdlib.h>

enum { STALE_MOST = 1000 };

static void become_idle(struct slot *slot)
{
    slot_drop_job(slot);
    slot->state = SLOT_IDLE;
}

static void hear_ready(struct slot *slot, const struct message *message)
{
    if (slot->state != SLOT_STARTING) {
        slot_at_fault(slot, "protocol", "said `ready` twice");
        return;
    }
    if (slot->run != NULL)
        slot->run->start_failures = 0;
    slot->program = xstrdup(message->program);
    slot->arithmetic = xstrdup(message->arithmetic);
    become_idle(slot);
}

/* There is no other attempt at a final training that diverges: it would again. */
static void hear_final_epoch(struct slot *slot, const struct message *message)
{
    const char *name = fault_not_finite(message);
    final_epoch(slot->run, &slot->job, message);
    if (name != NULL) {
        char *reason = xasprintf("the final training diverged: %s is not finite after epoch %d",
                                 name, (int)message->epoch);
        fault_record(slot, "diverged", reason, "study failed");
        slot->job.settled = true;
        fail(&slot->run->broken, "%s; a study with final: {retrain: false} and another name "
                                 "takes the winner as the search left it", reason);
        free(reason);
    }
}

/* What is wrong with an epoch that is said now, to be freed; NULL: nothing. */
static char *epoch_fault(const struct slot *slot, const struct message *message)
{
    const struct job *job = &slot->job;
    const struct study *study = slot->run->study;
    const char *metric = study->metric;
    bool training = job->type == JOB_SEGMENT || job->type == JOB_FINAL_TRAINING;
    if (!training || message->epoch != job->next_epoch || message->epoch > job->to_epoch)
        return xasprintf("epoch %lld out of order", (long long)message->epoch);
    if (job->type == JOB_SEGMENT && json_object_get(message->metrics, metric) == NULL)
        return xasprintf("an epoch without the objective's metric %s", metric);
    /* It will be deleted some day. */
    if (message->checkpoint != NULL &&
        !home_has_checkpoint(slot->daemon->settings.home, study->name, message->checkpoint))
        return xasprintf("a checkpoint elsewhere than it was told to write: %s",
                         message->checkpoint);
    return NULL;
}

static void hear_epoch(struct slot *slot, const struct message *message)
{
    char *reason;
    if (slot->job.settled)
        return;
    reason = epoch_fault(slot, message);
    if (reason != NULL)
        slot_at_fault(slot, "protocol", reason);
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
    return final_lacks(slot->run, &slot->job);
}

static void hear_done(struct slot *slot, const struct message *message)
{
    const struct job *job = &slot->job;
    const char *lack = job->settled ? NULL : missing(slot, message);
    if (lack != NULL) {
        slot_at_fault(slot, "protocol", lack);
        return;
    }
    if (!job->settled && job->type == JOB_SEGMENT)
        segment_done(slot->run, job, message);
    else if (!job->settled)
        final_done(slot->run, &slot->job, message);
    become_idle(slot);
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
                final_drop_checkpoint(slot->run);
        } else {
            fault_record(slot, "error", message->text, "trial failed");
            fault_fail_trial(slot, message->text);
        }
    }
    become_idle(slot);
}

/* Messages about a job: what belongs to an earlier attempt is ignored. */
static void hear_about_job(struct slot *slot, const struct message *message)
{
    struct job *job = &slot->job;
    if (job->type == JOB_NONE || message->trial != job->trial->number ||
        message->attempt > job->attempt) {
        slot_at_fault(slot, "protocol", "spoke of a trial that it does not have");
        return;
    }
    if (message->attempt < job->attempt) {
        if (++job->stale > STALE_MOST)
            slot_at_fault(slot, "protocol", "does not stop speaking of an earlier attempt");
        return;
    }
    slot_set_deadline(slot);
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
                run_test_images(slot->run))
            final_predictions(slot->run, &slot->job, message);
        else
            slot_at_fault(slot, "protocol", "predictions that were not asked for, or out of order");
        break;
    default:
        hear_error(slot, message);
    }
}

void hear_message(void *context, struct worker *worker, const struct message *message)
{
    struct slot *slot = worker_owner(worker);
    (void)context;
    if (slot->state == SLOT_ENDING && slot->job.type == JOB_NONE)
        return;
    if (message->type == MESSAGE_READY)
        hear_ready(slot, message);
    else if (message->type == MESSAGE_DESCRIBED || message->trial < 0)
        slot_at_fault(slot, "protocol", "answered what was not asked");
    else
        hear_about_job(slot, message);
}

void hear_garbage(void *context, struct worker *worker, const char *reason)
{
    (void)context;
    slot_at_fault(worker_owner(worker), "garbage", reason);
}
