#include "trainer/kernels.h"
#include "trainer/layer.h"

/* max_pool: y = the largest x under the window, dx goes to where it was.
 * avg_pool: y = the mean of the x under the window, dx is spread evenly over them.
 * global_avg_pool: the mean of each channel over the whole image, as a vector.
 * The plan is the window itself; global_avg_pool has none. */

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    if (layer_needs_image(layer, where, why) < 0)
        return -1;
    struct window *window = xcalloc(1, sizeof *window);
    layer->plan = window;
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
    return 0;
}

static void forward_max(const struct layer *layer, const struct pass *pass)
{
    int32_t *chosen = pass->kept;
    for (size_t i = 0; i < pass->count; i++)
        kernel_max_pool(layer->plan, NULL, pass->input + i * layer->input_size,
                        pass->output + i * layer->output_size, chosen + i * layer->output_size);
}

static void backward_max(const struct layer *layer, const struct pass *pass)
{
    const int32_t *chosen = pass->kept;
    for (size_t i = 0; pass->input_gradient && i < pass->count; i++)
        kernel_max_pool_backward(layer->plan, chosen + i * layer->output_size,
                                 pass->stops_relu ? pass->output + i * layer->output_size : NULL,
                                 pass->output_gradient + i * layer->output_size,
                                 pass->input_gradient + i * layer->input_size);
}

static void forward_avg(const struct layer *layer, const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        kernel_avg_pool(layer->plan, pass->input + i * layer->input_size,
                        pass->output + i * layer->output_size);
}

static void backward_avg(const struct layer *layer, const struct pass *pass)
{
    for (size_t i = 0; pass->input_gradient && i < pass->count; i++)
        kernel_avg_pool_backward(layer->plan, pass->output_gradient + i * layer->output_size,
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
