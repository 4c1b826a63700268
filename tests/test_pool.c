#include "trainer/pool.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 500, THREADS_MOST = 8 };

struct tally {
    atomic_int done[ITEMS];
    atomic_int in_work[THREADS_MOST];
    atomic_bool clash;
    int threads;
};

static void count_item(void *context, size_t item, int thread)
{
    struct tally *tally = context;
    if (thread < 0 || thread >= tally->threads || atomic_fetch_add(&tally->in_work[thread], 1) != 0)
        atomic_store(&tally->clash, true);
    atomic_fetch_add(&tally->done[item], 1);
    if (thread >= 0 && thread < tally->threads)
        atomic_fetch_sub(&tally->in_work[thread], 1);
}

static void every_item_is_done_once_before_the_loop_returns(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        struct pool *pool = pool_new(threads);
        assert_int_equal(pool_threads(pool), threads);
        for (size_t items = 0; items <= ITEMS; items += items < 20 ? 1 : 97) {
            struct tally tally = {.threads = threads};
            pool_run(pool, count_item, &tally, items);
            for (size_t i = 0; i < ITEMS; i++)
                assert_int_equal(atomic_load(&tally.done[i]), i < items);
            assert_false(atomic_load(&tally.clash));
        }
        pool_free(pool);
    }
}

static void add_up(void *context, size_t item, int thread)
{
    (void)thread;
    long *sums = context;
    sums[item] += (long)item;
}

/* What one loop wrote is there for the next, whoever does it. */
static void loops_follow_each_other(void **state)
{
    (void)state;
    struct pool *pool = pool_new(3);
    long sums[7] = {0};
    for (int loop = 0; loop < 3000; loop++)
        pool_run(pool, add_up, sums, ARRAY_LENGTH(sums));
    for (size_t i = 0; i < ARRAY_LENGTH(sums); i++)
        assert_int_equal(sums[i], 3000 * (long)i);
    pool_free(pool);
}

static void a_pool_that_never_ran_can_be_freed(void **state)
{
    (void)state;
    for (int threads = 1; threads < 5; threads++)
        pool_free(pool_new(threads));
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once_before_the_loop_returns),
        cmocka_unit_test(loops_follow_each_other),
        cmocka_unit_test(a_pool_that_never_ran_can_be_freed),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
