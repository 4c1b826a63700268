/* Schedulers decide how many epochs a trial gets.  Pure: ended segments go in,
 * assignments and decisions come out; no clock, no descriptor, no SQL.
 *
 * The plan is fixed beforehand: brackets of rungs, and trial numbers given out
 * bracket by bracket.  A rung of n places keeps the best k.  Promotion is without
 * a barrier and yet has the barrier's result: once c of the n have ended, the best
 * max(0, c - (n - k)) of them are sure to be among the best k. */
#ifndef TUNER_SCHEDULER_H
#define TUNER_SCHEDULER_H

#include "tuner/study.h"

enum { PLAN_RUNGS_MAX = 32, PLAN_BRACKETS_MAX = 32 };

struct rung_plan {
    int places;       /* n_i: trials that this rung holds at most */
    int keep;         /* how many go on to the next; 0 in the last rung */
    int epochs;       /* r_i: epochs reached here in all; 0 with full: as the trial says itself */
};

struct bracket_plan {
    int number;       /* s: s_max first, 0 last */
    int first_trial;  /* its trials are first_trial .. first_trial + rungs[0].places - 1 */
    int rung_count;
    struct rung_plan rungs[PLAN_RUNGS_MAX];
};

struct plan {
    int bracket_count;
    struct bracket_plan brackets[PLAN_BRACKETS_MAX];
    int trials;             /* all configurations */
    int64_t epochs;         /* in all when promoted trials go on from their checkpoints */
    int64_t epochs_anew;    /* in all if every rung started anew */
};

/* Hyperband (Li et al., JMLR 2018, algorithm 1) for R = max_epochs. */
int plan_hyperband(int max_epochs, int eta, struct plan *plan, struct failure *why);
/* `trials` trials of `epochs` epochs each (0: as each says itself). */
void plan_full(int trials, int epochs, struct plan *plan);
/* Drops what does not fit into `epochs` (going on): whole brackets of hyperband
 * from the end, trials of full from the end.  Nothing fits: a failure. */
int plan_limit_epochs(struct plan *plan, int epochs, struct failure *why);

struct scheduler;

enum scheduler_answer {
    SCHEDULER_RUN,      /* here is a segment to run */
    SCHEDULER_WAIT,     /* nothing until another segment ends */
    SCHEDULER_FINISHED  /* every place of the plan has ended */
};

/* One segment: `trial` goes from `from_epoch` to `to_epoch` (rung_plan.epochs). */
struct assignment {
    int trial;
    int bracket;     /* index into plan.brackets */
    int rung;
    int from_epoch;
    int to_epoch;
};

enum verdict { VERDICT_PROMOTED, VERDICT_STOPPED, VERDICT_COMPLETED, VERDICT_FAILED };

struct decision {
    int trial, bracket, rung;
    enum verdict verdict;
    int rank;           /* among those of the rung that have ended, from 1 */
    char reason[160];   /* "among the best 9 of 27 whatever the 4 not yet ended give" */
};

struct scheduler *scheduler_new(const struct plan *plan, bool maximize);
void scheduler_free(struct scheduler *scheduler);

/* What a free worker should do: promotions first, deepest rung first, ties by trial
 * number; then the next new trial.  An assignment counts as begun. */
enum scheduler_answer scheduler_next(struct scheduler *scheduler, struct assignment *assignment);
/* A segment ended with this value; not finite: the trial failed. */
void scheduler_ended(struct scheduler *scheduler, int trial, int rung, double value);
/* The space is used up: `trial` and all after it are never proposed; their places
 * count as ended. */
void scheduler_exhausted(struct scheduler *scheduler, int trial);
/* Takes the next decision that has become certain; false when there is none. */
bool scheduler_decision(struct scheduler *scheduler, struct decision *decision);
/* Tells that a segment was begun in an earlier life of the tuner (replay of the
 * record): it will not be given out by scheduler_next(). */
void scheduler_begun(struct scheduler *scheduler, int trial, int rung);

const char *verdict_name(enum verdict verdict); /* "promoted", ... */

#endif
