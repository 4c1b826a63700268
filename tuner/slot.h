/* Slots: places for workers, and what a worker has in hand.  Part of the engine's insides
 * (tuner/engine.h). */
#ifndef TUNER_SLOT_H
#define TUNER_SLOT_H

#include "tuner/launcher.h"
#include "tuner/trial.h"

struct daemon;
struct run;

enum job_type { JOB_NONE, JOB_SEGMENT, JOB_FINAL_TRAINING, JOB_FINAL_EVALUATION };

/* What a worker has in hand, of the study that its slot works for. */
struct job {
    enum job_type type;
    struct trial *trial;
    int attempt;
    int next_epoch;   /* the only one that may be reported next */
    int to_epoch;
    int64_t next_image; /* of an evaluation */
    int64_t correct;
    bool settled;     /* recorded as ended or failed: only `done` is still to come */
    int stale;        /* messages about earlier attempts meanwhile */
};

enum slot_state {
    SLOT_EMPTY,    /* no worker */
    SLOT_STARTING, /* not ready yet */
    SLOT_IDLE,
    SLOT_BUSY,
    SLOT_ENDING    /* killed or told to stop; its end is awaited */
};

/* A place for a worker; or, without one, what an outside program has in hand. */
struct slot {
    struct daemon *daemon;
    int number;                 /* -1: of an outside program */
    enum slot_state state;
    struct worker *worker;
    struct launcher *launcher;  /* that started the worker: whose trainer it is */
    char *program, *arithmetic; /* as its `ready` says */
    struct run *run;            /* that it was started for or works for; NULL: none by now */
    int64_t worker_id;          /* the worker's row with that study; 0: none yet */
    struct job job;
    json_t *unsaid;             /* message to send after the commit */
    bool kill;                  /* to be killed after the commit */
    struct timer deadline;
};

/* Gives a job of `run` to an idle slot: recorded by the caller, said after the commit. */
void slot_give(struct slot *slot, const struct job *job, json_t *message);
/* Before that: the worker works for this study now, and has a row with it. */
void slot_serve(struct slot *slot, struct run *run);
/* After the commit: says, kills, starts a worker for the slot's study. */
void slot_act(struct slot *slot);
/* The epoch in hand is finished, then the worker ends by itself. */
void slot_stop(struct slot *slot);
/* There is nothing for its worker to do: it is ended if that lasts. */
void slot_rest(struct slot *slot);
/* Ends its worker after the commit; the segment in hand can be gone on with. */
void slot_cancel(struct slot *slot);
/* Records that its worker leaves its study (with that, or for another); what it has in hand
 * can be gone on with. */
void slot_leave(struct slot *slot, const char *reason);
/* It has nothing in hand any more; nothing is recorded. */
void slot_drop_job(struct slot *slot);
void slot_free(struct slot *slot);
/* (Re)starts the time within which its worker, or the outside program, is to be heard of. */
void slot_set_deadline(struct slot *slot);
/* The worker may be in any state now: what it had in hand is lost, and it is ended. */
void slot_at_fault(struct slot *slot, const char *kind, const char *reason);
struct launcher_events slot_events(struct daemon *daemon);
/* "training", "idle"...: what its worker does, for people. */
const char *slot_activity(const struct slot *slot);

/* ---- hear.c: what workers say (launcher.h) ---- */

void hear_message(void *context, struct worker *worker, const struct message *message);
void hear_garbage(void *context, struct worker *worker, const char *reason);

/* ---- fault.c: what goes wrong with a job ---- */

/* Records a fault of a slot's worker, and says it. */
void fault_record(struct slot *slot, const char *kind, const char *reason, const char *action);
/* The trial in hand has failed, whatever is tried. */
void fault_fail_trial(struct slot *slot, const char *reason);
/* The worker is at fault: what it has in hand is tried again, or has failed. */
void fault_lose_job(struct slot *slot, const char *kind, const char *reason);
/* The name of a metric that is not finite; NULL: all are. */
const char *fault_not_finite(const struct message *message);
/* Whether an error says that this machine lacks the precision that the job needs. */
bool fault_is_of_precision(const struct message *message);
/* Not the trial's failure: the study ends here, and the job can be gone on with elsewhere. */
void fault_lack_precision(struct slot *slot, const struct message *message);
/* Whether an error says that the checkpoint to go on from is of no use. */
bool fault_is_of_checkpoint(const struct slot *slot, const struct message *message);
/* Nobody's retry, for without it the training begins anew and comes out the same. */
void fault_lose_checkpoint(struct slot *slot, const char *reason);

#endif
