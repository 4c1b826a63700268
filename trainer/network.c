#include "trainer/network.h"

#include "trainer/floats.h"
#include "trainer/gemm.h"
#include "trainer/network_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 GiB. */
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

/* The layers and how much they need, without any of it. */
static struct network *layers_new(const json_t *model, struct shape input, int classes,
                                  struct failure *why)
{
    if (check_input(input, classes, why) < 0)
        return NULL;
    struct network *network = xcalloc(1, sizeof *network);
    network->input = input;
    network->classes = classes;
    if (network_build(network, model, why) < 0) {
        network_free(network);
        return NULL;
    }
    return network;
}

int network_count(const json_t *model, struct shape input, int classes, size_t *parameters,
                  size_t *statistics, struct failure *why)
{
    struct network *network = layers_new(model, input, classes, why);
    if (!network)
        return -1;
    *parameters = network->parameter_count;
    *statistics = network->statistic_count;
    network_free(network);
    return 0;
}

struct network *network_new(const json_t *model, struct shape input, int classes, int threads,
                            struct failure *why)
{
    struct network *network = layers_new(model, input, classes, why);
    if (!network)
        return NULL;
    network_route(network);
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
    free(network->routes);
    free(network->statistics);
    free(network->gradients);
    free(network->parameters);
    free(network);
}

size_t network_layer_count(const struct network *network)
{
    return network->layer_count;
}

/* How many layers of the same label there are up to this one. */
static int number_of_its_label(const struct network *network, size_t index)
{
    const char *label = network->layers[index].type->label;
    int number = 0;
    for (size_t i = 0; i <= index; i++)
        number += strcmp(network->layers[i].type->label, label) == 0;
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
             number_of_its_label(network, index));
}

void network_layer_detail(const struct network *network, size_t index,
                          struct layer_detail *detail)
{
    const struct layer *layer = &network->layers[index];
    const struct route *route = &network->routes[index];
    *detail = (struct layer_detail){
        .settings = layer->settings,
        .input = layer->input,
        .input_flat = layer->input_flat,
        .beside = layer->type == &layer_shortcut_conv || layer->type == &layer_shortcut_dense,
        .source = route->source_layer,
        .shortcut = route->shortcut_layer,
        .parameters = network->parameters + layer->parameter_offset,
        .statistics = network->statistics + layer->statistic_offset,
        .statistic_count = layer->statistic_count,
    };
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

void network_set_precision(struct network *network, enum precision precision)
{
    network->precision = precision;
}

void network_initialize(struct network *network, uint64_t seed, uint32_t trial)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        struct rng rng;
        rng_init(&rng, seed, trial, RNG_WEIGHTS, i);
        if (layer->type->initialize)
            layer->type->initialize(layer, &rng, network->parameters + layer->parameter_offset);
        if (layer->type->reset)
            layer->type->reset(layer, network->statistics + layer->statistic_offset);
    }
}
