#include "tuner/engine.h"

#include "tuner/home.h"

#include <math.h>
#include <stdlib.h>

enum { START_FAILURES_MAX = 3, READY_SECONDS = 60 };

/* ---- what ends a worker before its time ---- */

void slot_drop_job(struct slot *slot)
{
    if (slot->job.type != JOB_NONE)
        slot->run->segments--;
    slot->job = (struct job){.type = JOB_NONE};
    loop_clear_timer(slot->daemon->loop, &slot->deadline);
}

static void kill_worker(struct slot *slot)
{
    slot->state = SLOT_ENDING;
    slot->kill = true;
    slot_drop_job(slot);
}

/* A trainer that does not even start ends the study: trying for ever helps nobody. */
static void count_start_failure(struct slot *slot, const char *reason)
{
    struct run *run = slot->run;
    if (slot->state == SLOT_STARTING && run != NULL &&
        ++run->start_failures >= START_FAILURES_MAX)
        fail(&run->broken, "workers cannot start: the trainer %s; see %s/logs/worker-%d.log",
             reason, slot->daemon->settings.home, slot->number);
}

void slot_at_fault(struct slot *slot, const char *kind, const char *reason)
{
    if (slot->state == SLOT_ENDING)
        return;
    fault_lose_job(slot, kind, reason);
    count_start_failure(slot, reason);
    kill_worker(slot);
}

static double seconds_allowed(const struct slot *slot)
{
    return slot->state == SLOT_STARTING || slot->run == NULL ? READY_SECONDS
                                                             : slot->run->study->epoch_seconds;
}

static void deadline_passed(struct timer *timer, void *context)
{
    struct slot *slot = context;
    char *reason = xasprintf("said nothing for %g s", seconds_allowed(slot));
    (void)timer;
    if (slot->number < 0)
        outside_take_back(slot, reason);
    else
        slot_at_fault(slot, "hung", reason);
    free(reason);
}

void slot_set_deadline(struct slot *slot)
{
    slot->deadline.due = deadline_passed;
    slot->deadline.context = slot;
    loop_set_timer(slot->daemon->loop, &slot->deadline, (int64_t)(seconds_allowed(slot) * 1e3));
}

/* ---- beginning and end of workers ---- */

/* What it has in hand can be gone on with. */
static void interrupt_job(struct slot *slot)
{
    if (slot->job.type != JOB_SEGMENT || slot->job.settled)
        return;
    segment_end(slot->run, &slot->job, "interrupted", (double)NAN, NULL);
    run_pend(slot->run, slot->job.trial);
    slot->job.settled = true;
}

void slot_leave(struct slot *slot, const char *reason)
{
    struct daemon *daemon = slot->daemon;
    interrupt_job(slot);
    slot_drop_job(slot);
    if (slot->worker_id != 0 && daemon_recording(daemon))
        store_end_worker(daemon->store, slot->worker_id, reason, &daemon->broken);
    slot->worker_id = 0;
    slot->run = NULL;
}

void slot_serve(struct slot *slot, struct run *run)
{
    struct daemon *daemon = slot->daemon;
    if (slot->run != run && slot->run != NULL)
        slot_leave(slot, "went over to another study");
    slot->run = run;
    if (slot->worker != NULL && slot->worker_id == 0 && daemon_recording(daemon))
        store_add_worker(daemon->store, run->id, worker_pid(slot->worker), slot->program,
                         slot->arithmetic, &slot->worker_id, &daemon->broken);
}

/* As it was before it had a worker. */
static void clear(struct slot *slot)
{
    loop_clear_timer(slot->daemon->loop, &slot->deadline);
    json_decref(slot->unsaid);
    free(slot->program);
    free(slot->arithmetic);
    *slot = (struct slot){.daemon = slot->daemon, .number = slot->number, .state = SLOT_EMPTY};
}

void slot_free(struct slot *slot)
{
    clear(slot);
    free(slot);
}

/* Under a limit of memory the same configuration would end the same way. */
static void lose_worker(struct slot *slot, const char *reason)
{
    const struct job *job = &slot->job;
    bool too_large = worker_out_of_memory(slot->worker) && slot->run != NULL &&
                     slot->run->limits.memory_mb > 0;
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
    (void)context;
    if (slot->daemon->ending == 0 && slot->state != SLOT_ENDING) {
        lose_worker(slot, reason);
        count_start_failure(slot, reason);
    }
    slot_leave(slot, reason);
    clear(slot);
}

struct launcher_events slot_events(struct daemon *daemon)
{
    return (struct launcher_events){hear_message, hear_garbage, hear_end, daemon};
}

void slot_give(struct slot *slot, const struct job *job, json_t *message)
{
    slot->job = *job;
    slot->state = SLOT_BUSY;
    slot->run->segments++;
    json_decref(slot->unsaid);
    slot->unsaid = message;
}

void slot_stop(struct slot *slot)
{
    if (slot->worker == NULL || slot->state == SLOT_ENDING)
        return;
    if (slot->state == SLOT_BUSY && slot->job.type != JOB_FINAL_EVALUATION) {
        json_decref(slot->unsaid);
        slot->unsaid = json_pack("{s:s}", "type", "stop");
    } else {
        slot_cancel(slot);
    }
}

void slot_cancel(struct slot *slot)
{
    interrupt_job(slot);
    if (slot->worker != NULL)
        kill_worker(slot);
}

/* It may have a data set in its memory. */
static void idle_too_long(struct timer *timer, void *context)
{
    struct slot *slot = context;
    (void)timer;
    if (slot->state != SLOT_IDLE)
        return;
    slot_leave(slot, "had nothing to do");
    slot_cancel(slot);
}

void slot_rest(struct slot *slot)
{
    if (slot->deadline.at_ms != 0)
        return;
    slot->deadline.due = idle_too_long;
    slot->deadline.context = slot;
    loop_set_timer(slot->daemon->loop, &slot->deadline, slot->daemon->idle_ms);
}

const char *slot_activity(const struct slot *slot)
{
    static const char *const activities[] = {"idle", "training", "final training",
                                             "final evaluation"};
    return slot->state == SLOT_STARTING ? "starting" : activities[slot->job.type];
}

/* For the study that it was chosen for.  Where no process can be started now, one may be later. */
static void start_worker(struct slot *slot)
{
    struct failure why = FAILURE_NONE;
    slot->launcher = slot->run->launcher;
    slot->worker = launcher_start(slot->launcher, slot->number, slot, &why);
    slot->state = SLOT_STARTING;
    if (slot->worker != NULL) {
        slot_set_deadline(slot);
    } else {
        clear(slot);
        daemon_cannot_start(slot->daemon, why.text);
    }
    failure_clear(&why);
}

/* A job that does not say how many threads it takes may take any. */
static void say(struct slot *slot, const json_t *message)
{
    json_int_t threads = json_integer_value(json_object_get(message, "threads"));
    worker_give_cores(slot->worker, slot->daemon->workers, (int)threads);
    worker_send(slot->worker, message);
    slot_set_deadline(slot);
}

void slot_act(struct slot *slot)
{
    if (slot->kill && slot->worker != NULL) {
        worker_kill(slot->worker);
        slot->kill = false;
    }
    if (slot->state == SLOT_EMPTY && slot->run != NULL)
        start_worker(slot);
    if (slot->unsaid != NULL) {
        say(slot, slot->unsaid);
        json_decref(slot->unsaid);
        slot->unsaid = NULL;
    }
}
