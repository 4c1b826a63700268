#include "tuner/heap.h"

#include "common/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void an_empty_heap_gives_nothing(void **state)
{
    struct heap heap = HEAP_EMPTY;
    uint64_t key = 5;

    (void)state;
    assert_false(heap_pop(&heap, &key));
    heap_push(&heap, 7);
    assert_true(heap_pop(&heap, &key));
    assert_int_equal(key, 7);
    assert_false(heap_pop(&heap, &key));
    heap_free(&heap);
}

/* A count by key is the reference: the smallest key with a count is next. */
static void the_smallest_key_comes_first_whatever_was_pushed_between(void **state)
{
    enum { KEYS = 40 };
    struct heap heap = HEAP_EMPTY;
    int counts[KEYS] = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 0, RNG_SAMPLER, 0);
    for (int i = 0; i < 20000; i++) {
        uint64_t key = rng_below(&rng, KEYS), smallest = 0;

        if (rng_below(&rng, 40) < (i / 100 % 2 ? 18 : 22)) { /* grows and shrinks in turn */
            heap_push(&heap, key);
            counts[key]++;
            continue;
        }
        while (smallest < KEYS && counts[smallest] == 0)
            smallest++;
        assert_int_equal(heap_pop(&heap, &key), smallest < KEYS);
        if (smallest < KEYS) {
            assert_int_equal(key, smallest);
            counts[key]--;
        }
    }
    heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_gives_nothing),
        cmocka_unit_test(the_smallest_key_comes_first_whatever_was_pushed_between),
    };

    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
