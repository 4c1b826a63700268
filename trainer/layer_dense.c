#include "trainer/activation.h"
#include "trainer/gemm.h"
#include "trainer/layer.h"
#include "trainer/weights.h"

#include <string.h>

/* y = x W + b, then the activation if there is one;
 * dW = x^T dy, db = sum over the images of dy, dx = dy W^T.
 * Parameters: weights [input][units], then the bias [units]. */

/* Images that one product takes: fewer leave BLAS busy with packing the weights, and more
 * shards each have a gradient as large as the weights. */
enum { PRODUCT_IMAGES = 64 };

struct dense_plan {
    size_t inputs, units;
    struct activation activation;
    bool glorot;
};

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    if (!layer->input_flat)
        return fail_at(why, where,
                       "dense needs a vector, but what comes in is an image of %dx%dx%d; "
                       "put flatten before it",
                       layer->input.height, layer->input.width, layer->input.channels);
    struct dense_plan *plan = xcalloc(1, sizeof *plan);
    *plan = (struct dense_plan){
        .inputs = layer->input_size,
        .units = setting_size(settings, "units"),
        .activation = activation_read(setting_word(settings, "activation"), NULL),
        .glorot = setting_is(settings, "weights", "glorot"),
    };
    layer->plan = plan;
    layer_output_vector(layer, plan->units);
    layer->parameter_count = (plan->inputs + 1) * plan->units;
    layer->kept_size = plan->units * activation_kept_size(&plan->activation);
    layer->shard_images = PRODUCT_IMAGES;
    layer->flops = 2.0 * (double)plan->inputs * (double)plan->units;
    return 0;
}

static void initialize(const struct layer *layer, struct rng *rng, float *parameters)
{
    const struct dense_plan *plan = layer->plan;
    size_t weights = plan->inputs * plan->units;
    weights_draw(rng, plan->glorot, plan->inputs, plan->units, weights, parameters);
    memset(parameters + weights, 0, plan->units * sizeof *parameters);
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct dense_plan *plan = layer->plan;
    const float *bias = pass->parameters + plan->inputs * plan->units;
    gemm(pass->count, plan->units, plan->inputs, pass->input, pass->parameters, pass->output);
    activation_bias(&plan->activation, pass->count, plan->units, bias, pass->output, pass->kept);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct dense_plan *plan = layer->plan;
    float *bias_gradient = pass->parameter_gradient + plan->inputs * plan->units;
    memset(bias_gradient, 0, plan->units * sizeof *bias_gradient);
    activation_bias_backward(&plan->activation, pass->count, plan->units, pass->output,
                             pass->kept, pass->output_gradient, bias_gradient);
    gemm_transposed_a(plan->inputs, plan->units, pass->count, pass->input, pass->output_gradient,
                      0.0f, pass->parameter_gradient);
    if (pass->input_gradient)
        gemm_transposed_b(pass->count, plan->inputs, plan->units, pass->output_gradient,
                          pass->parameters, pass->input_gradient);
}

const struct layer_type layer_dense = {
    .name = "dense",
    .label = "dense",
    .prepare = prepare,
    .initialize = initialize,
    .forward = forward,
    .backward = backward,
};
