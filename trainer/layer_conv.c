#include "trainer/activation.h"
#include "trainer/gemm.h"
#include "trainer/kernels.h"
#include "trainer/layer.h"
#include "trainer/weights.h"

#include <string.h>

/* y = window(x) W + b, then the activation if there is one, where window(x) has a row of cells for
 * each output pixel (im2col);  dW = window(x)^T dy, db = sum over the pixels of dy,
 * dx = the transpose of window() applied to dy W^T (col2im).
 * Parameters: weights [kernel][kernel][input channels][filters], then the bias [filters].
 *
 * A few images at a time, so that their columns are still in the second-level cache
 * when BLAS reads them: laying them out again for dW is cheaper than keeping them. */

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
    bool direct;    /* the input is its own columns: kernel 1, stride 1 */
};

static void plan_sizes(struct layer *layer, struct conv_plan *plan)
{
    const struct window *window = &plan->window;
    plan->pixels = window->output_height * window->output_width;
    plan->cells = window->size * window->size * window->channels;
    plan->direct = window->size == 1 && window->stride == 1;

    size_t columns = plan->pixels * plan->cells;
    plan->chunk = COLUMN_BYTES / (columns * sizeof(float) + 1);
    if (plan->chunk < 1)
        plan->chunk = 1;
    if (plan->chunk > CHUNK_MOST)
        plan->chunk = CHUNK_MOST;
    layer_output_image(layer, window->output_height, window->output_width, plan->filters);
    layer->scratch_size = plan->direct ? 0 : plan->chunk * columns;
    layer->kept_size = layer->output_size * activation_kept_size(&plan->activation);
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

/* The columns of `count` images: in scratch, or the input itself. */
static const float *lay_out(const struct layer *layer, const struct pass *pass, size_t first,
                            size_t count)
{
    const struct conv_plan *plan = layer->plan;
    const float *input = pass->input + first * layer->input_size;
    if (plan->direct)
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

/* What the activation keeps of the images from `first` on, or NULL. */
static float *kept_from(const struct layer *layer, const struct pass *pass, size_t first)
{
    return layer->kept_size > 0 ? (float *)pass->kept + first * layer->output_size : NULL;
}

static void forward(const struct layer *layer, const struct pass *pass)
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

static void backward_parameters(const struct layer *layer, const struct pass *pass, size_t first,
                                size_t count)
{
    const struct conv_plan *plan = layer->plan;
    float *gradient = pass->output_gradient + first * layer->output_size;
    float *bias_gradient = pass->parameter_gradient + plan->cells * plan->filters;
    size_t rows = count * plan->pixels;
    if (first == 0)
        memset(bias_gradient, 0, plan->filters * sizeof *bias_gradient);
    activation_bias_backward(&plan->activation, rows, plan->filters,
                             pass->output + first * layer->output_size,
                             kept_from(layer, pass, first), gradient, bias_gradient);
    gemm_transposed_a(plan->cells, plan->filters, rows, lay_out(layer, pass, first, count),
                      gradient, first == 0 ? 0.0f : 1.0f, pass->parameter_gradient);
}

static void backward_input(const struct layer *layer, const struct pass *pass, size_t first,
                           size_t count)
{
    const struct conv_plan *plan = layer->plan;
    float *input_gradient = pass->input_gradient + first * layer->input_size;
    float *columns = plan->direct ? input_gradient : pass->scratch;
    gemm_transposed_b(count * plan->pixels, plan->cells, plan->filters,
                      pass->output_gradient + first * layer->output_size, pass->parameters,
                      columns);
    for (size_t i = 0; !plan->direct && i < count; i++)
        kernel_col2im(&plan->window, columns + i * plan->pixels * plan->cells,
                      input_gradient + i * layer->input_size);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct conv_plan *plan = layer->plan;
    for (size_t first = 0; first < pass->count; first += plan->chunk) {
        size_t count = chunk_from(plan, pass, first);
        backward_parameters(layer, pass, first, count);
        if (pass->input_gradient)
            backward_input(layer, pass, first, count);
    }
}

const struct layer_type layer_conv = {
    .name = "conv",
    .label = "conv2d",
    .prepare = prepare,
    .initialize = initialize,
    .forward = forward,
    .backward = backward,
};
