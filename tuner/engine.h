/* The engine's insides, shared by tuner.c (the turn), assign.c (who works on what next),
 * slot.c (workers and what they say), segment.c (a trial's training from milestone to
 * milestone), fault.c (what goes wrong with a job), record.c and replay.c (a new record,
 * going on from one), sweep.c (files left over) and final.c (the winner's training and
 * evaluation).
 * Nobody else includes this. */
#ifndef TUNER_ENGINE_H
#define TUNER_ENGINE_H

#include "db/store.h"
#include "tuner/launcher.h"
#include "tuner/prepare.h"
#include "tuner/progress.h"
#include "tuner/sampler.h"
#include "tuner/scheduler.h"
#include "tuner/trial.h"
#include "tuner/tuner.h"

enum job_type { JOB_NONE, JOB_SEGMENT, JOB_FINAL_TRAINING, JOB_FINAL_EVALUATION };

/* What a worker has in hand. */
struct job {
    enum job_type type;
    struct trial *trial;
    int attempt;
    int next_epoch;   /* the only one that may be reported next */
    int to_epoch;
    int64_t next_image; /* of an evaluation */
    int64_t correct;
    bool settled;     /* recorded as ended or failed: only `done` is still to come */
};

enum slot_state {
    SLOT_EMPTY,    /* no worker */
    SLOT_STARTING, /* not ready yet */
    SLOT_IDLE,
    SLOT_BUSY,
    SLOT_ENDING    /* killed or told to stop; its end is awaited */
};

/* A place for a worker. */
struct slot {
    struct tuner *tuner;
    int number;
    enum slot_state state;
    struct worker *worker;
    int64_t worker_id;      /* its row in the store, 0 before it is ready */
    struct job job;
    json_t *unsaid;         /* message to send after the commit */
    bool kill;              /* to be killed after the commit */
    struct timer deadline;
};

/* The final training and evaluation. */
struct final {
    struct trial *winner;   /* NULL: not decided yet */
    int attempt, retries;
    int epochs, to_epoch;   /* of `checkpoint`, and in all */
    char *checkpoint;       /* the newest of the final training, or the winner's own */
    bool trained, evaluated;
};

struct tuner {
    struct study *study;
    const struct tuner_options *options;
    struct prepared prepared;
    struct plan plan;
    struct store *store;
    struct loop *loop;
    struct launcher *launcher;
    struct sampler *sampler;
    struct scheduler *scheduler;
    struct progress *progress;
    int64_t id;             /* the study's row */

    struct trial **trials;  /* by number; [trial_count] */
    int trial_count;
    bool exhausted;         /* the space is used up */
    struct slot *slots;
    int slot_count;
    struct final final;

    bool in_transaction;
    char **doomed;          /* checkpoint files to delete after the commit */
    size_t doomed_count;

    int interrupts;         /* signals received */
    bool closed;            /* the limit in minutes is over: nothing new */
    bool finished;
    struct timer time_limit;
    struct timer redraw;
    int start_failures;     /* workers in a row that ended before they were ready */
    struct failure broken;  /* ends the study: the store, the trainer, no trial ended well */
};

/* ---- tuner.c ---- */
/* Opens the turn's transaction unless it is open; true when recording may go on. */
bool tuner_recording(struct tuner *tuner);
/* Deletes a trial's newest checkpoint after the commit. */
void tuner_drop_checkpoint(struct tuner *tuner, struct trial *trial);
void tuner_doom_file(struct tuner *tuner, const char *path);
/* Records what the scheduler has decided and carries it over to the trials. */
void tuner_take_decisions(struct tuner *tuner);
/* Records that the workers end along with the study, and what they had in hand with them. */
void tuner_end_workers(struct tuner *tuner, const char *reason);
const struct trial *tuner_best(const struct tuner *tuner);
int64_t tuner_test_images(const struct tuner *tuner);

/* ---- assign.c ---- */
/* Gives work to the idle slots, and ends the study when there is none left. */
void assign(struct tuner *tuner);

/* ---- segment.c ---- */
/* Gives a PENDING trial's segment to an idle slot. */
void segment_give(struct tuner *tuner, struct slot *slot, struct trial *trial);
/* Where training that goes on after `from` epochs is to pause before it has `to`: at the
 * trial's milestones, if its learning rate is laid out anew for each. */
int segment_pause(const struct tuner *tuner, const struct trial *trial, int from, int to);
/* Epochs that the learning rate is laid out for, in training as far as `to_epoch`. */
int segment_schedule(const struct tuner *tuner, const struct trial *trial, int to_epoch);
/* An epoch in its turn, with the objective's metric. */
void segment_epoch(struct slot *slot, const struct message *message);
/* What is missing when its worker says that it is done; NULL: nothing. */
const char *segment_lacks(const struct job *job, const struct message *message);
void segment_done(struct tuner *tuner, const struct job *job, const struct message *message);
/* Records how an attempt at a segment ended. */
void segment_end(struct tuner *tuner, const struct job *job, const char *state, double value,
                 const char *reason);
/* A new trial that cannot be configured: recorded, and failed. */
void segment_fail_unconfigurable(struct tuner *tuner, struct trial *trial, const char *reason);
/* A trial that early stopping has ended reaches another milestone with nothing trained. */
void segment_pass(struct tuner *tuner, struct trial *trial);

/* ---- record.c ---- */
/* Finds the study's record, checks that it is the same study and replays it; or adds it. */
int find_study(struct tuner *tuner, struct failure *why);
/* The plan as the store takes it. */
json_t *plan_json(const struct plan *plan);

/* ---- slot.c ---- */
/* Gives a job to an idle slot: recorded by the caller, said after the commit. */
void slot_give(struct slot *slot, const struct job *job, json_t *message);
/* After the commit: says, kills, starts workers while `wanted`. */
void slot_act(struct slot *slot, bool wanted);
void slot_stop(struct slot *slot);
/* Records that its worker, if there is one, ends now; its segment can be gone on with. */
void slot_record_end(struct slot *slot, const char *reason);
struct launcher_events slot_events(struct tuner *tuner);

/* ---- fault.c ---- */
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

/* ---- replay.c ---- */
/* Rebuilds sampler, scheduler, trials and final from the record of study `id`. */
int replay(struct tuner *tuner, struct failure *why);

/* ---- sweep.c ---- */
/* Deletes checkpoint files that the record does not know: written, but not recorded,
 * when an earlier run was killed. */
void sweep_checkpoints(struct tuner *tuner);

/* ---- final.c ---- */
/* Decides on the winner when the search is over; -1: there is none. */
int final_decide(struct tuner *tuner);
/* Without `retrain`: takes the winner's own checkpoint, if it is that of its value. */
void final_adopt(struct tuner *tuner);
/* Gives the next step of the final to an idle slot. */
void final_assign(struct tuner *tuner, struct slot *slot);
/* Its checkpoint is of no use: the final training begins anew. */
void final_drop_checkpoint(struct tuner *tuner);
void final_epoch(struct tuner *tuner, struct job *job, const struct message *message);
void final_predictions(struct tuner *tuner, struct job *job, const struct message *message);
/* What is missing when its worker says that it is done; NULL: nothing. */
const char *final_lacks(const struct tuner *tuner, const struct job *job);
void final_done(struct tuner *tuner, struct job *job, const struct message *message);

#endif
