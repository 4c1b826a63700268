#include "trainer/gemm.h"
#include "trainer/kernels.h"
#include "trainer/layer.h"
#include "trainer/weights.h"

/* The way around a residual's layers, where they change the shape: a convolution of 1x1
 * without bias, at every stride-th pixel (He et al. 2016, "Deep residual learning", option B).
 * For vectors, which have one pixel, that is a matrix:  y = x W, dW = x^T dy, dx = dy W^T.
 * Settings: the shape to come to, height, width and channels, and whether that is `flat`.
 * Parameters: [input channels][channels]. */

struct shortcut_plan {
    struct window window; /* of one pixel */
    size_t pixels, inputs, channels; /* pixels of the output */
};

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    struct shape in = layer->input;
    size_t height = setting_size(settings, "height"), width = setting_size(settings, "width");
    size_t channels = setting_size(settings, "channels");
    if (layer->input_flat != json_is_true(json_object_get(settings, "flat")))
        return fail_at(why, where,
                       "the layers of this residual make a vector of %zu values of an image of "
                       "%dx%dx%d, and the two cannot be added; put flatten before the residual "
                       "or behind it",
                       channels, in.height, in.width, in.channels);
    struct window window;
    if (window_pick(&window, in, height, width) < 0)
        return fail_at(why, where,
                       "the layers of this residual make an image of %zux%zux%zu of one of "
                       "%dx%dx%d, and no stride brings the shortcut there; use padding: same "
                       "in them",
                       height, width, channels, in.height, in.width, in.channels);
    struct shortcut_plan *plan = xcalloc(1, sizeof *plan);
    layer->plan = plan;
    plan->window = window;
    plan->pixels = height * width;
    plan->inputs = (size_t)in.channels;
    plan->channels = channels;
    if (layer->input_flat)
        layer_output_vector(layer, channels);
    else
        layer_output_image(layer, height, width, channels);
    layer->scratch_size = window.stride > 1 ? plan->pixels * plan->inputs : 0;
    layer->parameter_count = plan->inputs * channels;
    layer->flops = 2.0 * (double)plan->pixels * (double)layer->parameter_count;
    return 0;
}

static void initialize(const struct layer *layer, struct rng *rng, float *parameters)
{
    const struct shortcut_plan *plan = layer->plan;
    weights_draw(rng, false, plan->inputs, plan->channels, layer->parameter_count, parameters);
}

/* How many images are worked on together: all where the pixels lie in a row already, and
 * where they have to be picked out one at a time. */
static size_t images_together(const struct shortcut_plan *plan, const struct pass *pass)
{
    return plan->window.stride > 1 ? 1 : pass->count;
}

/* The pixels that the stride meets in the images from `first` on. */
static const float *pick_pixels(const struct layer *layer, const struct pass *pass, size_t first)
{
    const struct shortcut_plan *plan = layer->plan;
    const float *input = pass->input + first * layer->input_size;
    if (plan->window.stride == 1)
        return input;
    kernel_im2col(&plan->window, input, pass->scratch);
    return pass->scratch;
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct shortcut_plan *plan = layer->plan;
    size_t together = images_together(plan, pass);
    for (size_t first = 0; first < pass->count; first += together)
        gemm(together * plan->pixels, plan->channels, plan->inputs,
             pick_pixels(layer, pass, first), pass->parameters,
             pass->output + first * layer->output_size);
}

static void backward_input(const struct layer *layer, const struct pass *pass, size_t first,
                           size_t together)
{
    const struct shortcut_plan *plan = layer->plan;
    float *input_gradient = pass->input_gradient + first * layer->input_size;
    bool direct = plan->window.stride == 1;
    gemm_transposed_b(together * plan->pixels, plan->inputs, plan->channels,
                      pass->output_gradient + first * layer->output_size, pass->parameters,
                      direct ? input_gradient : pass->scratch);
    if (!direct)
        kernel_col2im(&plan->window, pass->scratch, input_gradient);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct shortcut_plan *plan = layer->plan;
    size_t together = images_together(plan, pass);
    for (size_t first = 0; first < pass->count; first += together) {
        gemm_transposed_a(plan->inputs, plan->channels, together * plan->pixels,
                          pick_pixels(layer, pass, first),
                          pass->output_gradient + first * layer->output_size,
                          first == 0 ? 0.0f : 1.0f, pass->parameter_gradient);
        if (pass->input_gradient)
            backward_input(layer, pass, first, together);
    }
}

const struct layer_type layer_shortcut_conv = {
    .name = "conv",
    .label = "shortcut",
    .prepare = prepare,
    .initialize = initialize,
    .forward = forward,
    .backward = backward,
};

const struct layer_type layer_shortcut_dense = {
    .name = "dense",
    .label = "shortcut",
    .prepare = prepare,
    .initialize = initialize,
    .forward = forward,
    .backward = backward,
};
