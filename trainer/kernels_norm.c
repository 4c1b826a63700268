#include "trainer/kernels.h"

/* Eight rows are added up as floats, in pairs, which loses no more than the data's own last
 * digit or two; the sums of eights are doubles, so that nothing is lost over a large batch.  All
 * in double took half as long again: half as many numbers in a vector, and each converted.
 * What is squared is x less a pivot, the first row: with a mean far from 0 the squares' floats
 * would have no digits left for the variance.  One order, whatever the instructions. */
enum { ROWS = 8 };

/* Of the rows of x, less `less`. */
static inline float sum_rows(const float *x, float less, size_t stride)
{
    float sums[ROWS / 2];
    for (size_t i = 0; i < ROWS / 2; i++)
        sums[i] = (x[2 * i * stride] - less) + (x[(2 * i + 1) * stride] - less);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Of the products of the rows of a and b, less `less_a` and `less_b`. */
static inline float sum_products(const float *a, float less_a, const float *b, float less_b,
                                 size_t stride)
{
    float sums[ROWS / 2];
    for (size_t i = 0; i < ROWS / 2; i++) {
        size_t even = 2 * i * stride, odd = even + stride;
        sums[i] = (a[even] - less_a) * (b[even] - less_b) + (a[odd] - less_a) * (b[odd] - less_b);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

VECTOR_VERSIONS
void kernel_moments(size_t rows, size_t channels, const float *restrict x,
                    double *restrict sums, double *restrict squares)
{
    const float *pivot = x;
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * channels) {
        for (size_t c = 0; c < channels; c++) {
            double p = (double)pivot[c];
            double away = (double)sum_rows(x + c, pivot[c], channels);
            double square = (double)sum_products(x + c, pivot[c], x + c, pivot[c], channels);
            sums[c] += away + ROWS * p;
            squares[c] += square + p * (2.0 * away + ROWS * p);
        }
    }
    for (; rows > 0; rows--, x += channels) {
        for (size_t c = 0; c < channels; c++) {
            sums[c] += (double)x[c];
            squares[c] += (double)x[c] * (double)x[c];
        }
    }
}

VECTOR_VERSIONS
void kernel_normalize(size_t rows, size_t channels, const float *restrict mean,
                      const float *restrict scale, const float *restrict offset,
                      const float *restrict x, float *restrict y)
{
    for (size_t row = 0; row < rows; row++, x += channels, y += channels) {
        for (size_t c = 0; c < channels; c++)
            y[c] = scale[c] * (x[c] - mean[c]) + offset[c];
    }
}

VECTOR_VERSIONS
void kernel_normalize_moments(size_t rows, size_t channels, const float *restrict mean,
                              const float *restrict x, const float *restrict dy,
                              double *restrict sums, double *restrict products)
{
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * channels, dy += ROWS * channels) {
        for (size_t c = 0; c < channels; c++) {
            sums[c] += (double)sum_rows(dy + c, 0.0f, channels);
            products[c] += (double)sum_products(x + c, mean[c], dy + c, 0.0f, channels);
        }
    }
    for (; rows > 0; rows--, x += channels, dy += channels) {
        for (size_t c = 0; c < channels; c++) {
            sums[c] += (double)dy[c];
            products[c] += (double)(x[c] - mean[c]) * (double)dy[c];
        }
    }
}

VECTOR_VERSIONS
void kernel_normalize_backward(size_t rows, size_t channels, const struct normalized *norm,
                               const float *restrict x, const float *restrict dy,
                               float *restrict dx)
{
    const float *mean = norm->mean, *scale = norm->scale;
    const float *offset = norm->offset, *slope = norm->slope;
    bool relu = norm->relu;
    for (size_t row = 0; row < rows; row++, x += channels, dy += channels, dx += channels) {
        for (size_t c = 0; c < channels; c++) {
            float back = scale[c] * dy[c] - offset[c] - slope[c] * (x[c] - mean[c]);
            dx[c] = !relu || x[c] > 0.0f ? back : 0.0f;
        }
    }
}
