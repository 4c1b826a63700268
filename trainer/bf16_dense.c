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

size_t bf16_dense_packed_size(const struct bf16_dense *dense)
{
    struct bf16_conv conv = convolution_of(dense, PRODUCT_IMAGES);
    return bf16_conv_packed_size(&conv);
}

size_t bf16_dense_turned_size(const struct bf16_dense *dense)
{
    struct bf16_conv conv = convolution_of(dense, PRODUCT_IMAGES);
    return bf16_conv_turned_size(&conv);
}

void bf16_dense_pack(const struct bf16_dense *dense, const float *weights, uint16_t *packed)
{
    struct bf16_conv conv = convolution_of(dense, PRODUCT_IMAGES);
    bf16_conv_pack(&conv, weights, packed);
}

void bf16_dense_pack_turned(const struct bf16_dense *dense, const float *weights, uint16_t *turned)
{
    struct bf16_conv conv = convolution_of(dense, PRODUCT_IMAGES);
    bf16_conv_pack_turned(&conv, weights, turned);
}

void bf16_dense_forward(const struct bf16_dense *dense, size_t count, const struct bf16_values *x,
                        const uint16_t *packed, const float *bias, bool relu, float *scratch,
                        float *y)
{
    for (size_t first = 0; first < count; first += PRODUCT_IMAGES) {
        struct bf16_conv conv = convolution_of(dense, chunk_from(first, count));
        struct bf16_values inputs = bf16_values_from(x, first * dense->inputs);
        struct bf16_target outputs = {.exact = y + first * dense->units};
        bf16_conv_forward(&conv, 1, &inputs, packed, bias, relu, scratch, &outputs);
    }
}

void bf16_dense_backward(const struct bf16_dense *dense, size_t count,
                         const struct bf16_values *x, const uint16_t *turned,
                         const float *y_gradient, float *scratch, float *weight_gradient,
                         const struct bf16_target *x_gradient)
{
    for (size_t first = 0; first < count; first += PRODUCT_IMAGES) {
        struct bf16_conv conv = convolution_of(dense, chunk_from(first, count));
        struct bf16_conv_back back;
        struct bf16_values inputs = bf16_values_from(x, first * dense->inputs);
        struct bf16_values gradient = {.exact = y_gradient + first * dense->units};
        bf16_conv_back_begin(&back, &conv, x_gradient ? turned : NULL, weight_gradient, scratch);
        back.begun = first > 0;
        bf16_conv_back_weights(&back, 1, &inputs, &gradient);
        bf16_conv_back_end(&back);
        if (!x_gradient)
            continue;
        struct bf16_target inputs_gradient = bf16_target_from(x_gradient, first * dense->inputs);
        bf16_conv_back_input(&back, &gradient, &inputs_gradient);
    }
}
