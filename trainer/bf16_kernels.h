/* Products of matrices in bf16: the loops, one table of them for each kind of instructions.
 *
 * Products of two numbers (bf16_values.h) are exact in fp32, and are added up in fp32.
 *
 * The instructions multiply pairs: c += a[0] b[0] + a[1] b[1].  So of b, two numbers that
 * follow each other in the sum lie side by side: it is packed in blocks of BF16_COLUMNS
 * columns, [pairs][BF16_COLUMNS][2] each, filled up with zeros.  Of a, they do so anyway.
 *
 * Sums are made in one fixed order, which differs between the tables: results have the same
 * bits for any alignment of the arrays and any number of threads. */
#ifndef TRAINER_BF16_KERNELS_H
#define TRAINER_BF16_KERNELS_H

#include "trainer/bf16_layers.h"

enum {
    BF16_COLUMNS = 32,    /* of a block of b */
    BF16_DEPTH_MOST = 32, /* of any table */
    BF16_RUN = 32,        /* of a transpose */
    BF16_ROWS = 16,       /* the last rows of a are read up to a multiple of it, for nothing */
};

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
extern const struct bf16_kernels bf16_dots;    /* likewise */
extern const struct bf16_kernels bf16_tiles;   /* AMX; needs bf16_tiles_granted() first */

/* Whether the processor has the instructions, and the system lets this process use them: it
 * has to be asked, once or often. */
bool bf16_tiles_granted(void);

#endif
