#include "tuner/ranking.h"

#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MEMBERS = 60 };

/* The definition, independent of the ranking: NaN last, ties by number. */
static bool is_better(const double *values, int a, int b, bool maximize)
{
    double difference = values[a] - values[b];

    if (isnan(values[a]) || isnan(values[b]))
        return isnan(values[a]) == isnan(values[b]) ? a < b : isnan(values[b]);
    return difference == 0 ? a < b : (difference > 0) == maximize;
}

static void check_ranks(const struct ranking *ranking, const double *values,
                        const uint32_t *order, int count)
{
    for (int i = 0; i < count; i++) {
        int rank = 1;

        for (int k = 0; k < count; k++)
            rank += is_better(values, (int)order[k], (int)order[i], ranking->maximize);
        assert_int_equal(ranking_of(ranking, (int)order[i]), rank);
        assert_int_equal(ranking_at(ranking, rank), (int)order[i]);
    }
}

static void ranks_equal_their_definition_after_every_insertion(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        double values[MEMBERS];
        uint32_t order[MEMBERS];
        struct ranking ranking;
        struct rng rng;

        rng_init(&rng, 1, round, RNG_SAMPLER, 0);
        ranking_init(&ranking, MEMBERS, round % 2 == 0);
        for (uint32_t i = 0; i < MEMBERS; i++) {
            uint64_t value = rng_below(&rng, round < 30 ? 8 : 1000000);

            values[i] = value == 0 ? (double)NAN : (double)value - 4; /* many ties */
            order[i] = i;
        }
        rng_shuffle(&rng, order, MEMBERS);
        for (int count = 1; count <= MEMBERS; count++) {
            int member = (int)order[count - 1];

            ranking_insert(&ranking, member, values[member]);
            check_ranks(&ranking, values, order, count);
        }
        ranking_release(&ranking);
    }
}

static int depth(const struct ranking *ranking, int tree)
{
    if (tree < 0)
        return 0;
    int better = depth(ranking, ranking->members[tree].better);
    int worse = depth(ranking, ranking->members[tree].worse);

    return 1 + (better > worse ? better : worse);
}

static void the_tree_stays_shallow_for_values_in_order(void **state)
{
    enum { MANY = 100000 };

    (void)state;
    for (int direction = -1; direction <= 1; direction++) { /* falling, equal, rising */
        struct ranking ranking;

        ranking_init(&ranking, MANY, true);
        for (int i = 0; i < MANY; i++)
            ranking_insert(&ranking, i, direction * i);
        assert_in_range(depth(&ranking, ranking.root), 17, 60);
        ranking_release(&ranking);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_equal_their_definition_after_every_insertion),
        cmocka_unit_test(the_tree_stays_shallow_for_values_in_order),
    };

    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
