/* One rung while its trials end: what is already certain about each of them.
 *
 * Members are the trials of the rung's bracket, numbered from 0.  Each goes through
 *
 *   EMPTY --begin--> BEGUN --end--> ENDED --verdict--> DECIDED
 *
 * Once c of the n places have ended (the failed and the unfilled among them), the
 * best m = max(0, c - (n - k)) are sure of promotion and all beyond rank k are sure
 * to be stopped.  Both sets only grow, by the member that is next in rank or by the
 * one that has just ended; so each verdict is one look into the ranking. */
#ifndef TUNER_RUNG_H
#define TUNER_RUNG_H

#include "tuner/plan.h"
#include "tuner/ranking.h"

enum verdict { VERDICT_PROMOTED, VERDICT_STOPPED, VERDICT_COMPLETED, VERDICT_FAILED };

enum place_state { PLACE_EMPTY, PLACE_BEGUN, PLACE_ENDED, PLACE_DECIDED };

struct rung {
    int places, keep;
    bool last;              /* of its bracket: who ends well has completed */
    struct ranking ranking; /* of all members that ended; failed ones have NaN */
    unsigned char *states;  /* enum place_state, by member */
    int good, failed;       /* members that ended */
    int unfilled;           /* places that never will be filled */
    int promoted, stopped;  /* verdicts given */
    int newcomer;           /* the member that ended last, -1: none */
};

void rung_init(struct rung *rung, const struct rung_plan *plan, bool last, int members,
               bool maximize);
void rung_release(struct rung *rung);

/* A member ends with `value`; not finite: it failed.  One that has ended already, or
 * that finds every place ended, is ignored. */
void rung_end(struct rung *rung, int member, double value);
/* `count` more places will never be filled. */
void rung_leave(struct rung *rung, int count);
/* Takes the next verdict that is certain; false when there is none.  All verdicts are
 * to be taken before another member ends. */
bool rung_verdict(struct rung *rung, int *member, enum verdict *verdict);

/* Places that have not ended. */
int rung_open(const struct rung *rung);
/* How many places of the next rung are sure to stay empty. */
int rung_shortfall(const struct rung *rung);

#endif
