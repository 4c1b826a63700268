#include "trainer/bf16.h"
#include "trainer/kernels.h"
#include "trainer/layer.h"

#include <string.h>

/* Inverted dropout (Srivastava et al., JMLR 2014, section 10): in training each
 * value is kept with probability 1 - rate and then divided by it, else 0; otherwise
 * y = x.
 *
 * The generator's index is step * layers + layer, and the value of image i at place
 * j takes its number i * output_size + j: what is dropped does not depend on how the
 * batch was split. */

struct dropout_plan {
    float rate;
    const struct bf16_layers *bf16; /* for what comes in rounded; or NULL */
};

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    (void)where, (void)why;
    struct dropout_plan *plan = xcalloc(1, sizeof *plan);
    plan->rate = (float)setting_number(settings, "rate");
    layer->plan = plan;
    layer_output_as_input(layer);
    layer->forgets_input = layer->forgets_output = true;
    layer->kept_size = layer->output_size * sizeof(uint8_t);
    plan->bf16 = bf16_kernels_chosen() ? bf16_kernels_chosen()->layers : NULL;
    layer->bf16_input = layer->bf16_output = layer->bf16_passes = plan->bf16;
    return 0;
}

/* Numbers that are drawn at once. */
enum { DRAWN = 256 };

static void draw_kept(const struct layer *layer, const struct pass *pass, float rate,
                      uint8_t *kept /* [count][output_size] */)
{
    struct rng rng;
    rng_init(&rng, pass->seed, pass->trial, RNG_DROPOUT,
             pass->step * pass->layer_count + layer->index);
    rng_seek(&rng, (uint64_t)pass->first * layer->output_size);
    size_t count = pass->count * layer->output_size;
    for (size_t first = 0; first < count; first += DRAWN) {
        float numbers[DRAWN];
        size_t some = count - first < DRAWN ? count - first : DRAWN;
        rng_floats(&rng, some, numbers);
        kernel_keep(some, numbers, rate, kept + first);
    }
}

static float scale_of(const struct dropout_plan *plan)
{
    return 1.0f / (1.0f - plan->rate);
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct dropout_plan *plan = layer->plan;
    size_t count = pass->count * layer->output_size;
    if (!pass->training) {
        memcpy(pass->output, pass->input, count * sizeof(float));
        return;
    }
    draw_kept(layer, pass, plan->rate, pass->kept);
    if (pass->bf16_input)
        plan->bf16->drop(count, pass->kept, scale_of(plan),
                         &(struct bf16_values){.rounded = pass->bf16_input},
                         &(struct bf16_target){pass->output, pass->bf16_output});
    else
        kernel_drop(count, pass->kept, scale_of(plan), pass->input, pass->output);
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct dropout_plan *plan = layer->plan;
    size_t count = pass->count * layer->output_size;
    if (pass->bf16_input_gradient)
        plan->bf16->drop(count, pass->kept, scale_of(plan),
                         &(struct bf16_values){pass->output_gradient, pass->bf16_output_gradient},
                         &(struct bf16_target){.rounded = pass->bf16_input_gradient});
    else if (pass->input_gradient)
        kernel_drop(count, pass->kept, scale_of(plan), pass->output_gradient,
                    pass->input_gradient);
}

const struct layer_type layer_dropout = {
    .name = "dropout",
    .label = "dropout",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .repeats = true,
};
