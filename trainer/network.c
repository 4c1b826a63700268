#include "trainer/network.h"

#include "trainer/floats.h"
#include "trainer/gemm.h"
#include "trainer/network_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With Adam's two vectors a checkpoint of so many parameters stays under 1 GiB. */
static const size_t PARAMETERS_MOST = (size_t)1 << 26;
/* Of one image in all layers together: 1 GiB, and a batch has many. */
static const size_t VALUES_MOST = (size_t)1 << 28;
static const int SIDE_MOST = 1 << 16;
enum { CLASSES_MOST = 1000 };

static int check_input(struct shape input, int classes, struct failure *why)
{
    if (input.height < 1 || input.width < 1 || input.channels < 1 || input.height > SIDE_MOST ||
        input.width > SIDE_MOST || input.channels > SIDE_MOST ||
        (uint64_t)input.height * (uint64_t)input.width * (uint64_t)input.channels > VALUES_MOST)
        return fail_input(why,
                          "images of %dx%dx%d cannot be trained on: each side must be from 1 to "
                          "%d, and an image have at most %zu values",
                          input.height, input.width, input.channels, SIDE_MOST, VALUES_MOST);
    if (classes < 1 || classes > CLASSES_MOST)
        return fail_input(why, "%d classes cannot be told apart: from 1 to %d can", classes,
                          CLASSES_MOST);
    return 0;
}

/* Adds up what the layers need; fails where it becomes too much. */
static int take_in_layer(struct network *network, struct layer *layer, size_t *values,
                         struct failure *why)
{
    layer->parameter_offset = network->parameter_count;
    if (layer->parameter_count > 0 && network->parameter_count == 0)
        network->lowest = layer->index;
    network->parameter_count += layer->parameter_count;
    layer->statistic_offset = network->statistic_count;
    network->statistic_count += layer->statistic_count;
    *values += layer->output_size;
    if (layer->output_size > network->widest)
        network->widest = layer->output_size;
    if (layer->scratch_size > network->scratch_size)
        network->scratch_size = layer->scratch_size;
    if (layer->kept_size > network->kept_most)
        network->kept_most = layer->kept_size;

    char where[32];
    snprintf(where, sizeof where, "model[%zu]", layer->index);
    if (network->parameter_count > PARAMETERS_MOST)
        return fail_at(why, where,
                       "up to this layer the network has %zu parameters; the most is %zu, "
                       "so make its layers smaller",
                       network->parameter_count, PARAMETERS_MOST);
    if (*values > VALUES_MOST)
        return fail_at(why, where,
                       "up to this layer the network has %zu values per image; the most is %zu, "
                       "so make its layers smaller",
                       *values, VALUES_MOST);
    return 0;
}

static int prepare_layers(struct network *network, const json_t *model, struct failure *why)
{
    size_t count = json_array_size(model);
    size_t values = 0;
    network->layers = xcalloc(count, sizeof *network->layers);
    network->widest = shape_size(network->input);
    network->lowest = count;
    const struct layer *before = NULL;
    for (size_t i = 0; i < count; i++) {
        struct layer *layer = &network->layers[i];
        if (layer_prepare(layer, json_array_get(model, i), before, network->input, i, why) < 0)
            return -1;
        network->layer_count++;
        if (take_in_layer(network, layer, &values, why) < 0)
            return -1;
        before = layer;
    }
    return 0;
}

static int check_last_layer(const struct network *network, struct failure *why)
{
    const struct layer *last = &network->layers[network->layer_count - 1];
    struct shape output = last->output;
    char where[32];
    snprintf(where, sizeof where, "model[%zu]", last->index);
    if (output.height * output.width != 1)
        return fail_at(why, where,
                       "the last layer gives an image of %dx%dx%d, but the data have %d classes; "
                       "end with flatten and a dense layer of %d units",
                       output.height, output.width, output.channels, network->classes,
                       network->classes);
    if (output.channels != network->classes)
        return fail_at(why, where,
                       "the last layer gives %d values, but the data have %d classes; "
                       "end with a dense layer of %d units",
                       output.channels, network->classes, network->classes);
    return 0;
}

struct network *network_new(const json_t *model, struct shape input, int classes, int threads,
                            struct failure *why)
{
    if (json_array_size(model) == 0) {
        fail_at(why, "model", "a network needs at least one layer");
        return NULL;
    }
    if (check_input(input, classes, why) < 0)
        return NULL;
    struct network *network = xcalloc(1, sizeof *network);
    network->input = input;
    network->classes = classes;
    if (prepare_layers(network, model, why) < 0 || check_last_layer(network, why) < 0) {
        network_free(network);
        return NULL;
    }
    gemm_prepare();
    network->pool = pool_new(threads);
    network->parameters = floats_zero(network->parameter_count);
    network->gradients = floats_zero(network->parameter_count);
    network->statistics = floats_zero(network->statistic_count);
    return network;
}

void network_free(struct network *network)
{
    if (!network)
        return;
    network_release_memory(network);
    pool_free(network->pool);
    for (size_t i = 0; i < network->layer_count; i++)
        layer_release(&network->layers[i]);
    free(network->layers);
    free(network->statistics);
    free(network->gradients);
    free(network->parameters);
    free(network);
}

size_t network_layer_count(const struct network *network)
{
    return network->layer_count;
}

/* How many layers of the same type there are up to this one. */
static int number_of_its_type(const struct network *network, size_t index)
{
    int number = 0;
    for (size_t i = 0; i <= index; i++)
        number += network->layers[i].type == network->layers[index].type;
    return number;
}

void network_layer(const struct network *network, size_t index, struct layer_summary *summary)
{
    const struct layer *layer = &network->layers[index];
    *summary = (struct layer_summary){
        .type = layer->type->name,
        .output = layer->output,
        .flat = layer->output_flat,
        .parameters = layer->parameter_count,
        .flops = layer->flops,
    };
    snprintf(summary->name, sizeof summary->name, "%s_%d", layer->type->label,
             number_of_its_type(network, index));
}

double network_flops(const struct network *network)
{
    double flops = 0.0;
    for (size_t i = 0; i < network->layer_count; i++)
        flops += network->layers[i].flops;
    return flops;
}

int network_classes(const struct network *network)
{
    return network->classes;
}

struct shape network_input(const struct network *network)
{
    return network->input;
}

size_t network_parameter_count(const struct network *network)
{
    return network->parameter_count;
}

float *network_parameters(struct network *network)
{
    return network->parameters;
}

float *network_gradients(struct network *network)
{
    return network->gradients;
}

size_t network_statistic_count(const struct network *network)
{
    return network->statistic_count;
}

float *network_statistics(struct network *network)
{
    return network->statistics;
}

static void swap_blocks(float **one, float **other)
{
    float *block = *one;
    *one = *other;
    *other = block;
}

void network_swap_weights(struct network *network, float **parameters, float **statistics)
{
    swap_blocks(&network->parameters, parameters);
    swap_blocks(&network->statistics, statistics);
}

void network_smooth_labels(struct network *network, double smoothing)
{
    network->label_smoothing = smoothing;
}

void network_initialize(struct network *network, uint64_t seed, uint32_t trial)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        if (!layer->type->initialize)
            continue;
        struct rng rng;
        rng_init(&rng, seed, trial, RNG_WEIGHTS, i);
        layer->type->initialize(layer, &rng, network->parameters + layer->parameter_offset);
    }
}
