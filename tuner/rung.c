#include "tuner/rung.h"

#include <math.h>
#include <stdlib.h>

void rung_init(struct rung *rung, const struct rung_plan *plan, bool last, int members,
               bool maximize)
{
    *rung = (struct rung){
        .places = plan->places,
        .keep = plan->keep,
        .last = last,
        .states = xcalloc((size_t)members, sizeof(*rung->states)),
        .newcomer = -1,
    };
    ranking_init(&rung->ranking, members, maximize);
}

void rung_release(struct rung *rung)
{
    free(rung->states);
    ranking_release(&rung->ranking);
}

int rung_open(const struct rung *rung)
{
    return rung->places - rung->good - rung->failed - rung->unfilled;
}

int rung_shortfall(const struct rung *rung)
{
    int shortfall = rung->failed + rung->unfilled - (rung->places - rung->keep);

    return shortfall > 0 ? shortfall : 0;
}

void rung_end(struct rung *rung, int member, double value)
{
    if (rung->states[member] >= PLACE_ENDED || rung_open(rung) == 0)
        return;
    rung->states[member] = PLACE_ENDED;
    rung->newcomer = member;
    if (isfinite(value))
        rung->good++;
    else
        rung->failed++;
    ranking_insert(&rung->ranking, member, isfinite(value) ? value : (double)NAN);
}

void rung_leave(struct rung *rung, int count)
{
    rung->unfilled += count < rung_open(rung) ? count : rung_open(rung);
}

/* How many are sure of promotion. */
static int sure(const struct rung *rung)
{
    int best = rung->keep - rung_open(rung); /* c - (n - k) */

    return best < rung->good ? best : rung->good;
}

/* The set of a verdict grows to take in `rank`.  Before the newcomer ended, those on
 * the verdict's side of that rank were the set exactly; so the one to add is who
 * stands there now, or else the newcomer has pushed a decided one there. */
static int joining(const struct rung *rung, int rank)
{
    int member = ranking_at(&rung->ranking, rank);

    return rung->states[member] == PLACE_ENDED ? member : rung->newcomer;
}

bool rung_verdict(struct rung *rung, int *member, enum verdict *verdict)
{
    int newcomer = rung->newcomer;
    bool fresh = newcomer >= 0 && rung->states[newcomer] == PLACE_ENDED;

    if (fresh && isnan(rung->ranking.members[newcomer].value)) {
        *member = newcomer;
        *verdict = VERDICT_FAILED;
    } else if (fresh && rung->last) {
        *member = newcomer;
        *verdict = VERDICT_COMPLETED;
    } else if (rung->promoted < sure(rung)) {
        *member = joining(rung, ++rung->promoted);
        *verdict = VERDICT_PROMOTED;
    } else if (!rung->last && rung->stopped < rung->good - rung->keep) {
        *member = joining(rung, rung->keep + 1);
        rung->stopped++;
        *verdict = VERDICT_STOPPED;
    } else {
        return false;
    }
    rung->states[*member] = PLACE_DECIDED;
    return true;
}
