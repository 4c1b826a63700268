/* Products of matrices in bf16: the loops, one table of them for each kind of instructions.
 *
 * A bf16 is the upper half of a float: 8 significant bits, and the exponents of a float.
 * Numbers are rounded to it when they are packed, to the nearest and from the middle to the
 * even one; products of two are exact in fp32, and are added up in fp32.  What is smaller
 * than the smallest normal float counts as 0.
 *
 * The instructions multiply pairs: c += a[0] b[0] + a[1] b[1].  So of b, two numbers that
 * follow each other in the sum lie side by side: it is packed in blocks of BF16_COLUMNS
 * columns, [pairs][BF16_COLUMNS][2] each, filled up with zeros.  Of a, they do so anyway.
 *
 * Sums are made in one fixed order, which differs between the tables: results have the same
 * bits for any alignment of the arrays and any number of threads. */
#ifndef TRAINER_BF16_KERNELS_H
#define TRAINER_BF16_KERNELS_H

#include "trainer/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BF16_COLUMNS = 32,    /* of a block of b */
    BF16_DEPTH_MOST = 32, /* of any table */
    BF16_RUN = 32,        /* of a transpose */
    BF16_ROWS = 16,       /* the last rows of a are read up to a multiple of it, for nothing */
};

/* Numbers as layers have them: exact, or rounded before; the other one is NULL. */
struct bf16_values {
    const float *exact;
    const uint16_t *rounded;
};

/* Where numbers go to, likewise. */
struct bf16_target {
    float *exact;
    uint16_t *rounded;
};

/* From the `first`-th on. */
static inline struct bf16_values bf16_values_from(const struct bf16_values *values, size_t first)
{
    return (struct bf16_values){values->exact ? values->exact + first : NULL,
                                values->rounded ? values->rounded + first : NULL};
}

static inline struct bf16_target bf16_target_from(const struct bf16_target *target, size_t first)
{
    return (struct bf16_target){target->exact ? target->exact + first : NULL,
                                target->rounded ? target->rounded + first : NULL};
}

/* c[row][column] = sum over k of a[row][k] b[k][column], which takes `runs` runs of a that
 * need not touch each other; rows are the first `width` of each `pitch`. */
struct bf16_product {
    const uint16_t *a;
    size_t bands, width, pitch; /* rows: number, and which */
    size_t a_row, a_run;        /* values from one row, one run to the next */
    size_t runs, run;           /* number and length, a multiple of the table's `depth` */
    const uint16_t *b;          /* [columns / BF16_COLUMNS][runs][run / 2][BF16_COLUMNS][2] */
    size_t b_block;             /* values from one block of columns to the next */
    size_t columns;
    const float *bias;          /* [columns], to be added; or NULL */
    bool add;                   /* c is added to; not with a bias, nor rounded */
    bool relu;                  /* max(c, 0) after that, where what is not a number stays so */
    struct bf16_target c;       /* [bands][width][c_row] */
    size_t c_row;
};

/* What brings numbers into the forms that products take. */
struct bf16_packing {
    /* What is not a number stays so; what is smaller than the smallest normal float becomes
     * 0. */
    void (*round)(size_t count, const float *from /* [count] */, uint16_t *to /* [count] */);

    /* Rows of b, `to_block` values from one block of columns to the next.  Fills whole pairs
     * and blocks up with zeros. */
    void (*pack)(size_t rows, size_t columns, const float *from /* [rows][columns] */,
                 uint16_t *to, size_t to_block);

    /* The same of what is rounded.  With `halved`, the first pair is of zeros and the first row. */
    void (*pack_rounded)(size_t rows, bool halved, size_t columns,
                         const uint16_t *from /* [rows][columns] */, uint16_t *to,
                         size_t to_block);

    /* Of the transpose. */
    void (*pack_transposed)(size_t rows, size_t columns,
                            const float *from /* [columns][rows] */, uint16_t *to,
                            size_t to_block);

    /* For products whose a is a transpose, in runs of BF16_RUN: each lies apart, so that what a
     * tile takes is in one place.  `rows` is a multiple of BF16_RUN, and up to 32 values are read
     * behind the last ones, without effect. */
    void (*transpose)(size_t rows, size_t columns, const uint16_t *from /* [rows][columns] */,
                      uint16_t *to /* [rows / BF16_RUN][columns][BF16_RUN] */);

    void (*transpose_floats)(size_t rows, size_t columns,
                             const float *from /* [rows][columns] */,
                             float *to /* [columns][rows] */);
};

/* What layers do to values that are rounded; as the kernels of such names in kernels.h, if nothing
 * else is said. */
struct bf16_layers {
    /* With an `output`, relu's, the gradient becomes 0 where that is not above 0. */
    void (*bias_backward)(size_t rows, size_t width, const uint16_t *output /* [rows][width] */,
                          uint16_t *gradient /* [rows][width] */,
                          float *bias_gradient /* [width] */);
    void (*relu)(size_t count, const uint16_t *input, const struct bf16_target *output);
    /* Without an `output`, the gradient is copied. */
    void (*relu_backward)(size_t count, const struct bf16_values *output /* or NULL */,
                          const struct bf16_values *output_gradient, uint16_t *input_gradient);

    void (*drop)(size_t count, const uint8_t *kept, float scale, const struct bf16_values *input,
                 const struct bf16_target *output);

    /* For windows that do not meet (bf16.h): `chosen` counts the pixels of a window, row by row,
     * where it meets the image. */
    void (*max_pool)(const struct window *window, const float *direction /* [channels], or NULL */,
                     const uint16_t *image /* [input_height][input_width][channels] */,
                     const struct bf16_target *output /* [output_height][output_width][channels] */,
                     uint16_t *chosen /* likewise */);
    void (*max_pool_backward)(const struct window *window, const uint16_t *chosen,
                              const struct bf16_values *output, /* of relu, likewise; or NULL */
                              const struct bf16_values *gradient, uint16_t *image);

    const struct bf16_norm *norm;
};

/* What batch_norm does, likewise; bf16_norm.c. */
struct bf16_norm {
    void (*moments)(size_t rows, size_t channels, const uint16_t *x /* [rows][channels] */,
                    double *sums /* [channels] */, double *squares /* [channels] */);
    void (*normalize)(size_t rows, size_t channels, const float *mean, const float *scale,
                      const float *offset, const uint16_t *x, const struct bf16_target *y);
    void (*normalize_moments)(size_t rows, size_t channels, const float *mean, const uint16_t *x,
                              const struct bf16_values *dy, double *sums, double *products);
    void (*normalize_backward)(size_t rows, size_t channels, const struct normalized *norm,
                               const uint16_t *x, const struct bf16_values *dy, uint16_t *dx);
    void (*normalize_pool_backward)(const struct window *window, const struct normalized *norm,
                                    const uint16_t *chosen, const struct bf16_values *dy,
                                    const uint16_t *image, uint16_t *dx);
};

struct bf16_kernels {
    const char *name; /* "avx512_bf16" */
    size_t depth;     /* what is summed over at once */
    const struct bf16_packing *packing;
    const struct bf16_layers *layers;
    /* Around products, any number of them.  In between, nothing may be called that might use
     * tiles itself. */
    void (*begin)(void);
    void (*multiply)(const struct bf16_product *product);
    void (*end)(void);
};

extern const struct bf16_packing bf16_packing; /* AVX512_BF16 */
extern const struct bf16_layers bf16_layers;   /* likewise */
extern const struct bf16_norm bf16_norm;       /* likewise */
extern const struct bf16_kernels bf16_dots;    /* likewise */
extern const struct bf16_kernels bf16_tiles;   /* AMX; needs bf16_tiles_granted() first */

/* Whether the processor has the instructions, and the system lets this process use them: it
 * has to be asked, once or often. */
bool bf16_tiles_granted(void);

#endif
