#include "tuner/rung.h"

#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PLACES_MAX = 24, NO_VERDICT = -1 };

/* A rung beside what has become of each member, kept without the rung's own books. */
struct trace {
    struct rung rung;
    double values[PLACES_MAX];  /* laid down beforehand; not finite: fails */
    bool ended[PLACES_MAX];
    int verdicts[PLACES_MAX];
    int unfilled;
};

static void trace_init(struct trace *trace, int places, int keep, bool maximize, struct rng *rng)
{
    struct rung_plan plan = {.places = places, .keep = keep, .epochs = 1};
    uint64_t failing = rng_below(rng, 11), levels = 1 + rng_below(rng, 10);

    *trace = (struct trace){.unfilled = 0};
    rung_init(&trace->rung, &plan, keep == 0, places, maximize);
    for (int i = 0; i < places; i++) {
        bool fails = rng_below(rng, 10) < failing;

        trace->values[i] = fails ? (double)NAN : (double)rng_below(rng, levels);
        trace->verdicts[i] = NO_VERDICT;
    }
}

static bool well(const struct trace *trace, int member)
{
    return trace->ended[member] && isfinite(trace->values[member]);
}

static int rank_so_far(const struct trace *trace, int member)
{
    double sign = trace->rung.ranking.maximize ? 1 : -1;
    int rank = 1;

    for (int other = 0; other < trace->rung.places; other++) {
        double lead = sign * (trace->values[other] - trace->values[member]);

        rank += well(trace, other) && (lead > 0 || (lead == 0 && other < member));
    }
    return rank;
}

static void take_verdicts(struct trace *trace)
{
    enum verdict verdict;
    int member;

    while (rung_verdict(&trace->rung, &member, &verdict)) {
        assert_true(trace->ended[member]);
        assert_int_equal(trace->verdicts[member], NO_VERDICT);
        trace->verdicts[member] = (int)verdict;
    }
}

/* Certain is what every way of going on leads to.  The worst for a member is that all
 * places still open beat it; the best is that all of them fail. */
static int certain_verdict(const struct trace *trace, int member, int open)
{
    if (!trace->ended[member])
        return NO_VERDICT;
    if (!well(trace, member))
        return VERDICT_FAILED;
    if (trace->rung.last)
        return VERDICT_COMPLETED;
    if (rank_so_far(trace, member) + open <= trace->rung.keep)
        return VERDICT_PROMOTED;
    return rank_so_far(trace, member) > trace->rung.keep ? VERDICT_STOPPED : NO_VERDICT;
}

static void check(const struct trace *trace)
{
    int places = trace->rung.places, open = places - trace->unfilled, good = 0;

    for (int member = 0; member < places; member++) {
        open -= trace->ended[member];
        good += well(trace, member);
    }
    assert_int_equal(rung_open(&trace->rung), open);
    for (int member = 0; member < places; member++)
        assert_int_equal(trace->verdicts[member], certain_verdict(trace, member, open));
    int most = good + open; /* that can end well */

    assert_int_equal(rung_shortfall(&trace->rung),
                     most < trace->rung.keep ? trace->rung.keep - most : 0);
}

static void every_verdict_comes_as_soon_as_it_is_certain(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 3000; round++) {
        struct trace trace;
        uint32_t order[PLACES_MAX];
        struct rng rng;

        rng_init(&rng, 1, round, RNG_SAMPLER, 0);
        int places = 1 + (int)rng_below(&rng, PLACES_MAX);

        trace_init(&trace, places, (int)rng_below(&rng, (uint64_t)places + 1), round % 2, &rng);
        for (uint32_t i = 0; i < PLACES_MAX; i++)
            order[i] = i;
        rng_shuffle(&rng, order, (size_t)places);
        for (int next = 0; rung_open(&trace.rung) > 0;) {
            int leaving = rng_below(&rng, 12) ? 0 : 1 + (int)rng_below(&rng, 3);

            if (leaving > rung_open(&trace.rung))
                leaving = rung_open(&trace.rung);
            if (leaving > 0) {
                rung_leave(&trace.rung, leaving);
                trace.unfilled += leaving;
            } else {
                trace.ended[order[next]] = true;
                rung_end(&trace.rung, (int)order[next], trace.values[order[next]]);
                next++;
            }
            take_verdicts(&trace);
            check(&trace);
        }
        rung_release(&trace.rung);
    }
}

static void what_comes_too_late_is_ignored(void **state)
{
    struct rung_plan plan = {.places = 2, .keep = 1, .epochs = 1};
    struct rung rung;
    enum verdict verdict;
    int member;

    (void)state;
    rung_init(&rung, &plan, false, 3, true);
    rung_end(&rung, 0, 1);
    rung_end(&rung, 0, 2);
    assert_int_equal(rung_open(&rung), 1);
    assert_false(rung_verdict(&rung, &member, &verdict));
    rung_leave(&rung, 5);
    assert_int_equal(rung_open(&rung), 0);
    rung_end(&rung, 1, 7);
    assert_true(rung_verdict(&rung, &member, &verdict));
    assert_int_equal(member, 0);
    assert_int_equal(verdict, VERDICT_PROMOTED);
    assert_false(rung_verdict(&rung, &member, &verdict));
    rung_release(&rung);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_comes_as_soon_as_it_is_certain),
        cmocka_unit_test(what_comes_too_late_is_ignored),
    };

    return cmocka_run_group_tests_name("rung", tests, NULL, NULL);
}
