#include "trainer/network_step.h"

const float *network_find_value(const struct step *step, size_t value)
{
    return value == 0 ? step->images : step->network->batch.outputs[value - 1];
}

struct pass network_pass_of(const struct step *step, size_t index)
{
    const struct network *network = step->network;
    const struct batch_memory *memory = &network->batch;
    const struct layer *layer = &network->layers[index];
    const struct route *route = &network->routes[index];
    struct pass pass = step->common;
    pass.input = network_find_value(step, route->source);
    pass.shortcut = route->shortcut != NOTHING ? network_find_value(step, route->shortcut) : NULL;
    pass.output = memory->outputs[index];
    pass.kept = memory->kept[index];
    pass.parameters = network->parameters + layer->parameter_offset;
    pass.statistics = network->statistics + layer->statistic_offset;
    pass.arranged = network->arranged + layer->arranged_offset;
    pass.gathered = memory->gathered[index];
    pass.gathered_back = pass.gathered ? pass.gathered + layer->gathered_count : NULL;
    pass.relu_stopped = route->relu_stopped;
    pass.stops_relu = route->stops_relu;
    if (step->back) {
        pass.output_gradient = memory->gradients[route->gradient];
        pass.input_gradient = route->passed != NOTHING ? memory->gradients[route->passed] : NULL;
    }
    return pass;
}

/* What a layer leaves for the next of its stretch alone; NULL for the images and other values. */
static float *find_forgotten(const struct network *network, size_t value, int thread)
{
    const struct route *route = value > 0 ? &network->routes[value - 1] : NULL;
    if (!route || !route->forgotten)
        return NULL;
    return network->threads[thread].values +
           route->output * network->predicted_images * network->widest;
}

/* ---- bf16 ---- */

static bool is_bf16(const struct step *step, size_t value)
{
    return step->common.precision == PRECISION_BF16 && value > 0 &&
           step->network->routes[value - 1].bf16;
}

/* The values of the images from `first` on, of so many each, in a block of them.  Those in bf16
 * take half the place. */
static float *values_from(float *block, bool bf16, size_t first, size_t size)
{
    if (!block)
        return NULL;
    return bf16 ? (float *)((uint16_t *)block + first * size) : block + first * size;
}

void network_name_bf16(const struct step *step, size_t index, struct pass *pass)
{
    if (is_bf16(step, step->network->routes[index].source)) {
        pass->bf16_input = (const uint16_t *)pass->input;
        pass->bf16_input_gradient = (uint16_t *)pass->input_gradient;
        pass->input = pass->input_gradient = NULL;
    }
    if (is_bf16(step, index + 1)) {
        pass->bf16_output = (uint16_t *)pass->output;
        pass->bf16_output_gradient = (uint16_t *)pass->output_gradient;
        pass->output = pass->output_gradient = NULL;
    }
}

/* ---- a part ---- */

struct pass network_part_of(const struct step *step, size_t index, const struct part *part)
{
    const struct network *network = step->network;
    const struct layer *layer = &network->layers[index];
    bool bf16_in = is_bf16(step, network->routes[index].source), bf16_out = is_bf16(step, index + 1);
    struct pass pass = network_pass_of(step, index);
    pass.first = part->first;
    pass.count = part->count;
    pass.input = values_from((float *)pass.input, bf16_in, part->first, layer->input_size);
    pass.output = values_from(pass.output, bf16_out, part->first, layer->output_size);
    if (pass.shortcut)
        pass.shortcut += part->first * layer->input_size;
    if (pass.kept)
        pass.kept = (char *)pass.kept + part->first * layer->kept_size;
    pass.output_gradient = values_from(pass.output_gradient, bf16_out, part->first,
                                       layer->output_size);
    pass.input_gradient = values_from(pass.input_gradient, bf16_in, part->first,
                                      layer->input_size);
    pass.parameter_gradient = part->shard == 0 ? network->gradients
                                               : network->batch.shard_gradients +
                                                     (part->shard - 1) * network->parameter_count;
    pass.parameter_gradient += layer->parameter_offset;
    pass.scratch = network->threads[part->thread].scratch;
    float *input = find_forgotten(network, network->routes[index].source, part->thread);
    float *output = find_forgotten(network, index + 1, part->thread);
    pass.input = input ? input : pass.input;
    pass.output = output ? output : pass.output;
    return pass;
}
