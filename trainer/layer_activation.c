#include "trainer/activation.h"
#include "trainer/layer.h"

/* y = f(x), dx = f'(x) dy, with the f of activation.h that is called as the layer is.
 * The plan is the activation itself. */

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    (void)where, (void)why;
    struct activation *activation = xcalloc(1, sizeof *activation);
    *activation = activation_read(layer->type->name, settings);
    layer->plan = activation;
    layer_output_as_input(layer);
    layer->forgets_input = !activation->type->from_input;
    layer->forgets_output = activation->type->from_input;
    layer->flops = (double)layer->output_size;
    return 0;
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct activation *activation = layer->plan;
    activation->type->forward(pass->count * layer->output_size, activation->slope, pass->input,
                              pass->output);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct activation *activation = layer->plan;
    const struct activation_type *type = activation->type;
    if (pass->input_gradient)
        type->backward(pass->count * layer->output_size, activation->slope,
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
