/* A trial while its study runs.  Its record is in the store; this is what the
 * engine keeps at hand.
 *
 *            begin           segment ends        promoted
 *   PENDING -------> RUNNING -------------> PAUSED --------> PENDING
 *      ^    <-------    |                     |
 *        retry, stop    | fails               | stopped, completed
 *                       v                     v
 *                       ENDED <----------------
 */
#ifndef TUNER_TRIAL_H
#define TUNER_TRIAL_H

#include "common/base.h"

#include <jansson.h>

enum trial_state {
    TRIAL_PENDING, /* a segment waits for a worker */
    TRIAL_RUNNING, /* a worker has its segment */
    TRIAL_PAUSED,  /* at a milestone, not decided yet */
    TRIAL_ENDED
};

struct trial {
    int number, bracket;
    json_t *parameters;     /* name -> value; NULL: not at hand (run_recall) */
    json_t *configuration;  /* {"model", "training"}; NULL: likewise, or there is none */
    enum trial_state state;

    int rung;               /* of the segment in hand, or the last */
    int from_epoch, to_epoch;
    int attempt;            /* counted over the whole trial, from 1 */
    int retries;            /* of this segment, so far */
    int64_t due_ms;         /* on clock_ms(): not tried again before */

    int epochs;             /* recorded */
    double value;           /* at the last milestone; NaN: none, or failed */
    double best;            /* best metric over all epochs; NaN: none */
    double latest;          /* metric of the last epoch */
    int value_epochs;       /* epochs at the last milestone */
    int early_end;          /* epoch after which early stopping ended it; 0: it did not */
    bool completed;         /* reached the end of its bracket */
    char *checkpoint;       /* path of the newest, or NULL */
    int checkpoint_epoch;
    int64_t checkpoint_bytes; /* as counted against the quota */
};

struct trial *trial_new(int number, int bracket, json_t *parameters /* taken over */);
void trial_free(struct trial *trial);
/* Sets out for a rung: PENDING, no retries yet. */
void trial_set_out(struct trial *trial, int rung, int from_epoch, int to_epoch);
/* Takes over an epoch's metric, unless it is an epoch run again, and its checkpoint
 * (copied; NULL: none). */
void trial_advance(struct trial *trial, int epoch, double metric, bool maximize,
                   const char *checkpoint);
/* Epochs that were trained for the value at the last milestone. */
int trial_trained(const struct trial *trial);
/* Whether value `a` is better than `b`; NaN is never better. */
bool value_better(double a, double b, bool maximize);

#endif
