#include "trainer/kernels.h"

#include <string.h>

/* Sums in double precision, so that the mean of x^2 less the square of the mean of x is as
 * good as the data.  Rows are taken four at a time: the sums are read and written less often
 * than the data, and in one order whatever the instructions. */
enum { ROWS = 4 };

static inline double square(float x)
{
    return (double)x * (double)x;
}

VECTOR_VERSIONS
void kernel_moments(size_t rows, size_t channels, const float *restrict x,
                    double *restrict sums, double *restrict squares)
{
    memset(sums, 0, channels * sizeof *sums);
    memset(squares, 0, channels * sizeof *squares);
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * channels) {
        const float *restrict x1 = x + channels, *restrict x2 = x1 + channels;
        const float *restrict x3 = x2 + channels;
        for (size_t c = 0; c < channels; c++) {
            sums[c] += ((double)x[c] + (double)x1[c]) + ((double)x2[c] + (double)x3[c]);
            squares[c] += (square(x[c]) + square(x1[c])) + (square(x2[c]) + square(x3[c]));
        }
    }
    for (; rows > 0; rows--, x += channels) {
        for (size_t c = 0; c < channels; c++) {
            sums[c] += (double)x[c];
            squares[c] += square(x[c]);
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

static inline double product(float dy, float x, float mean)
{
    return (double)dy * (double)(x - mean);
}

VECTOR_VERSIONS
void kernel_normalize_moments(size_t rows, size_t channels, const float *restrict mean,
                              const float *restrict x, const float *restrict dy,
                              double *restrict sums, double *restrict products)
{
    memset(sums, 0, channels * sizeof *sums);
    memset(products, 0, channels * sizeof *products);
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * channels, dy += ROWS * channels) {
        const float *restrict x1 = x + channels, *restrict x2 = x1 + channels;
        const float *restrict x3 = x2 + channels;
        const float *restrict dy1 = dy + channels, *restrict dy2 = dy1 + channels;
        const float *restrict dy3 = dy2 + channels;
        for (size_t c = 0; c < channels; c++) {
            float m = mean[c];
            sums[c] += ((double)dy[c] + (double)dy1[c]) + ((double)dy2[c] + (double)dy3[c]);
            products[c] += (product(dy[c], x[c], m) + product(dy1[c], x1[c], m)) +
                           (product(dy2[c], x2[c], m) + product(dy3[c], x3[c], m));
        }
    }
    for (; rows > 0; rows--, x += channels, dy += channels) {
        for (size_t c = 0; c < channels; c++) {
            sums[c] += (double)dy[c];
            products[c] += product(dy[c], x[c], mean[c]);
        }
    }
}

VECTOR_VERSIONS
void kernel_normalize_backward(size_t rows, size_t channels, const float *restrict mean,
                               const float *restrict scale, const float *restrict offset,
                               const float *restrict slope, const float *restrict x,
                               const float *restrict dy, float *restrict dx)
{
    for (size_t row = 0; row < rows; row++, x += channels, dy += channels, dx += channels) {
        for (size_t c = 0; c < channels; c++)
            dx[c] = scale[c] * dy[c] - offset[c] - slope[c] * (x[c] - mean[c]);
    }
}
