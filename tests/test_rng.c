#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Known answers published with the algorithm (Random123, kat_vectors). */
static const struct answer {
    uint32_t counter[4], key[2], block[4];
} answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void known_answers_of_philox(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct rng rng;

        rng_init(&rng, 0, 0, RNG_SAMPLER, 0);
        memcpy(rng.counter, answers[i].counter, sizeof(rng.counter));
        memcpy(rng.key, answers[i].key, sizeof(rng.key));
        for (int k = 0; k < 4; k++)
            assert_int_equal(rng_u32(&rng), answers[i].block[k]);
    }
}

static void the_place_of_every_argument_is_fixed(void **state)
{
    struct rng rng;

    (void)state;
    rng_init(&rng, 0x0123456789abcdef, 42, RNG_ORDER, 0xfedcba987654);
    assert_int_equal(rng.key[0], 0x89abcdef);
    assert_int_equal(rng.key[1], 0x01234567);
    assert_int_equal(rng.counter[0], 0);
    assert_int_equal(rng.counter[1], 0xba987654);
    assert_int_equal(rng.counter[2], 42);
    assert_int_equal(rng.counter[3], 0xfedc00 + RNG_ORDER);
}

static void seeking_equals_skipping(void **state)
{
    uint32_t numbers[64];
    struct rng rng;

    (void)state;
    rng_init(&rng, 7, 3, RNG_DROPOUT, 11);
    for (int i = 0; i < 64; i++)
        numbers[i] = rng_u32(&rng);
    for (unsigned n = 0; n < 60; n++) {
        unsigned place = n * 37 % 60; /* forwards and backwards */

        rng_seek(&rng, place);
        for (unsigned k = 0; k < 4; k++)
            assert_int_equal(rng_u32(&rng), numbers[place + k]);
    }
    rng_seek(&rng, ((uint64_t)1 << 34) - 1);
    assert_int_equal(rng.counter[0], 0); /* the very last block has been reached */
}

static void wide_numbers_are_two_narrow_ones(void **state)
{
    struct rng wide, narrow;

    (void)state;
    rng_init(&wide, 1, 2, RNG_WEIGHTS, 3);
    rng_init(&narrow, 1, 2, RNG_WEIGHTS, 3);
    rng_u32(&wide);
    rng_u32(&narrow);
    for (int i = 0; i < 10; i++) {
        uint64_t low = rng_u32(&narrow);
        uint64_t high = rng_u32(&narrow);

        assert_true(rng_u64(&wide) == (high << 32 | low));
    }
}

static void below_is_unbiased(void **state)
{
    enum { LIMIT = 7, DRAWS = 70000 };
    int counts[LIMIT] = {0};
    uint64_t large = (uint64_t)3 << 62; /* a plain remainder would favour the low third */
    int low_third = 0;
    struct rng rng;

    (void)state;
    rng_init(&rng, 5, 0, RNG_SUBSET, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t number = rng_below(&rng, LIMIT);

        assert_true(number < LIMIT);
        counts[number]++;
    }
    for (int i = 0; i < LIMIT; i++)
        assert_in_range(counts[i], DRAWS / LIMIT - 400, DRAWS / LIMIT + 400); /* 4 sigma */
    for (int i = 0; i < 9000; i++) {
        uint64_t number = rng_below(&rng, large);

        assert_true(number < large);
        low_third += number < large / 3;
    }
    assert_in_range(low_third, 2800, 3200);
    assert_int_equal(rng_below(&rng, 1), 0);
}

static void fractions_fill_their_range(void **state)
{
    double least = 1, most = 0, sum = 0;
    struct rng rng;

    (void)state;
    rng_init(&rng, 9, 0, RNG_AUGMENT, 0);
    for (int i = 0; i < 10000; i++) {
        double number = rng_double(&rng);
        double narrow = (double)rng_float(&rng);

        assert_true(number >= 0 && number < 1);
        assert_true(narrow >= 0 && narrow < 1);
        least = fmin(least, fmin(number, narrow));
        most = fmax(most, fmax(number, narrow));
        sum += number + narrow;
    }
    assert_true(least < 0.001 && most > 0.999);
    assert_true(fabs(sum / 20000 - 0.5) < 0.01);
}

static void normals_have_the_moments_of_the_normal_distribution(void **state)
{
    enum { DRAWS = 200000 };
    double moments[5] = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 0, RNG_WEIGHTS, 0);
    for (int i = 0; i < DRAWS; i++) {
        double number = rng_normal(&rng), power = number;

        assert_true(isfinite(number));
        for (int k = 1; k < 5; k++, power *= number)
            moments[k] += power / DRAWS;
    }
    assert_true(fabs(moments[1]) < 0.01);
    assert_true(fabs(moments[2] - 1) < 0.02);
    assert_true(fabs(moments[3]) < 0.04);
    assert_true(fabs(moments[4] - 3) < 0.1);
}

static void shuffling_permutes_and_reaches_every_order(void **state)
{
    enum { COUNT = 1000 };
    uint32_t items[COUNT], moved = 0;
    bool seen[COUNT] = {false};
    int orders[6] = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 3, 0, RNG_ORDER, 1);
    for (uint32_t i = 0; i < COUNT; i++)
        items[i] = i;
    rng_shuffle(&rng, items, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_in_range(items[i], 0, COUNT - 1);
        assert_false(seen[items[i]]);
        seen[items[i]] = true;
        moved += items[i] != i;
    }
    assert_true(moved > COUNT - 10);
    for (int i = 0; i < 6000; i++) {
        uint32_t three[3] = {0, 1, 2};

        rng_shuffle(&rng, three, 3);
        orders[three[0] * 2 + (three[1] > three[2])]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(orders[i], 880, 1120);
    rng_shuffle(&rng, NULL, 0);
}

static uint64_t first_number(uint64_t seed, uint32_t trial, enum rng_purpose purpose,
                             uint64_t index)
{
    struct rng rng;

    rng_init(&rng, seed, trial, purpose, index);
    return rng_u64(&rng);
}

static void different_arguments_give_different_streams(void **state)
{
    uint64_t numbers[] = {
        first_number(1, 1, RNG_SAMPLER, 0),
        first_number(2, 1, RNG_SAMPLER, 0),
        first_number((uint64_t)1 << 32 | 1, 1, RNG_SAMPLER, 0),
        first_number(1, 2, RNG_SAMPLER, 0),
        first_number(1, 1, RNG_SUBSET, 0),
        first_number(1, 1, RNG_WEIGHTS, 0),
        first_number(1, 1, RNG_ORDER, 0),
        first_number(1, 1, RNG_SAMPLER, 1),
        first_number(1, 1, RNG_SAMPLER, (uint64_t)1 << 32),
        first_number(1, 1, RNG_SAMPLER, (uint64_t)1 << 47),
    };
    size_t count = sizeof(numbers) / sizeof(numbers[0]);

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            assert_true(numbers[i] != numbers[k]);
    assert_true(numbers[0] == first_number(1, 1, RNG_SAMPLER, 0));
}

/* From every place within a block, for numbers that are no whole blocks; then both go on alike. */
static void many_floats_are_those_drawn_one_by_one(void **state)
{
    (void)state;
    for (uint64_t place = 0; place < 9; place++) {
        for (size_t count = 0; count <= 400; count += 1 + count / 5) {
            struct rng one, many;
            float values[401];
            rng_init(&one, 0x123456789abcdef0, 7, RNG_DROPOUT, (uint64_t)1 << 40);
            rng_seek(&one, ((uint64_t)1 << 33) + place);
            many = one;
            values[count] = 2.0f;
            rng_floats(&many, count, values);
            for (size_t i = 0; i < count; i++)
                assert_true(values[i] == rng_float(&one));
            assert_true(values[count] == 2.0f);
            assert_int_equal(rng_u32(&many), rng_u32(&one));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_of_philox),
        cmocka_unit_test(many_floats_are_those_drawn_one_by_one),
        cmocka_unit_test(the_place_of_every_argument_is_fixed),
        cmocka_unit_test(seeking_equals_skipping),
        cmocka_unit_test(wide_numbers_are_two_narrow_ones),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(fractions_fill_their_range),
        cmocka_unit_test(normals_have_the_moments_of_the_normal_distribution),
        cmocka_unit_test(shuffling_permutes_and_reaches_every_order),
        cmocka_unit_test(different_arguments_give_different_streams),
    };

    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
