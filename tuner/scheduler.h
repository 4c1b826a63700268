/* Schedulers decide how many epochs a trial gets.  Pure: ended segments go in,
 * assignments and decisions come out; no clock, no descriptor, no SQL.
 *
 * The plan is fixed beforehand (tuner/plan.h); one scheduler serves every plan, and
 * full is a bracket of one rung.  Promotion is without a barrier and yet has the
 * barrier's result: once c of the n places of a rung have ended, the best
 * max(0, c - (n - k)) of them are sure to be among the best k.  Values are ranked
 * with ties by trial number.  A failed trial ranks last and is never promoted.  A
 * place that can no longer be filled, because too few of the rung below ended well
 * or because the space is used up, counts as ended, after all failed ones.
 *
 * A segment's end costs O(log n) for a rung of n places (see tuner/ranking.h). */
#ifndef TUNER_SCHEDULER_H
#define TUNER_SCHEDULER_H

#include "tuner/rung.h"

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

struct decision {
    int trial, bracket, rung;
    enum verdict verdict;
    int rank;           /* among those of the rung that have ended so far, from 1 */
    char reason[160];   /* "among the best 9 of 27 whatever the 4 not yet ended give" */
};

/* The plan is copied. */
struct scheduler *scheduler_new(const struct plan *plan, bool maximize);
void scheduler_free(struct scheduler *scheduler);

/* What a free worker should do: promotions first, deepest rung first, ties by trial
 * number; then the next new trial.  An assignment counts as begun. */
enum scheduler_answer scheduler_next(struct scheduler *scheduler, struct assignment *assignment);
/* A segment ended with this value; not finite: the trial failed. */
void scheduler_ended(struct scheduler *scheduler, int trial, int rung, double value);
/* The space is used up: `trial` (given out or not) and all after it are never
 * proposed; their places count as ended. */
void scheduler_exhausted(struct scheduler *scheduler, int trial);
/* Takes the next decision that has become certain; false when there is none.  Each
 * is given once, as soon as it is certain: promoted when k places are enough for it
 * whatever happens, stopped when k others rank better, completed when its segment in
 * a last rung ends, failed when its segment fails. */
bool scheduler_decision(struct scheduler *scheduler, struct decision *decision);
/* Tells that a segment was begun in an earlier life of the tuner (replay of the
 * record): it will not be given out by scheduler_next().  The record may be replayed
 * in any order: a segment may be told begun or ended before its promotion is known. */
void scheduler_begun(struct scheduler *scheduler, int trial, int rung);
/* The final rank of a trial in a rung, from 1, once every place of the rung has
 * ended; 0 before, and for a trial that did not get there. */
int scheduler_rank(const struct scheduler *scheduler, int trial, int rung);

const char *verdict_name(enum verdict verdict); /* "promoted", ... */

#endif
