#include "trainer/bf16_dense.h"

#include "trainer/bf16_conv.h"

/* Images that one product takes, of a batch however large. */
enum { PRODUCT_IMAGES = 64 };

static struct bf16_conv convolution_of(const struct bf16_dense *dense, size_t count)
{
    const struct window window = {
        .input_height = 1,
        .input_width = count,
        .channels = dense->inputs,
        .size = 1,
        .stride = 1,
        .output_height = 1,
        .output_width = count,
    };
    struct bf16_conv conv;
    bf16_conv_plan(&conv, dense->kernels, &window, dense->units);
    return conv;
}

void bf16_dense_plan(struct bf16_dense *dense, const struct bf16_kernels *kernels, size_t inputs,
                     size_t units)
{
    *dense = (struct bf16_dense){kernels, inputs, units};
    dense->kernels = convolution_of(dense, PRODUCT_IMAGES).kernels;
}

/* The images from `first` on that are worked on together. */
static size_t chunk_from(size_t first, size_t count)
{
    size_t left = count - first;
    return left < PRODUCT_IMAGES ? left : PRODUCT_IMAGES;
}

size_t bf16_dense_scratch_size(const struct bf16_dense *dense)
{
    struct bf16_conv conv = convolution_of(dense, PRODUCT_IMAGES);
    return bf16_conv_scratch_size(&conv);
}

void bf16_dense_forward(const struct bf16_dense *dense, size_t count, const float *x,
                        const float *weights, const float *bias, bool relu, float *scratch,
                        float *y)
{
    for (size_t first = 0; first < count; first += PRODUCT_IMAGES) {
        struct bf16_conv conv = convolution_of(dense, chunk_from(first, count));
        bf16_conv_forward(&conv, 1, x + first * dense->inputs, weights, bias, relu, scratch,
                          y + first * dense->units);
    }
}

void bf16_dense_backward(const struct bf16_dense *dense, size_t count, const float *x,
                         const float *weights, const float *y_gradient, float *scratch,
                         float *weight_gradient, float *x_gradient)
{
    for (size_t first = 0; first < count; first += PRODUCT_IMAGES) {
        struct bf16_conv conv = convolution_of(dense, chunk_from(first, count));
        struct bf16_conv_back back;
        bf16_conv_back_begin(&back, &conv, x_gradient ? weights : NULL, weight_gradient, scratch);
        back.begun = first > 0;
        bf16_conv_back_weights(&back, x + first * dense->inputs,
                               y_gradient + first * dense->units);
        if (x_gradient)
            bf16_conv_back_input(&back, y_gradient + first * dense->units,
                                 x_gradient + first * dense->inputs);
    }
}
