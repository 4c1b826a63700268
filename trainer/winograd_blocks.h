/* The transforms of Winograd's convolution (winograd_kernels.h), written once for vectors of
 * any width.  A file winograd_<isa>.c defines what conv_vectors.h wants and
 * WINOGRAD_KERNELS, the name of its table, and includes this file, compiled with that
 * instruction set's flags.
 *
 * With N(x) = x (x^2 - p^2) (x^2 - q^2) ... over the pairs of points, a line's value for the
 * point p has the coefficients of N(x) / (x - p) = x (x + p) O(x^2), where O is the product over
 * the other pairs.  So the two of a pair share their even and their odd terms, here and in all the
 * other transforms, and differ in a sign: a line of 8 takes 24 operations.  A kernel's value
 * is divided by N'(p).
 *
 * The order along a line of values at points: 0, p, -p, q, -q, ..., infinity. */
#include "trainer/conv_vectors.h"
#include "trainer/winograd_kernels.h"

#include <math.h>

enum { OUTPUTS = WINOGRAD_OUTPUTS, PAIRS_MOST = 3, SIDE_MOST = 2 * PAIRS_MOST + 2 };

struct points {
    float root[PAIRS_MOST];               /* p of each pair, */
    float square[PAIRS_MOST];             /* and p^2 */
    float others[PAIRS_MOST][PAIRS_MOST]; /* O(x), the lowest coefficient first */
    float whole[PAIRS_MOST + 1];          /* the product over all pairs, likewise: N(x) / x */
    float zero, divided[PAIRS_MOST];      /* 1 / N'(0), 1 / N'(p) = 1 / (2 p^2 O(p^2)) */
};

static const struct points points_of_3 = {
    .root = {0.625f, 1.5f},
    .square = {0.390625f, 2.25f},
    .others = {{-2.25f, 1.0f}, {-0.390625f, 1.0f}},
    .whole = {0.87890625f, -2.640625f, 1.0f},
    .zero = 1.0f / 0.87890625f,
    .divided = {-1.0f / 1.45263671875f, 1.0f / 8.3671875f},
};

static const struct points points_of_5 = {
    .root = {0.5f, 1.0f, 2.0f},
    .square = {0.25f, 1.0f, 4.0f},
    .others = {{4.0f, -5.0f, 1.0f}, {1.0f, -4.25f, 1.0f}, {0.25f, -1.25f, 1.0f}},
    .whole = {-1.0f, 5.25f, -5.25f, 1.0f},
    .zero = -1.0f,
    .divided = {1.0f / 1.40625f, -1.0f / 4.5f, 1.0f / 90.0f},
};

/* What the compiler must know to keep a line in registers. */
struct plan {
    const struct points *points;
    size_t pairs;
};

INLINE size_t side_of(size_t pairs)
{
    return 2 * pairs + 2;
}

INLINE size_t size_of(size_t pairs)
{
    return 2 * pairs - 1;
}

/* ---- a line, from one vector array to another ---- */

/* B^T: [side] -> [side] */
INLINE void image_line(struct plan plan, const vector *image, vector *values)
{
    const struct points *points = plan.points;
    size_t pairs = plan.pairs;
    vector zero = image[2 * pairs], infinity = image[2 * pairs + 1];
    UNROLL
    for (size_t j = 0; j < pairs; j++) {
        zero += points->whole[j] * image[2 * j];
        infinity += points->whole[j] * image[2 * j + 1];
    }
    values[0] = zero;
    values[2 * pairs + 1] = infinity;
    UNROLL
    for (size_t k = 0; k < pairs; k++) {
        vector even = image[2 * pairs], odd = image[2 * pairs - 1];
        UNROLL
        for (size_t j = 0; j + 1 < pairs; j++) {
            even += points->others[k][j] * image[2 * j + 2];
            odd += points->others[k][j] * image[2 * j + 1];
        }
        values[1 + 2 * k] = even + points->root[k] * odd;
        values[2 + 2 * k] = even - points->root[k] * odd;
    }
}

/* B: [side] -> [side] */
INLINE void image_gradient_line(struct plan plan, const vector *values, vector *image)
{
    const struct points *points = plan.points;
    size_t pairs = plan.pairs;
    vector even[PAIRS_MOST], odd[PAIRS_MOST];
    UNROLL
    for (size_t k = 0; k < pairs; k++) {
        even[k] = values[1 + 2 * k] + values[2 + 2 * k];
        odd[k] = points->root[k] * (values[1 + 2 * k] - values[2 + 2 * k]);
    }
    UNROLL
    for (size_t j = 0; j <= pairs; j++) {
        vector low = points->whole[j] * values[0];
        vector high = points->whole[j] * values[2 * pairs + 1];
        UNROLL
        for (size_t k = 0; k < pairs; k++) {
            if (j > 0)
                low += points->others[k][j - 1] * even[k];
            if (j < pairs)
                high += points->others[k][j] * odd[k];
        }
        image[2 * j] = low;
        image[2 * j + 1] = high;
    }
}

/* A^T: [side] -> [OUTPUTS] */
INLINE void output_line(struct plan plan, const vector *values, vector *outputs)
{
    const struct points *points = plan.points;
    vector sums[OUTPUTS] = {values[0], {0}, {0}, values[2 * plan.pairs + 1]};
    UNROLL
    for (size_t k = 0; k < plan.pairs; k++) {
        vector even = values[1 + 2 * k] + values[2 + 2 * k];
        vector odd = points->root[k] * (values[1 + 2 * k] - values[2 + 2 * k]);
        sums[0] += even;
        sums[1] += odd;
        sums[2] += points->square[k] * even;
        sums[3] += points->square[k] * odd;
    }
    UNROLL
    for (size_t i = 0; i < OUTPUTS; i++)
        outputs[i] = sums[i];
}

/* A: [OUTPUTS] -> [side] */
INLINE void output_gradient_line(struct plan plan, const vector *outputs, vector *values)
{
    const struct points *points = plan.points;
    values[0] = outputs[0];
    values[2 * plan.pairs + 1] = outputs[3];
    UNROLL
    for (size_t k = 0; k < plan.pairs; k++) {
        vector even = outputs[0] + points->square[k] * outputs[2];
        vector odd = outputs[1] + points->square[k] * outputs[3];
        values[1 + 2 * k] = even + points->root[k] * odd;
        values[2 + 2 * k] = even - points->root[k] * odd;
    }
}

/* G: [size] -> [side] */
INLINE void weights_line(struct plan plan, const vector *weights, vector *values)
{
    const struct points *points = plan.points;
    size_t pairs = plan.pairs;
    values[0] = weights[0] * points->zero;
    values[2 * pairs + 1] = weights[2 * pairs - 2];
    UNROLL
    for (size_t k = 0; k < pairs; k++) {
        vector even = weights[2 * pairs - 2], odd = weights[2 * pairs - 3];
        UNROLL
        for (size_t j = pairs - 1; j-- > 0;) {
            even = even * points->square[k] + weights[2 * j];
            if (j > 0)
                odd = odd * points->square[k] + weights[2 * j - 1];
        }
        odd *= points->root[k];
        values[1 + 2 * k] = (even + odd) * points->divided[k];
        values[2 + 2 * k] = (even - odd) * points->divided[k];
    }
}

/* G^T: [side] -> [size] */
INLINE void weight_gradient_line(struct plan plan, const vector *values, vector *weights)
{
    const struct points *points = plan.points;
    size_t pairs = plan.pairs;
    vector sums[2 * PAIRS_MOST] = {values[0] * points->zero};
    sums[2 * pairs - 2] = values[2 * pairs + 1];
    UNROLL
    for (size_t k = 0; k < pairs; k++) {
        vector even = (values[1 + 2 * k] + values[2 + 2 * k]) * points->divided[k];
        vector odd = (values[1 + 2 * k] - values[2 + 2 * k]) * points->divided[k] * points->root[k];
        UNROLL
        for (size_t j = 0; j < pairs; j++) {
            sums[2 * j] += even;
            sums[2 * j + 1] += odd;
            even *= points->square[k];
            odd *= points->square[k];
        }
    }
    UNROLL
    for (size_t i = 0; i < size_of(pairs); i++)
        weights[i] = sums[i];
}

/* ---- a tile: its rows, and then the columns of what they have become ---- */

/* Each writes what it makes of a row into the columns of `half`, which are lines again. */
typedef vector half_tile[SIDE_MOST][SIDE_MOST];

INLINE void set_column(half_tile half, size_t y, const vector *line, size_t count)
{
    UNROLL
    for (size_t x = 0; x < count; x++)
        half[x][y] = line[x];
}

INLINE void load_points(size_t side, const float *points, size_t step, vector *line)
{
    UNROLL
    for (size_t x = 0; x < side; x++)
        line[x] = load(points + x * step);
}

INLINE void store_points(size_t side, const vector *line, float *points, size_t step)
{
    UNROLL
    for (size_t y = 0; y < side; y++)
        store(line[y], points + y * side * step);
}

INLINE void image(struct plan plan, const struct winograd_pixels *place, const float *tile,
                  size_t channels, float *points, size_t step)
{
    size_t side = side_of(plan.pairs);
    vector line[SIDE_MOST], values[SIDE_MOST];
    half_tile half;
    for (size_t c = 0; c < channels; c += LANES) {
        for (size_t y = 0; y < side; y++) {
            load_points(side, tile + y * place->row + c, place->pixel, line);
            image_line(plan, line, values);
            set_column(half, y, values, side);
        }
        for (size_t x = 0; x < side; x++) {
            image_line(plan, half[x], values);
            store_points(side, values, points + x * step + c, step);
        }
    }
}

INLINE void image_gradient(struct plan plan, const struct winograd_pixels *place,
                           const float *points, size_t step, size_t channels, float *tile)
{
    size_t side = side_of(plan.pairs);
    vector line[SIDE_MOST], values[SIDE_MOST];
    half_tile half;
    for (size_t c = 0; c < channels; c += LANES) {
        for (size_t y = 0; y < side; y++) {
            load_points(side, points + y * side * step + c, step, line);
            image_gradient_line(plan, line, values);
            set_column(half, y, values, side);
        }
        for (size_t x = 0; x < side; x++) {
            float *column = tile + x * place->pixel + c;
            image_gradient_line(plan, half[x], values);
            UNROLL
            for (size_t y = 0; y < side; y++)
                store(load(column + y * place->row) + values[y], column + y * place->row);
        }
    }
}

INLINE void output(struct plan plan, const struct winograd_pixels *place, const float *points,
                   size_t step, size_t filters, const float *bias, bool relu, float *outputs)
{
    size_t side = side_of(plan.pairs);
    vector line[SIDE_MOST], values[OUTPUTS];
    vector floor = (relu ? 0.0f : -INFINITY) - (vector){0};
    half_tile half;
    for (size_t f = 0; f < filters; f += LANES) {
        vector start = load(bias + f);
        for (size_t y = 0; y < side; y++) {
            load_points(side, points + y * side * step + f, step, line);
            output_line(plan, line, values);
            set_column(half, y, values, OUTPUTS);
        }
        for (size_t x = 0; x < place->columns; x++) {
            float *column = outputs + x * place->pixel + f;
            output_line(plan, half[x], values);
            for (size_t y = 0; y < place->rows; y++)
                store_some(not_below(values[y] + start, floor), filters - f,
                           column + y * place->row);
        }
    }
}

INLINE void output_gradient(struct plan plan, const struct winograd_pixels *place,
                            const float *gradient, size_t filters, float *points, size_t step)
{
    size_t side = side_of(plan.pairs);
    vector values[SIDE_MOST];
    half_tile half;
    for (size_t f = 0; f < filters; f += LANES) {
        for (size_t y = 0; y < OUTPUTS; y++) {
            vector line[OUTPUTS] = {{0}};
            for (size_t x = 0; y < place->rows && x < place->columns; x++)
                line[x] = load_some(gradient + y * place->row + x * place->pixel + f, filters - f);
            output_gradient_line(plan, line, values);
            set_column(half, y, values, side);
        }
        for (size_t x = 0; x < side; x++) {
            output_gradient_line(plan, half[x], values);
            store_points(side, values, points + x * step + f, step);
        }
    }
}

/* ---- weights: vectors of columns, of all the taps at once ---- */

INLINE void weights_vector(struct plan plan, const float *weights, size_t tap, size_t count,
                           float *points, size_t step)
{
    size_t side = side_of(plan.pairs), size = size_of(plan.pairs);
    vector line[SIDE_MOST], values[SIDE_MOST];
    half_tile half;
    for (size_t y = 0; y < size; y++) {
        UNROLL
        for (size_t x = 0; x < size; x++)
            line[x] = load_some(weights + (y * size + x) * tap, count);
        weights_line(plan, line, values);
        set_column(half, y, values, side);
    }
    for (size_t x = 0; x < side; x++) {
        weights_line(plan, half[x], values);
        store_points(side, values, points + x * step, step);
    }
}

INLINE void weight_gradient_vector(struct plan plan, const float *points, size_t step, size_t tap,
                                   size_t count, float *weights)
{
    size_t side = side_of(plan.pairs), size = size_of(plan.pairs);
    vector line[SIDE_MOST], values[SIDE_MOST];
    half_tile half;
    for (size_t y = 0; y < side; y++) {
        load_points(side, points + y * side * step, step, line);
        weight_gradient_line(plan, line, values);
        set_column(half, y, values, size);
    }
    for (size_t x = 0; x < size; x++) {
        weight_gradient_line(plan, half[x], values);
        UNROLL
        for (size_t y = 0; y < size; y++)
            store_some(values[y], count, weights + (y * size + x) * tap);
    }
}

/* The floats that a row of the group of columns from `first` on takes when it is packed. */
INLINE size_t packed_width(size_t columns, size_t first)
{
    return (least(GROUP, columns - first) + LANES - 1) / LANES * LANES;
}

INLINE void weights(struct plan plan, const float *from, size_t rows, size_t columns,
                    float *points, size_t step)
{
    for (size_t first = 0; first < columns; first += GROUP) {
        size_t width = packed_width(columns, first);
        for (size_t row = 0; row < rows; row++) {
            for (size_t v = first; v < first + width; v += LANES, points += LANES)
                weights_vector(plan, from + row * columns + v, rows * columns, columns - v,
                               points, step);
        }
    }
}

INLINE void weight_gradient(struct plan plan, const float *points, size_t step, size_t rows,
                            size_t columns, float *to)
{
    for (size_t first = 0; first < columns; first += GROUP) {
        size_t width = packed_width(columns, first);
        for (size_t row = 0; row < rows; row++) {
            for (size_t v = first; v < first + width; v += LANES, points += LANES)
                weight_gradient_vector(plan, points, step, rows * columns, columns - v,
                                       to + row * columns + v);
        }
    }
}

/* ---- for both sizes of kernel ---- */

#define FUNCTIONS(kernel, pairs)                                                                 \
    static void image_##kernel(const struct winograd_pixels *place, const float *from,           \
                               size_t channels, float *points, size_t step)                      \
    {                                                                                            \
        image((struct plan){&points_of_##kernel, pairs}, place, from, channels, points, step);   \
    }                                                                                            \
    static void output_##kernel(const struct winograd_pixels *place, const float *points,        \
                                size_t step, size_t filters, const float *bias, bool relu,       \
                                float *to)                                                       \
    {                                                                                            \
        output((struct plan){&points_of_##kernel, pairs}, place, points, step, filters, bias,    \
               relu, to);                                                                        \
    }                                                                                            \
    static void output_gradient_##kernel(const struct winograd_pixels *place, const float *from, \
                                         size_t filters, float *points, size_t step)             \
    {                                                                                            \
        output_gradient((struct plan){&points_of_##kernel, pairs}, place, from, filters, points, \
                        step);                                                                   \
    }                                                                                            \
    static void image_gradient_##kernel(const struct winograd_pixels *place,                     \
                                        const float *points, size_t step, size_t channels,       \
                                        float *to)                                               \
    {                                                                                            \
        image_gradient((struct plan){&points_of_##kernel, pairs}, place, points, step, channels, \
                       to);                                                                      \
    }                                                                                            \
    static void weights_##kernel(const float *from, size_t rows, size_t columns, float *points,  \
                                 size_t step)                                                    \
    {                                                                                            \
        weights((struct plan){&points_of_##kernel, pairs}, from, rows, columns, points, step);   \
    }                                                                                            \
    static void weight_gradient_##kernel(const float *points, size_t step, size_t rows,          \
                                         size_t columns, float *to)                              \
    {                                                                                            \
        weight_gradient((struct plan){&points_of_##kernel, pairs}, points, step, rows, columns,  \
                        to);                                                                     \
    }

#define TRANSFORMS(kernel)                                                                       \
    {                                                                                            \
        image_##kernel, output_##kernel, output_gradient_##kernel, image_gradient_##kernel,      \
            weights_##kernel, weight_gradient_##kernel                                           \
    }

FUNCTIONS(3, 2)
FUNCTIONS(5, 3)

const struct winograd_kernels WINOGRAD_KERNELS = {TRANSFORMS(3), TRANSFORMS(5)};
