#include "trainer/conv.h"

#include <string.h>

const struct conv_kernels *conv_kernels_of(enum isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case ISA_AVX2:
        return &conv_avx2;
    case ISA_AVX512:
        return &conv_avx512;
#elif defined(__aarch64__)
    case ISA_NEON:
        return &conv_neon;
#endif
    default:
        return NULL;
    }
}

/* ---- shapes ---- */

static size_t padded_width(const struct window *window)
{
    size_t covered = (window->output_width - 1) * window->stride + window->size;
    size_t present = window->left + window->input_width;
    return window->left > 0 || covered > present ? covered : present;
}

void conv_plan(struct conv *conv, const struct conv_kernels *kernels, const struct window *window,
               size_t filters)
{
    *conv = (struct conv){.kernels = kernels, .window = *window, .filters = filters};
    conv->forward = (struct conv_shape){
        .height = window->input_height,
        .width = padded_width(window),
        .channels = window->channels,
        .size = window->size,
        .stride = window->stride,
        .top = window->top,
        .output_height = window->output_height,
        .output_width = window->output_width,
        .filters = filters,
    };
    conv->plain = conv->forward;
    conv->plain.width = window->input_width;
    conv->plain.left = window->left;
    conv->back_turned = window->stride == 1 && window->input_width == window->output_width;
    conv->turned = (struct conv_shape){
        .height = window->output_height,
        .width = window->input_width + window->size - 1,
        .channels = filters,
        .size = window->size,
        .stride = 1,
        .top = window->size - 1 - window->top,
        .output_height = window->input_height,
        .output_width = window->input_width,
        .filters = window->channels,
    };
}

static size_t shape_floats(const struct conv_shape *shape)
{
    return shape->height * shape->width * shape->channels;
}

/* ---- packing ---- */

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

bool conv_fits(const struct window *window)
{
    return window->output_width >= 4;
}

bool conv_back_wastes(const struct conv *conv)
{
    size_t channels = conv->window.channels;
    return round_up(channels, conv->kernels->lanes) * 2 > channels * 3;
}

/* Filters of the group that begins at `filter`: those that there are, and with the zeros. */
static size_t group_filters(const struct conv_kernels *kernels, size_t filters, size_t filter)
{
    size_t left = filters - filter;
    return left < kernels->group ? left : kernels->group;
}

static size_t packed_size(const struct conv_kernels *kernels, size_t cells, size_t filters)
{
    return cells * round_up(filters, kernels->lanes);
}

static void pack(const struct conv_kernels *kernels, size_t cells, size_t filters,
                 const float *weights /* [cells][filters] */, float *packed)
{
    for (size_t filter = 0; filter < filters; filter += kernels->group) {
        size_t width = group_filters(kernels, filters, filter);
        size_t filled = round_up(width, kernels->lanes);
        for (size_t cell = 0; cell < cells; cell++, packed += filled) {
            memcpy(packed, weights + cell * filters + filter, width * sizeof *packed);
            memset(packed + width, 0, (filled - width) * sizeof *packed);
        }
    }
}

static void unpack(const struct conv_kernels *kernels, size_t cells, size_t filters,
                   const float *packed, float *weights /* [cells][filters] */)
{
    for (size_t filter = 0; filter < filters; filter += kernels->group) {
        size_t width = group_filters(kernels, filters, filter);
        size_t filled = round_up(width, kernels->lanes);
        for (size_t cell = 0; cell < cells; cell++, packed += filled)
            memcpy(weights + cell * filters + filter, packed, width * sizeof *packed);
    }
}

/* What pack() would make of the weights turned and swapped. */
static void pack_turned(const struct conv_kernels *kernels, size_t taps, size_t channels,
                        size_t filters, const float *weights /* [taps][channels][filters] */,
                        float *packed)
{
    for (size_t channel = 0; channel < channels; channel += kernels->group) {
        size_t width = group_filters(kernels, channels, channel);
        size_t filled = round_up(width, kernels->lanes);
        for (size_t tap = taps; tap-- > 0;) {
            const float *from = weights + (tap * channels + channel) * filters;
            for (size_t filter = 0; filter < filters; filter++, packed += filled) {
                for (size_t c = 0; c < width; c++)
                    packed[c] = from[c * filters + filter];
                memset(packed + width, 0, (filled - width) * sizeof *packed);
            }
        }
    }
}

/* ---- padding ---- */

/* Copies rows into the middle of wider ones, the rest of which is 0. */
static void pad_rows(size_t rows, size_t before, size_t width, size_t padded, const float *from,
                     float *to)
{
    for (size_t row = 0; row < rows; row++, from += width, to += padded) {
        memset(to, 0, before * sizeof *to);
        memcpy(to + before, from, width * sizeof *to);
        memset(to + before + width, 0, (padded - before - width) * sizeof *to);
    }
}

/* The image with its padding columns: itself where there are none. */
static const float *padded_image(const struct conv *conv, const float *image, float *copy)
{
    const struct window *window = &conv->window;
    size_t channels = window->channels;
    if (conv->forward.width == window->input_width)
        return image;
    size_t width = conv->forward.width - window->left;
    if (width > window->input_width)
        width = window->input_width;
    for (size_t y = 0; y < window->input_height; y++)
        pad_rows(1, window->left * channels, width * channels, conv->forward.width * channels,
                 image + y * window->input_width * channels,
                 copy + y * conv->forward.width * channels);
    return copy;
}

/* ---- the scratch ---- */

/* Parts of the scratch begin on cache lines where it does. */
static size_t line(size_t floats)
{
    return round_up(floats, 16);
}

static float *take(float **scratch, size_t floats)
{
    float *part = *scratch;
    *scratch += line(floats);
    return part;
}

static size_t sums_size(const struct conv *conv)
{
    const struct window *window = &conv->window;
    return packed_size(conv->kernels, window->size * window->size * window->channels,
                       conv->filters);
}

static size_t turned_size(const struct conv *conv)
{
    const struct window *window = &conv->window;
    return packed_size(conv->kernels, window->size * window->size * conv->filters,
                       window->channels);
}

/* Enough behind the last pixel for conv_kernels' gradient. */
static size_t gradient_size(const struct conv *conv)
{
    return shape_floats(&conv->turned) + conv->kernels->group;
}

size_t conv_scratch_size(const struct conv *conv)
{
    size_t most = conv->filters > conv->window.channels ? conv->filters : conv->window.channels;
    return line(sums_size(conv)) + line(turned_size(conv)) + line(shape_floats(&conv->forward)) +
           line(gradient_size(conv)) + line(round_up(most, conv->kernels->lanes));
}

/* ---- forward ---- */

void conv_forward(const struct conv *conv, size_t count, const float *images,
                  const float *weights, const float *bias, bool relu, float *scratch,
                  float *outputs)
{
    const struct conv_kernels *kernels = conv->kernels;
    const struct window *window = &conv->window;
    size_t cells = window->size * window->size * window->channels;
    float *packed = take(&scratch, sums_size(conv));
    float *packed_bias = take(&scratch, round_up(conv->filters, kernels->lanes));
    pack(kernels, cells, conv->filters, weights, packed);
    pack(kernels, 1, conv->filters, bias, packed_bias);
    size_t input_size = window->input_height * window->input_width * window->channels;
    size_t output_size = window->output_height * window->output_width * conv->filters;
    for (size_t i = 0; i < count; i++)
        kernels->forward(&conv->forward, padded_image(conv, images + i * input_size, scratch),
                         packed, packed_bias, relu, outputs + i * output_size);
}

/* ---- back ---- */

void conv_back_begin(struct conv_back *back, const struct conv *conv, float *scratch)
{
    size_t zeros = round_up(conv->window.channels, conv->kernels->lanes);
    *back = (struct conv_back){.conv = conv};
    back->sums = take(&scratch, sums_size(conv));
    back->image = take(&scratch, shape_floats(&conv->forward));
    back->gradient = take(&scratch, gradient_size(conv));
    back->weights = take(&scratch, turned_size(conv));
    back->zeros = take(&scratch, zeros);
    memset(back->sums, 0, sums_size(conv) * sizeof *back->sums);
    memset(back->zeros, 0, zeros * sizeof *back->zeros);
}

void conv_back_weights_are(struct conv_back *back, const float *weights)
{
    const struct conv *conv = back->conv;
    const struct window *window = &conv->window;
    pack_turned(conv->kernels, window->size * window->size, window->channels, conv->filters,
                weights, back->weights);
}

void conv_back_weights(const struct conv_back *back, const float *image,
                       const float *output_gradient)
{
    const struct conv *conv = back->conv;
    const struct window *window = &conv->window;
    struct conv_shape shape = conv->forward;
    shape.gradient_row = window->output_width * conv->filters;
    if (conv->filters % conv->kernels->lanes != 0) {
        memcpy(back->gradient, output_gradient,
               window->output_height * shape.gradient_row * sizeof *back->gradient);
        output_gradient = back->gradient;
    }
    conv->kernels->gradient(&shape, padded_image(conv, image, back->image), output_gradient,
                            back->sums);
}

void conv_back_input(const struct conv_back *back, const float *output_gradient,
                     float *input_gradient)
{
    const struct conv *conv = back->conv;
    const struct window *window = &conv->window;
    if (!conv->back_turned) {
        conv->kernels->back(&conv->plain, output_gradient, back->weights, input_gradient);
        return;
    }
    if (window->size > 1) {
        pad_rows(window->output_height, (window->size - 1 - window->left) * conv->filters,
                 window->output_width * conv->filters, conv->turned.width * conv->filters,
                 output_gradient, back->gradient);
        output_gradient = back->gradient;
    }
    conv->kernels->forward(&conv->turned, output_gradient, back->weights, back->zeros, false,
                           input_gradient);
}

void conv_back_end(const struct conv_back *back, float *weight_gradient)
{
    const struct conv *conv = back->conv;
    const struct window *window = &conv->window;
    unpack(conv->kernels, window->size * window->size * window->channels, conv->filters,
           back->sums, weight_gradient);
}
