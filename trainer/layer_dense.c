#include "trainer/activation.h"
#include "trainer/bf16.h"
#include "trainer/bf16_dense.h"
#include "trainer/gemm.h"
#include "trainer/layer.h"
#include "trainer/weights.h"

#include <string.h>

/* y = x W + b, then the activation if there is one;
 * dW = x^T dy, db = sum over the images of dy, dx = dy W^T.
 * Parameters: weights [input][units], then the bias [units].
 *
 * Products by BLAS, or by bf16_dense.h for a pass in bf16. */

/* Images that one product takes: fewer leave BLAS busy with packing the weights, and more
 * shards each have a gradient as large as the weights. */
enum { PRODUCT_IMAGES = 64 };

struct dense_plan {
    size_t inputs, units;
    struct activation activation;
    bool glorot;
    struct bf16_dense bf16; /* without kernels: passes in bf16 are in fp32 */
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
    bf16_dense_plan(&plan->bf16, bf16_kernels_chosen(), plan->inputs, plan->units);
    layer->plan = plan;
    layer_output_vector(layer, plan->units);
    layer->parameter_count = (plan->inputs + 1) * plan->units;
    layer->kept_size = plan->units * activation_kept_size(&plan->activation);
    layer->shard_images = PRODUCT_IMAGES;
    if (plan->bf16.kernels) {
        layer->bf16_input = true;
        layer->scratch_size = bf16_dense_scratch_size(&plan->bf16);
        layer->arranged_size = bf16_floats(bf16_dense_packed_size(&plan->bf16)) +
                               bf16_floats(bf16_dense_turned_size(&plan->bf16));
    }
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

static bool in_bf16(const struct dense_plan *plan, const struct pass *pass)
{
    return pass->precision == PRECISION_BF16 && plan->bf16.kernels;
}

static uint16_t *packed_weights(const struct pass *pass)
{
    return (uint16_t *)pass->arranged;
}

static uint16_t *turned_weights(const struct dense_plan *plan, const struct pass *pass)
{
    return (uint16_t *)(pass->arranged + bf16_floats(bf16_dense_packed_size(&plan->bf16)));
}

static void arrange(const struct layer *layer, const struct pass *pass)
{
    const struct dense_plan *plan = layer->plan;
    if (!in_bf16(plan, pass))
        return;
    bf16_dense_pack(&plan->bf16, pass->parameters, packed_weights(pass));
    bf16_dense_pack_turned(&plan->bf16, pass->parameters, turned_weights(plan, pass));
}

static void forward_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct dense_plan *plan = layer->plan;
    bf16_dense_forward(&plan->bf16, pass->count,
                       &(struct bf16_values){pass->input, pass->bf16_input},
                       packed_weights(pass), pass->parameters + plan->inputs * plan->units,
                       activation_is_relu(&plan->activation), pass->scratch, pass->output);
    activation_behind_bias(&plan->activation, pass->count * plan->units, pass->output,
                           pass->kept);
}

static void backward_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct dense_plan *plan = layer->plan;
    const struct bf16_target back_to = {pass->input_gradient, pass->bf16_input_gradient};
    bool input_too = back_to.exact || back_to.rounded;
    bf16_dense_backward(&plan->bf16, pass->count,
                        &(struct bf16_values){pass->input, pass->bf16_input},
                        turned_weights(plan, pass), pass->output_gradient, pass->scratch,
                        pass->parameter_gradient, input_too ? &back_to : NULL);
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct dense_plan *plan = layer->plan;
    const float *bias = pass->parameters + plan->inputs * plan->units;
    if (in_bf16(plan, pass)) {
        forward_bf16(layer, pass);
        return;
    }
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
    if (in_bf16(plan, pass)) {
        backward_bf16(layer, pass);
        return;
    }
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
    .arrange = arrange,
    .forward = forward,
    .backward = backward,
};
