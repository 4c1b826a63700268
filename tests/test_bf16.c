/* Rounding to bf16, packing, and products, each against a plain twin. */
#include "trainer/bf16.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/bf16_twin.h"

/* Packing as it can be tried here. */
static const struct bf16_packing *packing_here(void)
{
    const struct bf16_kernels *tables[2] = {0};
    if (tables_here(tables) == 0)
        skip();
    return tables[0]->packing;
}

/* ---- rounding ---- */

/* All upper halves: zeros, denormals, normal numbers, infinities, and what is no number. */
static void rounding_is_to_the_nearest_even_one(void **state)
{
    (void)state;
    static const uint32_t lower[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    const struct bf16_packing *packing = packing_here();
    for (uint32_t upper = 0; upper < 1 << 16; upper++) {
        for (size_t i = 0; i < ARRAY_LENGTH(lower); i++) {
            float value = float_of(upper << 16 | lower[i]);
            uint16_t result;
            packing->round(1, &value, &result);
            if (result != plain_bf16(value))
                fail_msg("%a becomes %04x, not %04x", (double)value, result, plain_bf16(value));
        }
    }
}

static void any_count_is_rounded_and_no_more(void **state)
{
    (void)state;
    const struct bf16_packing *packing = packing_here();
    struct rng rng = dice_of(61);
    for (size_t count = 0; count < 100; count++) {
        float *values = random_floats(&rng, count);
        uint16_t *results = xcalloc(count + 1, sizeof *results);
        results[count] = 12345;
        packing->round(count, values, results);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(results[i], plain_bf16(values[i]));
        assert_int_equal(results[count], 12345);
        free(values);
        free(results);
    }
}

/* ---- packing ---- */

/* Where b[row][column] lies. */
static size_t place_of(size_t row, size_t column, size_t block)
{
    return column / BF16_COLUMNS * block + row / 2 * BF16_COLUMNS * 2 +
           column % BF16_COLUMNS * 2 + row % 2;
}

static size_t blocks_for(size_t columns)
{
    return (columns + BF16_COLUMNS - 1) / BF16_COLUMNS;
}

/* What is packed, by either function, with zeros to fill it up. */
static void assert_packed(size_t rows, size_t columns, const float *matrix, bool transposed)
{
    const struct bf16_packing *packing = packing_here();
    size_t block = ((rows + 1) / 2 * 2 + 2) * BF16_COLUMNS; /* with a pair that stays untouched */
    uint16_t *packed = xmalloc(blocks_for(columns) * block * sizeof *packed);
    memset(packed, 0xab, blocks_for(columns) * block * sizeof *packed);
    (transposed ? packing->pack_transposed : packing->pack)(rows, columns, matrix, packed, block);
    for (size_t row = 0; row < (rows + 1) / 2 * 2 + 2; row++) {
        for (size_t column = 0; column < blocks_for(columns) * BF16_COLUMNS; column++) {
            uint16_t expected = 0;
            if (row >= (rows + 1) / 2 * 2)
                expected = 0xabab;
            else if (row < rows && column < columns)
                expected = plain_bf16(matrix[transposed ? column * rows + row
                                                        : row * columns + column]);
            assert_int_equal(packed[place_of(row, column, block)], expected);
        }
    }
    free(packed);
}

static void rows_and_columns_are_packed_in_pairs(void **state)
{
    (void)state;
    packing_here();
    struct rng rng = dice_of(62);
    for (int round = 0; round < 60; round++) {
        size_t rows = between(&rng, 1, 80), columns = between(&rng, 1, 80);
        float *matrix = random_floats(&rng, rows * columns);
        float *exact = xreallocarray(NULL, rows * columns, sizeof *exact);
        memcpy(exact, matrix, rows * columns * sizeof *exact); /* its end is watched */
        assert_packed(rows, columns, exact, false);
        assert_packed(rows, columns, exact, true);
        free(exact);
        free(matrix);
    }
}

/* Of what is rounded, the same pairs; or, halved, as if a row of zeros were before it. */
static void rounded_rows_are_packed_in_pairs(void **state)
{
    (void)state;
    const struct bf16_packing *packing = packing_here();
    struct rng rng = dice_of(65);
    for (int round = 0; round < 60; round++) {
        size_t rows = between(&rng, 1, 80), columns = between(&rng, 1, 80);
        size_t halved = between(&rng, 0, 1), all = rows + halved;
        float *matrix = random_floats(&rng, all * columns);
        memset(matrix, 0, halved * columns * sizeof *matrix);
        uint16_t *from = halves_of(matrix + halved * columns, rows * columns);
        size_t block = (all + 1) / 2 * 2 * BF16_COLUMNS, size = blocks_for(columns) * block;
        uint16_t *packed = dirty_halves(size), *expected = dirty_halves(size);
        packing->pack(all, columns, matrix, expected, block);
        packing->pack_rounded(rows, halved, columns, from, packed, block);
        assert_memory_equal(packed, expected, (size + 1) * sizeof *packed);
        free(packed);
        free(expected);
        free(from);
        free(matrix);
    }
}

static void floats_are_transposed(void **state)
{
    (void)state;
    const struct bf16_packing *packing = packing_here();
    struct rng rng = dice_of(66);
    for (int round = 0; round < 60; round++) {
        size_t rows = between(&rng, 1, 50), columns = between(&rng, 1, 50);
        float *from = random_floats(&rng, rows * columns), *to = dirty_floats(rows * columns);
        packing->transpose_floats(rows, columns, from, to);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                assert_true(to[j * rows + i] == from[i * columns + j]);
        assert_true(to[rows * columns] == 1e30f);
        free(from);
        free(to);
    }
}

static void a_transpose_has_every_value_in_its_place(void **state)
{
    (void)state;
    const struct bf16_packing *packing = packing_here();
    struct rng rng = dice_of(63);
    for (int round = 0; round < 40; round++) {
        size_t rows = 32 * between(&rng, 1, 4), columns = between(&rng, 1, 80);
        uint16_t *from = xcalloc(rows * columns + 32, sizeof *from);
        uint16_t *to = xcalloc(columns * rows, sizeof *to);
        for (size_t i = 0; i < rows * columns; i++)
            from[i] = (uint16_t)rng_u32(&rng);
        packing->transpose(rows, columns, from, to);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                assert_int_equal(to[(i / 32 * columns + j) * 32 + i % 32], from[i * columns + j]);
        free(from);
        free(to);
    }
}

/* ---- products ---- */

/* A product, with what it reads and what it must give. */
struct trial {
    struct bf16_product product;
    uint16_t *a, *b;
    float *bias;
    size_t outputs;
    double *expected;
};

static uint16_t *random_halves(struct rng *rng, size_t count)
{
    uint16_t *halves = xcalloc(count, sizeof *halves);
    for (size_t i = 0; i < count; i++)
        halves[i] = plain_bf16(2.0f * rng_float(rng) - 1.0f);
    return halves;
}

static double value_of(uint16_t half)
{
    return float_of((uint32_t)half << 16);
}

/* What c has before the product. */
static double initial_value(size_t i)
{
    return (double)(i % 7) - 3.0;
}

static double expected_value(const struct bf16_product *p, size_t row, size_t column, size_t i)
{
    double sum = p->add ? initial_value(i) : p->bias ? p->bias[column] : 0.0;
    for (size_t k = 0; k < p->runs * p->run; k++)
        sum += value_of(p->a[row * p->a_row + k / p->run * p->a_run + k % p->run]) *
               value_of(p->b[place_of(k, column, p->b_block)]);
    return p->relu ? fmax(sum, 0.0) : sum;
}

static void solve(struct trial *trial)
{
    const struct bf16_product *p = &trial->product;
    trial->outputs = p->bands * p->width * p->c_row;
    trial->expected = xcalloc(trial->outputs, sizeof *trial->expected);
    for (size_t i = 0; i < trial->outputs; i++) {
        size_t pixel = i / p->c_row, column = i % p->c_row;
        size_t row = pixel / p->width * p->pitch + pixel % p->width;
        trial->expected[i] =
            column < p->columns ? expected_value(p, row, column, i) : initial_value(i);
    }
}

static void draw_trial(struct rng *rng, size_t depth, struct trial *trial)
{
    struct bf16_product *p = &trial->product;
    bool additional = between(rng, 0, 1);
    *p = (struct bf16_product){
        .bands = between(rng, 1, 6),
        .width = between(rng, 1, 40),
        .runs = between(rng, 1, 4),
        .run = depth * between(rng, 1, 64 / depth),
        .columns = between(rng, 1, 70),
        .add = between(rng, 0, 2) == 0,
        .relu = between(rng, 0, 1),
    };
    p->pitch = p->width + (additional ? between(rng, 1, 5) : 0);
    p->a_row = between(rng, 1, 70);
    p->a_run = between(rng, 1, 300);
    p->b_block = (p->runs * p->run + 2 * between(rng, 0, 3)) * BF16_COLUMNS;
    p->c_row = p->columns + between(rng, 0, 20);
    size_t rows = p->bands * p->pitch + BF16_ROWS;
    p->a = trial->a = random_halves(rng, rows * p->a_row + p->runs * p->a_run + p->run);
    p->b = trial->b = random_halves(rng, blocks_for(p->columns) * p->b_block);
    trial->bias = random_floats(rng, p->columns);
    p->bias = p->add || between(rng, 0, 1) ? NULL : trial->bias;
    solve(trial);
}

/* Rounded, the sums are those of the exact product. */
static void check_rounded(const struct bf16_kernels *kernels, const struct trial *trial,
                          const float *exact)
{
    struct bf16_product product = trial->product;
    uint16_t *c = dirty_halves(trial->outputs);
    if (!product.add) {
        product.c.rounded = c;
        kernels->begin();
        kernels->multiply(&product);
        kernels->end();
        for (size_t i = 0; i < trial->outputs; i++)
            assert_int_equal(c[i], i % product.c_row < product.columns ? plain_bf16(exact[i])
                                                                       : HALF_GUARD);
    }
    assert_int_equal(c[trial->outputs], HALF_GUARD);
    free(c);
}

static void check_trial(const struct bf16_kernels *kernels, const struct trial *trial)
{
    struct bf16_product product = trial->product;
    float *c = xcalloc(trial->outputs, sizeof *c);
    for (size_t i = 0; i < trial->outputs; i++)
        c[i] = (float)initial_value(i);
    product.c.exact = c;
    kernels->begin();
    kernels->multiply(&product);
    kernels->end();
    for (size_t i = 0; i < trial->outputs; i++) {
        if (!(fabs(c[i] - trial->expected[i]) <= 1e-4))
            fail_msg("%s: value %zu of %zu is %.9g, not %.9g", kernels->name, i, trial->outputs,
                     c[i], trial->expected[i]);
    }
    check_rounded(kernels, trial, c);
    free(c);
}

static void products_equal_their_twin(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    size_t count = tables_here(tables);
    packing_here();
    struct rng rng = dice_of(64);
    for (int round = 0; round < 150; round++) {
        for (size_t i = 0; i < count; i++) {
            struct trial trial;
            draw_trial(&rng, tables[i]->depth, &trial);
            check_trial(tables[i], &trial);
            free(trial.a);
            free(trial.b);
            free(trial.bias);
            free(trial.expected);
        }
    }
    assert_true(tiles_were_tried());
}

/* ---- the choice ---- */

static void TRAINER_ISA_switches_kernels_off(void **state)
{
    (void)state;
    packing_here();
    setenv("TRAINER_ISA", "avx512", 1);
    assert_string_equal(bf16_kernels(), "avx512_bf16");
    setenv("TRAINER_ISA", "auto", 1);
    assert_string_equal(bf16_kernels(), tiles_are_real() ? "amx" : "avx512_bf16");
    setenv("TRAINER_ISA", "avx2", 1);
    assert_null(bf16_kernels());
    setenv("TRAINER_ISA", "portable", 1);
    assert_null(bf16_kernels());
    assert_null(bf16_kernels_chosen());
    unsetenv("TRAINER_ISA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_to_the_nearest_even_one),
        cmocka_unit_test(any_count_is_rounded_and_no_more),
        cmocka_unit_test(rows_and_columns_are_packed_in_pairs),
        cmocka_unit_test(rounded_rows_are_packed_in_pairs),
        cmocka_unit_test(floats_are_transposed),
        cmocka_unit_test(a_transpose_has_every_value_in_its_place),
        cmocka_unit_test(products_equal_their_twin),
        cmocka_unit_test(TRAINER_ISA_switches_kernels_off),
    };
    return cmocka_run_group_tests_name("bf16", tests, NULL, NULL);
}
