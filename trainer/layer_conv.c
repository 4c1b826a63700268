#include "trainer/activation.h"
#include "trainer/bf16.h"
#include "trainer/bf16_conv.h"
#include "trainer/conv.h"
#include "trainer/gemm.h"
#include "trainer/kernels.h"
#include "trainer/layer.h"
#include "trainer/weights.h"
#include "trainer/winograd.h"

#include <string.h>

/* y = window(x) W + b, then the activation if there is one;
 * dW = window(x)^T dy, db = sum over the pixels of dy, dx = the transpose of window() applied
 * to dy W^T.
 * Parameters: weights [kernel][kernel][input channels][filters], then the bias [filters].
 *
 * Done by the kernels of conv.h where the processor has them; else window(x) is laid out as a
 * row of cells for each output pixel (im2col, col2im) and multiplied by BLAS.  That is a few
 * images at a time, so that their columns are still in the second-level cache when BLAS reads
 * them: laying them out again for dW is cheaper than keeping them.
 *
 * Passes in bf16 are done by bf16_conv.h. */

/* Bytes of columns that stay in the second-level cache beside what BLAS packs there. */
enum { COLUMN_BYTES = 512 << 10, CHUNK_MOST = 4 };

struct conv_plan {
    struct window window;
    size_t pixels;  /* of the output */
    size_t cells;   /* of the window: kernel * kernel * input channels */
    size_t filters;
    size_t chunk;   /* images at a time */
    struct activation activation;
    bool glorot;
    bool plain;     /* the input is its own columns: kernel 1, stride 1 */
    struct winograd winograd; /* without transforms: not by these */
    struct conv conv;  /* without kernels: portable */
    bool columns_back; /* the input's gradient by BLAS even so */
    struct bf16_conv bf16; /* without kernels: passes in bf16 are in fp32 */
};

static bool is_portable(const struct conv_plan *plan)
{
    return !plan->conv.kernels;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool by_winograd(const struct conv_plan *plan)
{
    return winograd_pays(&plan->winograd);
}

static size_t scratch_size(const struct conv_plan *plan)
{
    size_t bf16 = plan->bf16.kernels ? bf16_conv_scratch_size(&plan->bf16) : 0;
    if (by_winograd(plan))
        return most(winograd_scratch_size(&plan->winograd), bf16);
    bool laid_out = !plan->plain && (is_portable(plan) || plan->columns_back);
    size_t columns = laid_out ? plan->chunk * plan->pixels * plan->cells : 0;
    size_t direct = is_portable(plan) ? 0 : conv_scratch_size(&plan->conv);
    return most(most(columns, direct), bf16);
}

static size_t arranged_size(const struct conv_plan *plan)
{
    size_t winograd = by_winograd(plan) ? winograd_arranged_size(&plan->winograd) : 0;
    if (!plan->bf16.kernels)
        return winograd;
    return most(winograd, bf16_floats(bf16_conv_packed_size(&plan->bf16)) +
                              bf16_floats(bf16_conv_turned_size(&plan->bf16)));
}

static void plan_sizes(struct layer *layer, struct conv_plan *plan)
{
    const struct window *window = &plan->window;
    plan->pixels = window->output_height * window->output_width;
    plan->cells = window->size * window->size * window->channels;
    plan->plain = window->size == 1 && window->stride == 1;

    size_t columns = plan->pixels * plan->cells;
    plan->chunk = COLUMN_BYTES / (columns * sizeof(float) + 1);
    if (plan->chunk < 1)
        plan->chunk = 1;
    if (plan->chunk > CHUNK_MOST)
        plan->chunk = CHUNK_MOST;
    layer_output_image(layer, window->output_height, window->output_width, plan->filters);
    layer->scratch_size = scratch_size(plan);
    layer->arranged_size = arranged_size(plan);
    layer->kept_size = layer->output_size * activation_kept_size(&plan->activation);
    layer->ends_in_relu = activation_is_relu(&plan->activation);
    layer->forgets_output = !plan->activation.type || plan->activation.type->from_input;
    layer->bf16_input = plan->bf16.kernels;
    layer->bf16_output = plan->bf16.kernels && (layer->ends_in_relu || !plan->activation.type);
    layer->parameter_count = (plan->cells + 1) * plan->filters;
    layer->flops = 2.0 * (double)columns * (double)plan->filters;
}

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    if (layer_needs_image(layer, where, why) < 0)
        return -1;
    struct conv_plan *plan = xcalloc(1, sizeof *plan);
    layer->plan = plan;
    plan->filters = setting_size(settings, "filters");
    plan->activation = activation_read(setting_word(settings, "activation"), NULL);
    plan->glorot = setting_is(settings, "weights", "glorot");
    size_t kernel = setting_size(settings, "kernel");
    if (window_place(&plan->window, layer->input, kernel, setting_size(settings, "stride"),
                     setting_is(settings, "padding", "same")) < 0)
        return fail_at(why, where,
                       "a kernel of %zux%zu does not fit an image of %dx%d; "
                       "make it smaller, pool less before it, or use padding: same",
                       kernel, kernel, layer->input.height, layer->input.width);
    if (winograd_is_on())
        winograd_plan(&plan->winograd, isa_chosen(), &plan->window, plan->filters);
    if (conv_fits(&plan->window))
        conv_plan(&plan->conv, conv_kernels_of(isa_chosen()), &plan->window, plan->filters);
    plan->columns_back = !is_portable(plan) && conv_back_wastes(&plan->conv);
    bf16_conv_plan(&plan->bf16, bf16_kernels_chosen(), &plan->window, plan->filters);
    plan_sizes(layer, plan);
    return 0;
}

static void initialize(const struct layer *layer, struct rng *rng, float *parameters)
{
    const struct conv_plan *plan = layer->plan;
    size_t weights = plan->cells * plan->filters;
    size_t window = plan->window.size * plan->window.size;
    weights_draw(rng, plan->glorot, plan->cells, window * plan->filters, weights, parameters);
    memset(parameters + weights, 0, plan->filters * sizeof *parameters);
}

/* What the activation keeps of the images from `first` on, or NULL. */
static float *kept_from(const struct layer *layer, const struct pass *pass, size_t first)
{
    return layer->kept_size > 0 ? (float *)pass->kept + first * layer->output_size : NULL;
}

/* From the output's gradient to that of window(x) W, in place, with the bias's own. */
static void backward_activation(const struct layer *layer, const struct pass *pass, size_t first,
                                size_t count)
{
    const struct conv_plan *plan = layer->plan;
    float *bias_gradient = pass->parameter_gradient + plan->cells * plan->filters;
    const struct activation none = {0};
    const struct activation *left = pass->relu_stopped ? &none : &plan->activation;
    if (first == 0)
        memset(bias_gradient, 0, plan->filters * sizeof *bias_gradient);
    activation_bias_backward(left, count * plan->pixels, plan->filters,
                             pass->output + first * layer->output_size,
                             kept_from(layer, pass, first),
                             pass->output_gradient + first * layer->output_size, bias_gradient);
}

/* ---- by im2col and BLAS ---- */

/* The columns of `count` images: in scratch, or the input itself. */
static const float *lay_out(const struct layer *layer, const struct pass *pass, size_t first,
                            size_t count)
{
    const struct conv_plan *plan = layer->plan;
    const float *input = pass->input + first * layer->input_size;
    if (plan->plain)
        return input;
    for (size_t i = 0; i < count; i++)
        kernel_im2col(&plan->window, input + i * layer->input_size,
                      pass->scratch + i * plan->pixels * plan->cells);
    return pass->scratch;
}

/* The images from `first` on that are worked on together. */
static size_t chunk_from(const struct conv_plan *plan, const struct pass *pass, size_t first)
{
    size_t left = pass->count - first;
    return left < plan->chunk ? left : plan->chunk;
}

static void forward_columns(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    const float *bias = pass->parameters + plan->cells * plan->filters;
    for (size_t first = 0; first < pass->count; first += plan->chunk) {
        size_t count = chunk_from(plan, pass, first);
        const float *columns = lay_out(layer, pass, first, count);
        float *output = pass->output + first * layer->output_size;
        gemm(count * plan->pixels, plan->filters, plan->cells, columns, pass->parameters, output);
        activation_bias(&plan->activation, count * plan->pixels, plan->filters, bias, output,
                        kept_from(layer, pass, first));
    }
}

static void backward_weights(const struct layer *layer, const struct pass *pass, size_t first,
                             size_t count)
{
    const struct conv_plan *plan = layer->plan;
    gemm_transposed_a(plan->cells, plan->filters, count * plan->pixels,
                      lay_out(layer, pass, first, count),
                      pass->output_gradient + first * layer->output_size,
                      first == 0 ? 0.0f : 1.0f, pass->parameter_gradient);
}

static void backward_input(const struct layer *layer, const struct pass *pass, size_t first,
                           size_t count)
{
    const struct conv_plan *plan = layer->plan;
    float *input_gradient = pass->input_gradient + first * layer->input_size;
    float *columns = plan->plain ? input_gradient : pass->scratch;
    gemm_transposed_b(count * plan->pixels, plan->cells, plan->filters,
                      pass->output_gradient + first * layer->output_size, pass->parameters,
                      columns);
    for (size_t i = 0; !plan->plain && i < count; i++)
        kernel_col2im(&plan->window, columns + i * plan->pixels * plan->cells,
                      input_gradient + i * layer->input_size);
}

static void backward_columns(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    for (size_t first = 0; first < pass->count; first += plan->chunk) {
        size_t count = chunk_from(plan, pass, first);
        backward_activation(layer, pass, first, count);
        backward_weights(layer, pass, first, count);
        if (pass->input_gradient)
            backward_input(layer, pass, first, count);
    }
}

/* ---- by the kernels of our own ---- */

static void forward_direct(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    conv_forward(&plan->conv, pass->count, pass->input, pass->parameters,
                 pass->parameters + plan->cells * plan->filters,
                 activation_is_relu(&plan->activation), pass->scratch, pass->output);
    activation_behind_bias(&plan->activation, pass->count * layer->output_size, pass->output,
                           pass->kept);
}

static void backward_direct(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    bool input_too = pass->input_gradient && !plan->columns_back;
    struct conv_back back;
    conv_back_begin(&back, &plan->conv, pass->scratch);
    if (input_too)
        conv_back_weights_are(&back, pass->parameters);
    for (size_t i = 0; i < pass->count; i++) {
        const float *gradient = pass->output_gradient + i * layer->output_size;
        backward_activation(layer, pass, i, 1);
        conv_back_weights(&back, pass->input + i * layer->input_size, gradient);
        if (input_too)
            conv_back_input(&back, gradient, pass->input_gradient + i * layer->input_size);
    }
    conv_back_end(&back, pass->parameter_gradient);
    if (!pass->input_gradient || input_too)
        return;
    for (size_t first = 0; first < pass->count; first += plan->chunk)
        backward_input(layer, pass, first, chunk_from(plan, pass, first));
}

/* ---- with fewer multiplications ---- */

static void forward_winograd(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    winograd_forward(&plan->winograd, pass->count, pass->input, pass->arranged,
                     pass->parameters + plan->cells * plan->filters,
                     activation_is_relu(&plan->activation), pass->scratch, pass->output);
    activation_behind_bias(&plan->activation, pass->count * layer->output_size, pass->output,
                           pass->kept);
}

static void backward_winograd(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    struct winograd_back back;
    size_t count;
    winograd_back_begin(&back, &plan->winograd, pass->arranged, pass->scratch);
    for (size_t first = 0; first < pass->count; first += count) {
        size_t left = pass->count - first;
        count = left < plan->winograd.images ? left : plan->winograd.images;
        backward_activation(layer, pass, first, count);
        winograd_back_images(
            &back, count, pass->input + first * layer->input_size,
            pass->output_gradient + first * layer->output_size,
            pass->input_gradient ? pass->input_gradient + first * layer->input_size : NULL);
    }
    winograd_back_end(&back, pass->parameter_gradient);
}

/* ---- in bf16 ---- */

static bool in_bf16(const struct conv_plan *plan, const struct pass *pass)
{
    return pass->precision == PRECISION_BF16 && plan->bf16.kernels;
}

static uint16_t *packed_weights(const struct pass *pass)
{
    return (uint16_t *)pass->arranged;
}

static uint16_t *turned_weights(const struct conv_plan *plan, const struct pass *pass)
{
    return (uint16_t *)(pass->arranged + bf16_floats(bf16_conv_packed_size(&plan->bf16)));
}

static void arrange_bf16(const struct conv_plan *plan, const struct pass *pass)
{
    bf16_conv_pack(&plan->bf16, pass->parameters, packed_weights(pass));
    bf16_conv_pack_turned(&plan->bf16, pass->parameters, turned_weights(plan, pass));
}

static void forward_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    bf16_conv_forward(&plan->bf16, pass->count,
                      &(struct bf16_values){pass->input, pass->bf16_input},
                      packed_weights(pass), pass->parameters + plan->cells * plan->filters,
                      activation_is_relu(&plan->activation), pass->scratch,
                      &(struct bf16_target){pass->output, pass->bf16_output});
    if (pass->output)
        activation_behind_bias(&plan->activation, pass->count * layer->output_size, pass->output,
                               pass->kept);
}

/* As backward_activation(). */
static void backward_bf16_activation(const struct layer *layer, const struct pass *pass,
                                     size_t first, size_t count)
{
    const struct conv_plan *plan = layer->plan;
    float *bias_gradient = pass->parameter_gradient + plan->cells * plan->filters;
    bool stop = activation_is_relu(&plan->activation) && !pass->relu_stopped;
    if (!pass->bf16_output_gradient) {
        backward_activation(layer, pass, first, count);
        return;
    }
    if (first == 0)
        memset(bias_gradient, 0, plan->filters * sizeof *bias_gradient);
    plan->bf16.kernels->layers->bias_backward(
        count * plan->pixels, plan->filters,
        stop ? pass->bf16_output + first * layer->output_size : NULL,
        pass->bf16_output_gradient + first * layer->output_size, bias_gradient);
}

static void backward_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    const struct bf16_values inputs = {pass->input, pass->bf16_input};
    const struct bf16_values gradients = {pass->output_gradient, pass->bf16_output_gradient};
    const struct bf16_target back_to = {pass->input_gradient, pass->bf16_input_gradient};
    bool input_too = back_to.exact || back_to.rounded;
    struct bf16_conv_back back;
    size_t count;
    bf16_conv_back_begin(&back, &plan->bf16, input_too ? turned_weights(plan, pass) : NULL,
                         pass->parameter_gradient, pass->scratch);
    for (size_t first = 0; first < pass->count; first += count) {
        size_t left = pass->count - first;
        count = left < plan->bf16.sums.images ? left : plan->bf16.sums.images;
        struct bf16_values input = bf16_values_from(&inputs, first * layer->input_size);
        struct bf16_values gradient = bf16_values_from(&gradients, first * layer->output_size);
        backward_bf16_activation(layer, pass, first, count);
        bf16_conv_back_weights(&back, count, &input, &gradient);
        for (size_t i = 0; input_too && i < count; i++) {
            struct bf16_values its = bf16_values_from(&gradient, i * layer->output_size);
            struct bf16_target to = bf16_target_from(&back_to, (first + i) * layer->input_size);
            bf16_conv_back_input(&back, &its, &to);
        }
    }
    bf16_conv_back_end(&back);
}

/* ---- the layer ---- */

static void arrange(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    if (in_bf16(plan, pass))
        arrange_bf16(plan, pass);
    else if (by_winograd(plan))
        winograd_arrange(&plan->winograd, pass->parameters, pass->training, pass->arranged);
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    if (in_bf16(layer->plan, pass))
        forward_bf16(layer, pass);
    else if (by_winograd(layer->plan))
        forward_winograd(layer, pass);
    else if (is_portable(layer->plan))
        forward_columns(layer, pass);
    else
        forward_direct(layer, pass);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    if (in_bf16(layer->plan, pass))
        backward_bf16(layer, pass);
    else if (by_winograd(layer->plan))
        backward_winograd(layer, pass);
    else if (is_portable(layer->plan))
        backward_columns(layer, pass);
    else
        backward_direct(layer, pass);
}

const struct layer_type layer_conv = {
    .name = "conv",
    .label = "conv2d",
    .prepare = prepare,
    .initialize = initialize,
    .arrange = arrange,
    .forward = forward,
    .backward = backward,
};
