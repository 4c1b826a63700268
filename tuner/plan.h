/* The plan of a search: brackets of rungs, fixed before anything is trained.
 *
 * Trial numbers are given out bracket by bracket.  A rung of n places keeps the
 * best k, which fill the next rung: rungs[i + 1].places == rungs[i].keep. */
#ifndef TUNER_PLAN_H
#define TUNER_PLAN_H

#include "common/base.h"

enum { PLAN_RUNGS_MAX = 32, PLAN_BRACKETS_MAX = 32, PLAN_TRIALS_MAX = 1000000 };

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

/* Hyperband (Li et al., JMLR 2018, algorithm 1) for R = max_epochs:
 *
 *   s_max = the largest s with eta^s <= R
 *   for s = s_max .. 0:  n = ceil((s_max + 1) / (s + 1) eta^s),  r = R / eta^s
 *     rung i = 0 .. s:   n_i = floor(n / eta^i),  r_i = r eta^i
 *
 * in integers throughout.  Where r_i is no whole number of epochs it is rounded half
 * up.  That never makes two rungs equal, nor any less than 1: r >= 1 by the choice
 * of s_max, so that r_i and r_i+1 = eta r_i lie at least 1 apart before rounding and
 * therefore after it.
 *
 * Fails for R < 1, eta < 2, and beyond PLAN_TRIALS_MAX configurations. */
int plan_hyperband(int max_epochs, int eta, struct plan *plan, struct failure *why);
/* `trials` trials (at least 1) of `epochs` epochs each (0: as each says itself). */
void plan_full(int trials, int epochs, struct plan *plan);
/* Drops what does not fit into `epochs` (going on): whole brackets of hyperband
 * from the end, trials of full from the end.  Nothing fits, or the epochs of a
 * trial are not known beforehand: a failure, and the plan stays as it was. */
int plan_limit_epochs(struct plan *plan, int epochs, struct failure *why);

#endif
