/* A run: one study in the daemon's hands, from its submission to where it finishes, fails or
 * is interrupted.  Part of the engine's insides (tuner/engine.h). */
#ifndef TUNER_RUN_H
#define TUNER_RUN_H

#include "tuner/heap.h"
#include "tuner/kept.h"
#include "tuner/prepare.h"
#include "tuner/sampler.h"
#include "tuner/scheduler.h"
#include "tuner/slot.h"

enum run_state {
    RUN_QUEUED,   /* accepted; prepared when its turn comes */
    RUN_RUNNING,
    RUN_PAUSED,   /* nothing new is started */
    RUN_STOPPING, /* likewise, and it is interrupted when what runs has ended */
    RUN_OVER      /* its end is recorded; freed when the turn is over */
};

/* The final training and evaluation. */
struct final {
    struct trial *winner;   /* NULL: not decided yet */
    int attempt, retries;
    int64_t due_ms;         /* on clock_ms(): not tried again before */
    int epochs, to_epoch;   /* of `checkpoint`, and in all */
    char *checkpoint;       /* the newest of the final training, or the winner's own */
    bool trained, evaluated;
};

/* Sums over all trials, kept up to date. */
struct tally {
    int ended, failed;
    int64_t epochs;         /* recorded */
    int64_t spared;         /* that early stopping made unnecessary */
};

struct run {
    struct daemon *daemon;
    struct study *study;
    int64_t id;             /* the study's row */
    enum run_state state;
    int priority;
    int workers;            /* so many at once; 0: no limit */
    bool any_precision;     /* go on even if this machine trains in another than it began in */
    char *state_before, *note_before; /* as recorded when it was submitted; NULL: it is new */
    struct child *child;    /* that prepares it; NULL: none does */
    bool is_prepared;
    struct prepared prepared;

    bool begun;             /* run_begin() was called: what follows is there */
    bool accepted;          /* and it went well */
    bool finished;          /* the record says so */
    struct launcher *launcher;
    struct limits limits;       /* of its workers */
    struct plan plan;
    struct sampler *sampler;
    struct scheduler *scheduler;
    struct trial **trials;  /* by number; [trial_count] */
    int trial_count, trial_capacity;
    bool exhausted;         /* the space is used up */
    struct heap pending;    /* numbers of those that wait for a worker */
    struct trial **delayed; /* to be tried again later; [delayed_count] */
    int delayed_count;
    struct timer retry;     /* when the first of them, or the final, is due */
    struct trial *best;     /* NULL: none ended well yet */
    struct kept kept;       /* completed trials with a checkpoint */
    struct tally tally;
    struct final final;
    int segments;           /* jobs that workers and outside programs have in hand */
    struct slot **asked;    /* what outside programs have; [asked_count], some EMPTY */
    int asked_count;
    bool closed;            /* the limit in minutes is over: nothing new */
    struct timer time_limit;
    int start_failures;     /* workers in a row that ended before they were ready */
    struct failure broken;  /* ends the study */
};

/* ---- run.c ---- */

/* Takes over `study`. */
struct run *run_new(struct daemon *daemon, struct study *study);
void run_free(struct run *run);
/* Makes what is needed to work on a prepared study, and replays its record; -1 with the
 * reason in run->broken. */
int run_begin(struct run *run);
/* The same study before run_begin(), in place of `run`, which is freed: the record has all
 * that followed. */
struct run *run_renew(struct run *run);
/* More trials have failed than may: the study ends, with the reasons. */
void run_check_failures(struct run *run);
/* (Re)starts the limit in minutes, if there is one. */
void run_limit_minutes(struct run *run);
/* Sets, records and tells its state; a state in which it is in hand. */
void run_set_state(struct run *run, enum run_state state);
const char *run_state_name(enum run_state state);
/* Records its end, "finished", "interrupted" or "failed", and tells it.  Workers are left to
 * other studies.  `wanted`: the next daemon goes on with it, or, when it has finished, writes its
 * report; if this one was to stay. */
void run_end(struct run *run, const char *state, const char *note, bool wanted);
/* The same for one that run->broken ends. */
void run_fail(struct run *run);

/* Where nothing is in hand and nothing left to give: on to the final, or to the end.  True when
 * there is something to give now. */
bool run_conclude(struct run *run);

/* ---- run_next.c ---- */

/* The trial whose segment should run next, PENDING; the same until it is given out.  NULL:
 * there is none now. */
struct trial *run_next(struct run *run);
/* Whether a worker could be given anything. */
bool run_has_work(struct run *run);
/* A trial waits for a worker, at once or (one more time) after a pause that grows. */
void run_pend(struct run *run, struct trial *trial);
void run_delay(struct run *run, struct trial *trial);
/* How long the pause before the n-th retry is. */
int64_t run_pause_ms(const struct run *run, int retries);
void run_set_retry_timer(struct run *run);

/* ---- run_trials.c ---- */

/* Adds a trial to the run's, which then owns it. */
void run_add_trial(struct run *run, struct trial *trial);
/* The trial has ended, well or not: parameters and configuration are in the store. */
void run_end_trial(struct run *run, struct trial *trial);
/* Reads them again where they are needed. */
void run_recall(struct run *run, struct trial *trial);
/* A trial has a new value: it may be the best. */
void run_note_value(struct run *run, struct trial *trial);
/* The same when values went away. */
void run_find_best(struct run *run);
/* Deletes a trial's newest checkpoint after the commit. */
void run_drop_checkpoint(struct run *run, struct trial *trial);
/* Records what the scheduler has decided and carries it over to the trials. */
void run_take_decisions(struct run *run);
int64_t run_test_images(const struct run *run);

/* ---- segment.c ---- */

/* Gives the segment of the trial that run_next() names to an idle slot. */
void segment_give(struct run *run, struct slot *slot, struct trial *trial);
/* Where training that goes on after `from` epochs is to pause before it has `to`: at the
 * trial's milestones, if its learning rate is laid out anew for each. */
int segment_pause(const struct run *run, const struct trial *trial, int from, int to);
/* Epochs that the learning rate is laid out for, in training as far as `to_epoch`. */
int segment_schedule(const struct run *run, const struct trial *trial, int to_epoch);
/* An epoch in its turn, with the objective's metric. */
void segment_epoch(struct slot *slot, const struct message *message);
/* What is missing when its worker says that it is done; NULL: nothing. */
const char *segment_lacks(const struct job *job, const struct message *message);
void segment_done(struct run *run, const struct job *job, const struct message *message);
/* Records how an attempt at a segment ended. */
void segment_end(struct run *run, const struct job *job, const char *state, double value,
                 const char *reason);
/* A new trial that cannot be configured: recorded, and failed. */
void segment_fail_unconfigurable(struct run *run, struct trial *trial, const char *reason);
/* A trial that early stopping has ended reaches another milestone with nothing trained. */
void segment_pass(struct run *run, struct trial *trial);

/* ---- final.c ---- */

/* Decides on the winner when the search is over; -1: there is none. */
int final_decide(struct run *run);
/* Without `retrain`: takes the winner's own checkpoint, if it is that of its value. */
void final_adopt(struct run *run);
/* Gives the next step of the final to an idle slot. */
void final_assign(struct run *run, struct slot *slot);
/* Its checkpoint is of no use: the final training begins anew. */
void final_drop_checkpoint(struct run *run);
void final_epoch(struct run *run, struct job *job, const struct message *message);
void final_predictions(struct run *run, struct job *job, const struct message *message);
/* What is missing when its worker says that it is done; NULL: nothing. */
const char *final_lacks(const struct run *run, const struct job *job);
void final_done(struct run *run, struct job *job, const struct message *message);

/* ---- record.c, replay.c, sweep.c ---- */

/* Records a new study, before its data are known; -1 with `why`. */
int record_study(struct run *run, int64_t extends, struct failure *why);
/* Records what has been found out about its data. */
int record_data(struct run *run);
/* The plan as the store takes it. */
json_t *plan_json(const struct plan *plan);
/* Rebuilds sampler, scheduler, trials and final from the study's record; -1 with the
 * reason in run->broken or daemon->broken. */
int replay(struct run *run);
/* Deletes checkpoint files that the record does not know: written, but not recorded,
 * when an earlier run was killed. */
void sweep_checkpoints(struct run *run);

#endif
