#include "trainer/export.h"

#include "trainer/activation.h"
#include "trainer/checkpoint.h"
#include "trainer/layer.h"

#include <stdlib.h>
#include <string.h>

static bool is(const struct export_layer *layer, const char *type)
{
    return strcmp(layer->type, type) == 0;
}

/* The same as the layer's own, which has found that it fits. */
static void place_window(struct export_layer *layer)
{
    const json_t *settings = layer->settings;
    bool same = setting_is(settings, "padding", "same");
    size_t size = setting_size(settings, is(layer, "conv") ? "kernel" : "size");
    size_t stride = setting_size(settings, "stride");
    if (is(layer, "conv") || is(layer, "max_pool") || is(layer, "avg_pool"))
        window_place(&layer->window, layer->input, size, stride > 0 ? stride : size, same);
    if (is(layer, "shortcut") && !layer->output_flat)
        window_pick(&layer->window, layer->input, (size_t)layer->output.height,
                    (size_t)layer->output.width);
}

/* The activation that the layer is, or the one that it ends in. */
static void find_activation(struct export_layer *layer)
{
    struct activation activation = activation_read(layer->type, layer->settings);
    if (!activation.type)
        activation = activation_read(setting_word(layer->settings, "activation"), NULL);
    layer->activation = activation.type ? activation.type->name : NULL;
    layer->slope = activation.slope;
}

static void read_layer(const struct network *network, size_t index, struct export_layer *layer)
{
    struct layer_summary summary;
    struct layer_detail detail;
    network_layer(network, index, &summary);
    network_layer_detail(network, index, &detail);
    *layer = (struct export_layer){
        .type = detail.beside ? "shortcut" : summary.type,
        .settings = detail.beside ? NULL : detail.settings,
        .input = detail.input,
        .input_flat = detail.input_flat,
        .output = summary.output,
        .output_flat = summary.flat,
        .epsilon = setting_number(detail.settings, "epsilon"),
        .parameters = detail.parameters,
        .parameter_count = summary.parameters,
        .statistics = detail.statistics,
        .statistic_count = detail.statistic_count,
        .source = detail.source,
        .shortcut = detail.shortcut,
    };
    memcpy(layer->name, summary.name, sizeof layer->name);
    find_activation(layer);
    place_window(layer);
}

struct export_model *export_model_load(const char *checkpoint, struct failure *why)
{
    json_t *header = NULL;
    struct network *network = checkpoint_load_network(checkpoint, 1, &header, why);
    if (!network)
        return NULL;
    size_t count = network_layer_count(network);
    struct export_layer *layers = xcalloc(count, sizeof *layers);
    for (size_t i = 0; i < count; i++)
        read_layer(network, i, &layers[i]);
    struct export_model *model = xcalloc(1, sizeof *model);
    *model = (struct export_model){
        .input = network_input(network),
        .classes = network_classes(network),
        .layers = layers,
        .count = count,
        .header = header,
        .network = network,
    };
    return model;
}

void export_model_free(struct export_model *model)
{
    if (!model)
        return;
    network_free(model->network);
    json_decref((json_t *)model->header);
    free((struct export_layer *)model->layers);
    free(model);
}

const float *export_weights(const struct export_layer *layer)
{
    return layer->parameters;
}

const float *export_bias(const struct export_layer *layer)
{
    if (is(layer, "shortcut"))
        return NULL;
    return layer->parameters + layer->parameter_count - (size_t)layer->output.channels;
}

bool export_flattens_image(const struct export_layer *layer)
{
    return is(layer, "flatten") && !layer->input_flat;
}
