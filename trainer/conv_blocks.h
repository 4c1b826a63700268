/* The loops of the direct convolution (conv_kernels.h), written once for vectors of any
 * width.  A file conv_<isa>.c defines
 *
 *   LANES          floats in a vector
 *   VECTORS_MOST   vectors of filters that a block works on
 *   PIXELS_MOST    pixels, or cells of the window, that a block works on
 *   CONV_KERNELS   the name of its table
 *   CONV_ISA       and what the table is called, "avx2"
 *
 * and includes this file, compiled with that instruction set's flags.
 *
 * A block keeps pixels x vectors sums in registers while it runs over what they are sums
 * of: each step loads `vectors` vectors, and each scalar that is multiplied with all of
 * them is loaded once.  So PIXELS_MOST x VECTORS_MOST + VECTORS_MOST + 1 registers are
 * the most that a processor has, and everything about a block's size must be known to the
 * compiler: hence functions that are always inlined into a switch over sizes. */
#include "trainer/conv_kernels.h"
#include "trainer/conv_vectors.h"

#include <math.h>

/* ---- forward: some pixels of a row x some vectors of filters ---- */

struct forward_block {
    const float *image;   /* the first pixel's first cell that is in the image */
    const float *weights; /* [rows][run][vectors * LANES], from that cell on, */
    size_t weights_gap;   /* with so many floats between the rows */
    const float *bias;    /* [vectors * LANES]; NULL: what is in the output already */
    float floor;          /* of the output: 0 for relu */
    size_t rows, run;     /* rows of the window that are in the image, and their cells */
    size_t image_row;     /* floats from one row of the image to the next, */
    size_t pixel;         /* from one output pixel's window to the next one's, */
    size_t step;          /* from one output pixel to the next, */
    size_t width;         /* and those that this block writes there */
    float *output;
};

INLINE void load_pixel(const struct forward_block *block, size_t vectors, const float *output,
                       vector *sums)
{
    UNROLL
    for (size_t v = 0; v < vectors; v++)
        sums[v] = block->bias ? load(block->bias + v * LANES)
                              : load_some(output + v * LANES, block->width - v * LANES);
}

INLINE void store_pixel(const struct forward_block *block, size_t vectors, const vector *sums,
                        float *output)
{
    vector floor = block->floor - (vector){0};
    UNROLL
    for (size_t v = 0; v < vectors; v++)
        store_some(not_below(sums[v], floor), block->width - v * LANES, output + v * LANES);
}

INLINE void forward_pixels(const struct forward_block *block, size_t pixels, size_t vectors)
{
    vector sums[PIXELS_MOST][VECTORS_MOST];
    UNROLL
    for (size_t p = 0; p < pixels; p++)
        load_pixel(block, vectors, block->output + p * block->step, sums[p]);
    const float *weights = block->weights;
    size_t pixel = block->pixel;
    for (size_t row = 0; row < block->rows; row++, weights += block->weights_gap) {
        const float *cell = block->image + row * block->image_row;
        for (size_t i = 0; i < block->run; i++, cell++, weights += vectors * LANES) {
            vector weight[VECTORS_MOST];
            UNROLL
            for (size_t v = 0; v < vectors; v++)
                weight[v] = load(weights + v * LANES);
            UNROLL
            for (size_t p = 0; p < pixels; p++) {
                float value = cell[p * pixel];
                UNROLL
                for (size_t v = 0; v < vectors; v++)
                    sums[p][v] += value * weight[v];
            }
        }
    }
    UNROLL
    for (size_t p = 0; p < pixels; p++)
        store_pixel(block, vectors, sums[p], block->output + p * block->step);
}

/* ---- the weights' gradient: some cells of the window x some vectors of filters ---- */

struct gradient_block {
    const float *image;           /* the first cell, under the first of the pixels */
    const float *output_gradient; /* of the first of the pixels */
    float *sums;                  /* [cells][vectors * LANES], to be added to */
    size_t rows, columns;         /* output pixels */
    size_t image_row, pixel;      /* floats from one row or window of the image to the next, */
    size_t gradient_row, filters; /* and from one row or pixel of the output to the next */
};

INLINE void gradient_cells(const struct gradient_block *block, size_t cells, size_t vectors)
{
    vector sums[PIXELS_MOST][VECTORS_MOST];
    UNROLL
    for (size_t c = 0; c < cells; c++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[c][v] = load(block->sums + (c * vectors + v) * LANES);
    }
    for (size_t row = 0; row < block->rows; row++) {
        const float *cell = block->image + row * block->image_row;
        const float *gradient = block->output_gradient + row * block->gradient_row;
        for (size_t x = 0; x < block->columns; x++) {
            vector slope[VECTORS_MOST];
            UNROLL
            for (size_t v = 0; v < vectors; v++)
                slope[v] = load(gradient + v * LANES);
            UNROLL
            for (size_t c = 0; c < cells; c++) {
                float value = cell[c];
                UNROLL
                for (size_t v = 0; v < vectors; v++)
                    sums[c][v] += value * slope[v];
            }
            cell += block->pixel;
            gradient += block->filters;
        }
    }
    UNROLL
    for (size_t c = 0; c < cells; c++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            store(sums[c][v], block->sums + (c * vectors + v) * LANES);
    }
}

/* ---- every size of block, each compiled on its own ---- */

#define CASE(work, size, vectors)           \
    case size:                              \
        work(block, size, vectors);         \
        break;

#if PIXELS_MOST > 6
#define LARGE_CASES(work, vectors)                                                             \
    CASE(work, 7, vectors) CASE(work, 8, vectors) CASE(work, 9, vectors)                       \
    CASE(work, 10, vectors) CASE(work, 11, vectors) CASE(work, 12, vectors)                    \
    CASE(work, 13, vectors) CASE(work, 14, vectors)
_Static_assert(PIXELS_MOST == 14, "a case for each size of block");
#else
#define LARGE_CASES(work, vectors)
_Static_assert(PIXELS_MOST == 6, "a case for each size of block");
#endif

#define SWITCH(work, size, vectors)                                                            \
    switch (size) {                                                                            \
        CASE(work, 1, vectors) CASE(work, 2, vectors) CASE(work, 3, vectors)                   \
        CASE(work, 4, vectors) CASE(work, 5, vectors) CASE(work, 6, vectors)                   \
        LARGE_CASES(work, vectors)                                                             \
    }

#define FUNCTIONS(vectors)                                                                     \
    static void forward_##vectors(const struct forward_block *block, size_t pixels)            \
    {                                                                                          \
        SWITCH(forward_pixels, pixels, vectors)                                                \
    }                                                                                          \
    static void gradient_##vectors(const struct gradient_block *block, size_t cells)           \
    {                                                                                          \
        SWITCH(gradient_cells, cells, vectors)                                                 \
    }

FUNCTIONS(1)
FUNCTIONS(2)
#if VECTORS_MOST == 4
FUNCTIONS(3)
FUNCTIONS(4)
static void (*const forward_blocks[])(const struct forward_block *, size_t) = {
    forward_1, forward_2, forward_3, forward_4};
static void (*const gradient_blocks[])(const struct gradient_block *, size_t) = {
    gradient_1, gradient_2, gradient_3, gradient_4};
#else
static void (*const forward_blocks[])(const struct forward_block *, size_t) = {forward_1,
                                                                               forward_2};
static void (*const gradient_blocks[])(const struct gradient_block *, size_t) = {gradient_1,
                                                                                 gradient_2};
#endif
_Static_assert(sizeof forward_blocks / sizeof *forward_blocks == VECTORS_MOST,
               "a function for each number of vectors");

/* A run of `count` in pieces of at most PIXELS_MOST and nearly one size, so that no piece
 * has too few sums to keep the multipliers busy. */
INLINE size_t pieces_of(size_t count)
{
    return (count + PIXELS_MOST - 1) / PIXELS_MOST;
}

/* ---- a whole image ---- */

/* The rows [first, end) of the window that lie in the image for a row of the output. */
static size_t rows_inside(const struct conv_shape *shape, size_t y, size_t *first)
{
    size_t start = y * shape->stride;
    *first = start < shape->top ? shape->top - start : 0;
    size_t end = least(shape->size, shape->height + shape->top - start);
    return end - least(*first, end);
}

static void forward_run(struct forward_block *block, const float *image, float *output,
                        size_t pixels, size_t vectors)
{
    size_t pieces = pieces_of(pixels);
    for (size_t piece = 0; piece < pieces; piece++) {
        size_t begin = pixels * piece / pieces;
        size_t end = pixels * (piece + 1) / pieces;
        block->image = image + begin * block->pixel;
        block->output = output + begin * block->step;
        forward_blocks[vectors - 1](block, end - begin);
    }
}

static void forward(const struct conv_shape *shape, const float *image, const float *weights,
                    const float *bias, bool relu, float *output)
{
    struct forward_block block = {
        .floor = relu ? 0.0f : -INFINITY,
        .run = shape->size * shape->channels,
        .image_row = shape->width * shape->channels,
        .pixel = shape->stride * shape->channels,
        .step = shape->filters,
    };
    for (size_t filter = 0; filter < shape->filters; filter += GROUP) {
        block.width = least(GROUP, shape->filters - filter);
        size_t vectors = (block.width + LANES - 1) / LANES;
        block.bias = bias + filter;
        for (size_t y = 0; y < shape->output_height; y++) {
            size_t first;
            block.rows = rows_inside(shape, y, &first);
            block.weights = weights + first * block.run * vectors * LANES;
            forward_run(&block, image + (y * shape->stride + first - shape->top) * block.image_row,
                        output + y * shape->output_width * shape->filters + filter,
                        shape->output_width, vectors);
        }
        weights += shape->size * block.run * vectors * LANES;
    }
}

/* Of the windows from *begin to `end` along one axis, those whose cell `cell` lies in the
 * image, of `input` pixels behind `before` of padding: from *begin on, how many. */
static size_t windows_with(size_t cell, size_t before, size_t input, size_t stride, size_t *begin,
                           size_t end)
{
    if (cell < before) {
        size_t first = (before - cell + stride - 1) / stride;
        *begin = *begin < first ? first : *begin;
    }
    size_t limit = input + before;
    end = cell < limit ? least(end, (limit - cell + stride - 1) / stride) : 0;
    return end - least(*begin, end);
}

static void gradient_run(const struct conv_shape *shape, struct gradient_block *block,
                         const float *image_row, float *sums, size_t vectors)
{
    size_t run = shape->size * shape->channels;
    size_t pieces = pieces_of(run);
    for (size_t piece = 0; piece < pieces; piece++) {
        size_t begin = run * piece / pieces;
        size_t end = run * (piece + 1) / pieces;
        block->image = image_row + begin;
        block->sums = sums + begin * vectors * LANES;
        gradient_blocks[vectors - 1](block, end - begin);
    }
}

static void gradient_strip(const struct conv_shape *shape, const float *image,
                           const float *output_gradient, size_t begin, size_t end, float *sums)
{
    struct gradient_block block = {
        .columns = shape->output_width,
        .image_row = shape->stride * shape->width * shape->channels,
        .pixel = shape->stride * shape->channels,
        .gradient_row = shape->gradient_row,
        .filters = shape->filters,
    };
    for (size_t filter = 0; filter < shape->filters; filter += GROUP) {
        size_t vectors = (least(GROUP, shape->filters - filter) + LANES - 1) / LANES;
        for (size_t row = 0; row < shape->size; row++) {
            size_t first = begin;
            block.rows = windows_with(row, shape->top, shape->height, shape->stride, &first, end);
            block.output_gradient = output_gradient + first * shape->gradient_row + filter;
            if (block.rows > 0)
                gradient_run(shape, &block,
                             image + (first * shape->stride + row - shape->top) * shape->width *
                                         shape->channels,
                             sums, vectors);
            sums += shape->size * shape->channels * vectors * LANES;
        }
    }
}

/* What of the image and of the output's gradient should stay in the first-level cache
 * while all cells of the window and all filters are worked on. */
enum { STRIP_BYTES = 24 << 10 };

static void gradient(const struct conv_shape *shape, const float *image,
                     const float *output_gradient, float *sums)
{
    size_t row_bytes =
        (shape->stride * shape->width * shape->channels + shape->gradient_row) * sizeof(float);
    size_t rows = STRIP_BYTES / row_bytes + 1;
    for (size_t y = 0; y < shape->output_height; y += rows)
        gradient_strip(shape, image, output_gradient, y, least(y + rows, shape->output_height),
                       sums);
}

/* ---- the image's gradient, one column of the window after the other ---- */

/* The output's rows [first, end) whose windows see a row of the image. */
static size_t rows_seeing(const struct conv_shape *shape, size_t y, size_t *first)
{
    size_t from_top = y + shape->top, stride = shape->stride;
    *first = from_top < shape->size ? 0 : (from_top - shape->size) / stride + 1;
    size_t end = least(from_top / stride + 1, shape->output_height);
    return end - least(*first, end);
}

static void back_row(const struct conv_shape *shape, struct forward_block *block,
                     const float *gradient_row, const float *weights, float *image_row,
                     size_t vectors)
{
    for (size_t column = 0; column < shape->size; column++) {
        size_t first = 0;
        size_t pixels = windows_with(column, shape->left, shape->width, shape->stride, &first,
                                     shape->output_width);
        block->weights = weights + (shape->size - 1 - column) * block->run * vectors * LANES;
        if (pixels > 0)
            forward_run(block, gradient_row + first * block->pixel,
                        image_row + (first * shape->stride + column - shape->left) *
                                        shape->channels,
                        pixels, vectors);
    }
}

static void back(const struct conv_shape *shape, const float *output_gradient,
                 const float *weights, float *image)
{
    struct forward_block block = {
        .floor = -INFINITY,
        .run = shape->filters,
        .image_row = shape->output_width * shape->filters,
        .pixel = shape->filters,
        .step = shape->stride * shape->channels,
    };
    size_t image_row = shape->width * shape->channels;
    memset(image, 0, shape->height * image_row * sizeof *image);
    for (size_t channel = 0; channel < shape->channels; channel += GROUP) {
        block.width = least(GROUP, shape->channels - channel);
        size_t vectors = (block.width + LANES - 1) / LANES;
        size_t weights_row = shape->size * block.run * vectors * LANES;
        block.weights_gap = shape->stride * weights_row - block.run * vectors * LANES;
        for (size_t y = 0; y < shape->height; y++) {
            size_t first;
            block.rows = rows_seeing(shape, y, &first);
            size_t turned = shape->size - 1 - (y + shape->top - first * shape->stride);
            if (block.rows > 0)
                back_row(shape, &block, output_gradient + first * block.image_row,
                         weights + turned * weights_row, image + y * image_row + channel,
                         vectors);
        }
        weights += shape->size * weights_row;
    }
}

const struct conv_kernels CONV_KERNELS = {
    .isa = CONV_ISA,
    .lanes = LANES,
    .group = GROUP,
    .forward = forward,
    .gradient = gradient,
    .back = back,
};
