/* Blocks of floats: where they lie, and what becomes of tiny numbers. */
#include "trainer/floats.h"

#include <float.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void blocks_begin_on_a_cache_line_and_large_ones_on_a_large_page(void **state)
{
    (void)state;
    static const struct {
        size_t count, unit;
    } cases[] = {{0, 64}, {1, 64}, {1000, 64}, {(1 << 18) - 1, 64}, {1 << 18, 2 << 20},
                 {(1 << 20) + 1, 2 << 20}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float *block = floats_zero(cases[i].count);
        assert_int_equal((uintptr_t)block % cases[i].unit, 0);
        for (size_t k = 0; k < cases[i].count; k++)
            assert_true(block[k] == 0.0f);
        free(block);
    }
}

/* Half of the smallest normal number, worked out as the program runs. */
static float tiny(void)
{
    volatile float smallest = FLT_MIN, half = 0.5f;
    return smallest * half;
}

static void *note_tiny(void *number)
{
    *(float *)number = tiny();
    return NULL;
}

static void tiny_numbers_become_0_on_this_thread_and_its_own(void **state)
{
    (void)state;
    float elsewhere = 1.0f;
    pthread_t thread;
    assert_true(tiny() > 0.0f);
    floats_flush_tiny();
    assert_true(tiny() == 0.0f);
    assert_int_equal(pthread_create(&thread, NULL, note_tiny, &elsewhere), 0);
    pthread_join(thread, NULL);
    assert_true(elsewhere == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_begin_on_a_cache_line_and_large_ones_on_a_large_page),
        cmocka_unit_test(tiny_numbers_become_0_on_this_thread_and_its_own),
    };
    return cmocka_run_group_tests_name("floats", tests, NULL, NULL);
}
