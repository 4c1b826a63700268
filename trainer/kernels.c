#include "trainer/kernels.h"
#include "trainer/lanes.h"

VECTOR_VERSIONS
void kernel_pixels(size_t count, const uint8_t *restrict bytes, float *restrict values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)bytes[i] / 255.0f;
}

/* 0 for what is negative.  The comparison is this way round because it is false
 * for what is not a number. */
static inline float positive_part(float value)
{
    return value < 0.0f ? 0.0f : value;
}

VECTOR_VERSIONS
static void add_bias(size_t rows, size_t width, const float *restrict bias,
                     float *restrict values)
{
    for (size_t row = 0; row < rows; row++, values += width) {
        for (size_t i = 0; i < width; i++)
            values[i] += bias[i];
    }
}

VECTOR_VERSIONS
static void add_bias_relu(size_t rows, size_t width, const float *restrict bias,
                          float *restrict values)
{
    for (size_t row = 0; row < rows; row++, values += width) {
        for (size_t i = 0; i < width; i++)
            values[i] = positive_part(values[i] + bias[i]);
    }
}

void kernel_bias(size_t rows, size_t width, const float *bias, bool relu, float *values)
{
    if (relu)
        add_bias_relu(rows, width, bias, values);
    else
        add_bias(rows, width, bias, values);
}

/* Sixteen columns at a time, down all rows. */
VECTOR_VERSIONS
static void sum_rows(size_t rows, size_t width, const float *restrict gradient,
                     float *restrict bias_gradient)
{
    size_t whole = width / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        lanes_float sum = *(const lanes_float *)(bias_gradient + i);
        for (size_t row = 0; row < rows; row++)
            sum += *(const lanes_float *)(gradient + row * width + i);
        *(lanes_float *)(bias_gradient + i) = sum;
    }
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = whole; i < width; i++)
            bias_gradient[i] += gradient[row * width + i];
    }
}

static inline void pass_through_relu(const float *output, float *gradient, lanes_float *sum)
{
    lanes_int passes = *(const lanes_float *)output > 0.0f;
    lanes_float value = (lanes_float)(*(const lanes_int *)gradient & passes);
    *(lanes_float *)gradient = value;
    *sum += value;
}

/* Twice sixteen columns where there are so many, which is less of a leap from row to row. */
VECTOR_VERSIONS
static void sum_rows_relu(size_t rows, size_t width, const float *restrict output,
                          float *restrict gradient, float *restrict bias_gradient)
{
    size_t i = 0, count = rows * width;
    for (; i + 2 * LANES <= width; i += 2 * LANES) {
        lanes_float sum = *(const lanes_float *)(bias_gradient + i);
        lanes_float next = *(const lanes_float *)(bias_gradient + i + LANES);
        for (size_t at = i; at < count; at += width) {
            pass_through_relu(output + at, gradient + at, &sum);
            pass_through_relu(output + at + LANES, gradient + at + LANES, &next);
        }
        *(lanes_float *)(bias_gradient + i) = sum;
        *(lanes_float *)(bias_gradient + i + LANES) = next;
    }
    for (; i + LANES <= width; i += LANES) {
        lanes_float sum = *(const lanes_float *)(bias_gradient + i);
        for (size_t at = i; at < count; at += width)
            pass_through_relu(output + at, gradient + at, &sum);
        *(lanes_float *)(bias_gradient + i) = sum;
    }
    for (; i < width; i++) {
        for (size_t at = i; at < count; at += width) {
            gradient[at] = output[at] > 0.0f ? gradient[at] : 0.0f;
            bias_gradient[i] += gradient[at];
        }
    }
}

void kernel_bias_backward(size_t rows, size_t width, const float *output, bool relu,
                          float *gradient, float *bias_gradient)
{
    if (relu)
        sum_rows_relu(rows, width, output, gradient, bias_gradient);
    else
        sum_rows(rows, width, gradient, bias_gradient);
}

VECTOR_VERSIONS
void kernel_relu(size_t count, const float *restrict input, float *restrict output)
{
    for (size_t i = 0; i < count; i++)
        output[i] = positive_part(input[i]);
}

VECTOR_VERSIONS
void kernel_relu_backward(size_t count, const float *restrict output,
                          const float *restrict output_gradient, float *restrict input_gradient)
{
    for (size_t i = 0; i < count; i++)
        input_gradient[i] = output[i] > 0.0f ? output_gradient[i] : 0.0f;
}

VECTOR_VERSIONS
void kernel_keep(size_t count, const float *restrict numbers, float rate, uint8_t *restrict kept)
{
    for (size_t i = 0; i < count; i++)
        kept[i] = numbers[i] >= rate;
}

VECTOR_VERSIONS
void kernel_drop(size_t count, const uint8_t *restrict kept, float scale,
                 const float *restrict input, float *restrict output)
{
    for (size_t i = 0; i < count; i++)
        output[i] = kept[i] ? input[i] * scale : 0.0f;
}

VECTOR_VERSIONS
void kernel_add(size_t count, const float *restrict vector, float *restrict sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += vector[i];
}

VECTOR_VERSIONS
void kernel_sum(size_t count, const float *restrict a, const float *restrict b, float *restrict c)
{
    for (size_t i = 0; i < count; i++)
        c[i] = a[i] + b[i];
}

VECTOR_VERSIONS
void kernel_scale(size_t count, float factor, float *restrict values)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= factor;
}

VECTOR_VERSIONS
void kernel_add_scaled(size_t count, float factor, const float *restrict vector,
                       float *restrict sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += factor * vector[i];
}

/* Eight sums side by side, whatever the instructions, so that the order is always the same. */
VECTOR_VERSIONS
double kernel_sum_of_squares(size_t count, const float *restrict vector)
{
    enum { SUMS = 8 };
    double sums[SUMS] = {0.0};
    size_t whole = count / SUMS * SUMS;
    for (size_t i = 0; i < whole; i += SUMS) {
        for (size_t lane = 0; lane < SUMS; lane++)
            sums[lane] += (double)vector[i + lane] * (double)vector[i + lane];
    }
    for (size_t i = whole; i < count; i++)
        sums[i - whole] += (double)vector[i] * (double)vector[i];
    double sum = 0.0;
    for (size_t lane = 0; lane < SUMS; lane++)
        sum += sums[lane];
    return sum;
}
