#include "trainer/bf16.h"
#include "trainer/kernels.h"
#include "trainer/layer.h"

/* max_pool: y = the largest x under the window, dx goes to where it was.
 * avg_pool: y = the mean of the x under the window, dx is spread evenly over them.
 * global_avg_pool: the mean of each channel over the whole image, as a vector.
 * global_avg_pool has no plan. */

struct pool_plan {
    struct window window;
    const struct bf16_layers *bf16; /* that max_pool may use; or NULL */
};

const struct window *layer_pool_window(const struct layer *layer)
{
    return &((const struct pool_plan *)layer->plan)->window;
}

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    if (layer_needs_image(layer, where, why) < 0)
        return -1;
    struct pool_plan *plan = xcalloc(1, sizeof *plan);
    struct window *window = &plan->window;
    layer->plan = plan;
    size_t size = setting_size(settings, "size");
    size_t stride = setting_size(settings, "stride");
    if (window_place(window, layer->input, size, stride ? stride : size,
                     setting_is(settings, "padding", "same")) < 0)
        return fail_at(why, where,
                       "a pool of %zux%zu does not fit an image of %dx%d; "
                       "make it smaller, pool less often before it, or use padding: same",
                       size, size, layer->input.height, layer->input.width);
    layer_output_image(layer, window->output_height, window->output_width, window->channels);
    layer->forgets_input = layer->forgets_output = true;
    layer->flops = (double)layer->output_size * (double)(size * size);
    return 0;
}

/* Backward of max_pool needs to know which value was the largest, and, to stop relu's gradient,
 * whether that is 0. */
static int prepare_max(struct layer *layer, const json_t *settings, const char *where,
                       struct failure *why)
{
    if (prepare(layer, settings, where, why) < 0)
        return -1;
    layer->kept_size = layer->output_size * sizeof(int32_t);
    layer->forgets_output = false;
    struct pool_plan *plan = layer->plan;
    const struct bf16_kernels *kernels = bf16_kernels_chosen();
    if (kernels && bf16_pools(&plan->window))
        plan->bf16 = kernels->layers;
    layer->bf16_input = layer->bf16_output = layer->bf16_passes = plan->bf16;
    return 0;
}

/* Of an image of a pass in bf16, which takes half of what is kept in fp32. */
static uint16_t *kept_choice(const struct layer *layer, const struct pass *pass, size_t image)
{
    return (uint16_t *)((char *)pass->kept + image * layer->kept_size);
}

static void forward_max_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct pool_plan *plan = layer->plan;
    const struct bf16_target outputs = {pass->output, pass->bf16_output};
    for (size_t i = 0; i < pass->count; i++) {
        struct bf16_target output = bf16_target_from(&outputs, i * layer->output_size);
        plan->bf16->max_pool(&plan->window, NULL, pass->bf16_input + i * layer->input_size,
                             &output, kept_choice(layer, pass, i));
    }
}

static void backward_max_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct pool_plan *plan = layer->plan;
    const struct bf16_values outputs = {pass->output, pass->bf16_output};
    const struct bf16_values gradients = {pass->output_gradient, pass->bf16_output_gradient};
    for (size_t i = 0; pass->bf16_input_gradient && i < pass->count; i++) {
        size_t at = i * layer->output_size;
        struct bf16_values output = bf16_values_from(&outputs, at);
        struct bf16_values gradient = bf16_values_from(&gradients, at);
        plan->bf16->max_pool_backward(&plan->window, kept_choice(layer, pass, i),
                                      pass->stops_relu ? &output : NULL, &gradient,
                                      pass->bf16_input_gradient + i * layer->input_size);
    }
}

static void forward_max(const struct layer *layer, const struct pass *pass)
{
    int32_t *chosen = pass->kept;
    if (pass->bf16_input) {
        forward_max_bf16(layer, pass);
        return;
    }
    for (size_t i = 0; i < pass->count; i++)
        kernel_max_pool(layer_pool_window(layer), NULL, pass->input + i * layer->input_size,
                        pass->output + i * layer->output_size, chosen + i * layer->output_size);
}

static void backward_max(const struct layer *layer, const struct pass *pass)
{
    const int32_t *chosen = pass->kept;
    if (pass->bf16_input) {
        backward_max_bf16(layer, pass);
        return;
    }
    for (size_t i = 0; pass->input_gradient && i < pass->count; i++)
        kernel_max_pool_backward(layer_pool_window(layer), chosen + i * layer->output_size,
                                 pass->stops_relu ? pass->output + i * layer->output_size : NULL,
                                 pass->output_gradient + i * layer->output_size,
                                 pass->input_gradient + i * layer->input_size);
}

static void forward_avg(const struct layer *layer, const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        kernel_avg_pool(layer_pool_window(layer), pass->input + i * layer->input_size,
                        pass->output + i * layer->output_size);
}

static void backward_avg(const struct layer *layer, const struct pass *pass)
{
    for (size_t i = 0; pass->input_gradient && i < pass->count; i++)
        kernel_avg_pool_backward(layer_pool_window(layer),
                                 pass->output_gradient + i * layer->output_size,
                                 pass->input_gradient + i * layer->input_size);
}

static int prepare_global(struct layer *layer, const json_t *settings, const char *where,
                          struct failure *why)
{
    (void)settings;
    if (layer_needs_image(layer, where, why) < 0)
        return -1;
    layer_output_vector(layer, (size_t)layer->input.channels);
    layer->forgets_input = layer->forgets_output = true;
    layer->flops = (double)layer->input_size;
    return 0;
}

static void forward_global(const struct layer *layer, const struct pass *pass)
{
    size_t channels = layer->output_size;
    for (size_t i = 0; i < pass->count; i++)
        kernel_channel_means(layer->input_size / channels, channels,
                             pass->input + i * layer->input_size, pass->output + i * channels);
}

static void backward_global(const struct layer *layer, const struct pass *pass)
{
    size_t channels = layer->output_size;
    for (size_t i = 0; pass->input_gradient && i < pass->count; i++)
        kernel_channel_means_backward(layer->input_size / channels, channels,
                                      pass->output_gradient + i * channels,
                                      pass->input_gradient + i * layer->input_size);
}

const struct layer_type layer_max_pool = {
    .name = "max_pool",
    .label = "max_pool",
    .prepare = prepare_max,
    .forward = forward_max,
    .backward = backward_max,
    .stops_relu = true,
    .repeats = true,
};

const struct layer_type layer_max_pool_joined = {
    .name = "max_pool",
    .label = "max_pool",
};

const struct layer_type layer_avg_pool = {
    .name = "avg_pool",
    .label = "avg_pool",
    .prepare = prepare,
    .forward = forward_avg,
    .backward = backward_avg,
    .repeats = true,
};

const struct layer_type layer_global_avg_pool = {
    .name = "global_avg_pool",
    .label = "global_avg_pool",
    .prepare = prepare_global,
    .forward = forward_global,
    .backward = backward_global,
    .repeats = true,
};
