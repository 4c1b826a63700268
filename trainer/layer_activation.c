#include "trainer/activation.h"
#include "trainer/bf16.h"
#include "trainer/layer.h"

#include <string.h>

/* y = f(x), dx = f'(x) dy, with the f of activation.h that is called as the layer is. */

struct activation_plan {
    struct activation activation;
    const struct bf16_layers *bf16; /* for relu of what comes in rounded; or NULL */
};

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    (void)where, (void)why;
    struct activation_plan *plan = xcalloc(1, sizeof *plan);
    plan->activation = activation_read(layer->type->name, settings);
    layer->plan = plan;
    layer_output_as_input(layer);
    layer->forgets_input = !plan->activation.type->from_input;
    layer->forgets_output = plan->activation.type->from_input;
    layer->flops = (double)layer->output_size;
    layer->ends_in_relu = activation_is_relu(&plan->activation);
    if (layer->ends_in_relu && bf16_kernels_chosen())
        plan->bf16 = bf16_kernels_chosen()->layers;
    layer->bf16_input = layer->bf16_output = layer->bf16_passes = plan->bf16;
    return 0;
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct activation_plan *plan = layer->plan;
    size_t count = pass->count * layer->output_size;
    if (pass->bf16_input)
        plan->bf16->relu(count, pass->bf16_input,
                         &(struct bf16_target){pass->output, pass->bf16_output});
    else
        plan->activation.type->forward(count, plan->activation.slope, pass->input, pass->output);
}

static void backward_bf16(const struct layer *layer, const struct pass *pass)
{
    const struct activation_plan *plan = layer->plan;
    size_t count = pass->count * layer->output_size;
    const struct bf16_values gradient = {pass->output_gradient, pass->bf16_output_gradient};
    const struct bf16_values output = {pass->output, pass->bf16_output};
    plan->bf16->relu_backward(count, pass->relu_stopped ? NULL : &output, &gradient,
                              pass->bf16_input_gradient);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct activation_plan *plan = layer->plan;
    const struct activation_type *type = plan->activation.type;
    size_t count = pass->count * layer->output_size;
    if (pass->bf16_input_gradient)
        backward_bf16(layer, pass);
    else if (pass->input_gradient && pass->relu_stopped)
        memcpy(pass->input_gradient, pass->output_gradient, count * sizeof(float));
    else if (pass->input_gradient)
        type->backward(count, plan->activation.slope,
                       type->from_input ? pass->input : pass->output, pass->output_gradient,
                       pass->input_gradient);
}

const struct layer_type layer_relu = {
    .name = "relu",
    .label = "relu",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

const struct layer_type layer_leaky_relu = {
    .name = "leaky_relu",
    .label = "leaky_relu",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

const struct layer_type layer_elu = {
    .name = "elu",
    .label = "elu",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

const struct layer_type layer_tanh = {
    .name = "tanh",
    .label = "tanh",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

const struct layer_type layer_sigmoid = {
    .name = "sigmoid",
    .label = "sigmoid",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

const struct layer_type layer_gelu = {
    .name = "gelu",
    .label = "gelu",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
