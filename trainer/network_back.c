#include "trainer/kernels.h"
#include "trainer/network_step.h"

#include <string.h>

/* Parameters whose gradients are added up in one piece of work. */
enum { SUM_BLOCK = 16384 };

/* The gradients that do not lie where they belong already: an `add` has two inputs, and what
 * has several readers gets the sum of what they pass back. */
static void hand_on(const struct network *network, const struct layer *layer,
                    const struct pass *pass)
{
    const struct route *route = &network->routes[layer->index];
    float *const *gradients = network->batch.gradients;
    size_t begin = pass->first * layer->input_size;
    size_t count = pass->count * layer->input_size;
    if (route->shortcut_gradient != NOTHING) {
        float *shortcut = gradients[route->shortcut_gradient] + begin;
        if (route->shortcut_begins)
            memcpy(shortcut, pass->output_gradient, count * sizeof *shortcut);
        else
            kernel_add(count, pass->output_gradient, shortcut);
    }
    if (route->passed != route->source_gradient)
        kernel_add(count, pass->input_gradient, gradients[route->source_gradient] + begin);
}

static void backward_layer(const struct step *step, const struct part *part,
                           const struct layer *layer, struct pass *pass)
{
    float own[LIGHT_PARAMETERS], *sum = pass->parameter_gradient;
    bool adds = layer->parameter_count > 0 && !part->begins;
    pass->parameter_gradient = adds ? own : sum;
    if (layer->type->backward)
        layer->type->backward(layer, pass);
    if (adds)
        kernel_add(layer->parameter_count, own, sum);
    hand_on(step->network, layer, pass);
}

void network_part_back(const struct step *step, const struct part *part)
{
    const struct network *network = step->network;
    float *const *handed = network->threads[part->thread].handed, *gradient = NULL;
    size_t index = NOTHING, next = step->end - 1;
    for (size_t turn = 0; index != step->begin; turn++) {
        index = next;
        next = network_next_back(network, index);
        struct pass pass = network_part_of(step, index, part);
        if (gradient)
            pass.output_gradient = gradient;
        gradient = handed[turn % 2];
        if (network->routes[index].hands)
            pass.input_gradient = gradient;
        network_name_bf16(step, index, &pass);
        backward_layer(step, part, &network->layers[index], &pass);
    }
}

/* The shards' gradients of some parameters, added to the first one's. */
static void sum_block(void *context, size_t block, int thread)
{
    (void)thread;
    const struct step *step = context;
    const struct network *network = step->network;
    size_t first = step->sum_offset + block * SUM_BLOCK;
    size_t left = step->sum_count - block * SUM_BLOCK;
    size_t count = left < SUM_BLOCK ? left : SUM_BLOCK;
    for (size_t shard = 1; shard < step->shard_count; shard++)
        kernel_add(count,
                   network->batch.shard_gradients + (shard - 1) * network->parameter_count + first,
                   network->gradients + first);
}

static bool gathers_back(const struct network *network, size_t index)
{
    return index != NOTHING && network->layers[index].type->gather_back;
}

/* The last layer of the stretch that begins at a layer on the way back. */
static size_t stretch_end_back(const struct network *network, size_t index)
{
    while (network->routes[index].hands)
        index = network_next_back(network, index);
    return index;
}

/* Of the stretch's layers, which follow one another in the network's block. */
static void sum_shards(struct step *step)
{
    const struct layer *first = &step->network->layers[step->begin];
    const struct layer *last = &step->network->layers[step->end - 1];
    step->sum_offset = first->parameter_offset;
    step->sum_count = last->parameter_offset + last->parameter_count - first->parameter_offset;
    if (step->shard_count > 1)
        pool_run(step->network->pool, sum_block, step,
                 (step->sum_count + SUM_BLOCK - 1) / SUM_BLOCK);
}

void network_run_backward(struct step *step)
{
    struct network *network = step->network;
    size_t index = network_next_back(network, network->layer_count), next;
    step->back = true;
    if (gathers_back(network, index))
        network_run_stretch(step, index, index, index);
    for (; index != NOTHING; index = next) {
        if (network->routes[index].repeats)
            network_run_stretch(step, index, index + 1, network_next_back(network, index));
        size_t begin = stretch_end_back(network, index);
        next = network_next_back(network, begin);
        bool gathering = gathers_back(network, next);
        bool alone = network_has_own_shards(network, index);
        network_run_stretch(step, begin, index + 1, gathering && !alone ? next : NOTHING);
        sum_shards(step);
        if (gathering && alone)
            network_run_stretch(step, next, next, next);
    }
}
