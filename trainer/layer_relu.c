#include "trainer/kernels.h"
#include "trainer/layer.h"

/* y = max(x, 0);  dx = dy where y > 0, else 0 */

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    (void)settings, (void)where, (void)why;
    layer_output_as_input(layer);
    layer->flops = (double)layer->output_size;
    return 0;
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    kernel_relu(pass->count * layer->output_size, pass->input, pass->output);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    if (pass->input_gradient)
        kernel_relu_backward(pass->count * layer->output_size, pass->output,
                             pass->output_gradient, pass->input_gradient);
}

const struct layer_type layer_relu = {
    .name = "relu",
    .label = "relu",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
