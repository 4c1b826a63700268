#include "trainer/network_parts.h"

#include <stdlib.h>
#include <string.h>

/* With Adam's two vectors a checkpoint of so many parameters stays under 1 GiB. */
static const size_t PARAMETERS_MOST = (size_t)1 << 26;
/* Of one image in all layers together: 1 GiB, and a batch has many. */
static const size_t VALUES_MOST = (size_t)1 << 28;

/* What goes into the next layer. */
struct flow {
    size_t value;
    int layer; /* whose output it is, -1 for the images; a layer that runs nothing counts too */
    struct shape shape;
    bool flat;
};

struct builder {
    struct network *network;
    struct flow flow;
    size_t values; /* of one image in all layers so far */
    size_t branch; /* the value that the innermost residual begins with: others read it, too */
};

static void raise(size_t *most, size_t size)
{
    if (size > *most)
        *most = size;
}

/* Adds up what the layers need; fails where it becomes too much. */
static int take_in_layer(struct builder *builder, struct layer *layer, const char *where,
                         struct failure *why)
{
    struct network *network = builder->network;
    layer->parameter_offset = network->parameter_count;
    network->parameter_count += layer->parameter_count;
    layer->statistic_offset = network->statistic_count;
    network->statistic_count += layer->statistic_count;
    layer->arranged_offset = network->arranged_size;
    network->arranged_size += layer->arranged_size;
    builder->values += layer->output_size;
    raise(&network->widest, layer->output_size);
    raise(&network->scratch_size, layer->scratch_size);
    raise(&network->kept_most, layer->kept_size);
    raise(&network->gathered_most, layer->gathered_count);
    if (network->parameter_count > PARAMETERS_MOST)
        return fail_at(why, where,
                       "up to this layer the network has %zu parameters; the most is %zu, "
                       "so make its layers smaller",
                       network->parameter_count, PARAMETERS_MOST);
    if (builder->values > VALUES_MOST)
        return fail_at(why, where,
                       "up to this layer the network has %zu values per image; the most is %zu, "
                       "so make its layers smaller",
                       builder->values, VALUES_MOST);
    return 0;
}

/* Whether the layer before, if its output goes to this one alone, does what this one does. */
static bool join(struct builder *builder, struct layer *layer)
{
    size_t value = builder->flow.value;
    if (layer->index == 0 || value != layer->index || value == builder->branch)
        return false;
    struct layer *before = layer - 1;
    if (!before->type->join || !before->type->join(before, layer))
        return false;
    raise(&builder->network->kept_most, before->kept_size);
    return true;
}

/* Appends a layer to the list; `type` is NULL where `settings` name it, `shortcut` but for an
 * `add`. */
static int build_layer(struct builder *builder, const struct layer_type *type,
                       const json_t *settings, const struct flow *shortcut, const char *where,
                       struct failure *why)
{
    struct network *network = builder->network;
    struct flow *flow = &builder->flow;
    size_t index = network->layer_count;
    network->layers = xreallocarray(network->layers, index + 1, sizeof *network->layers);
    network->routes = xreallocarray(network->routes, index + 1, sizeof *network->routes);
    network->routes[index] = (struct route){
        .source = flow->value,
        .source_layer = flow->layer,
        .shortcut = shortcut ? shortcut->value : NOTHING,
        .shortcut_layer = shortcut ? shortcut->layer : -1,
    };
    struct layer *layer = &network->layers[index];
    *layer = (struct layer){
        .type = type, .index = index, .input = flow->shape, .input_flat = flow->flat};
    if (layer_prepare(layer, settings, where, why) < 0)
        return -1;
    network->layer_count++;
    if (layer->type->forward && !join(builder, layer))
        flow->value = index + 1;
    flow->layer = (int)index;
    flow->shape = layer->output;
    flow->flat = layer->output_flat;
    return take_in_layer(builder, layer, where, why);
}

static bool has_shape(const struct flow *flow, const struct flow *other)
{
    return flow->flat == other->flat && flow->shape.height == other->shape.height &&
           flow->shape.width == other->shape.width &&
           flow->shape.channels == other->shape.channels;
}

/* The layer that brings `from` to the shape of what flows now; its output in *shortcut. */
static int build_shortcut(struct builder *builder, struct flow from, struct flow *shortcut,
                          const char *where, struct failure *why)
{
    const struct flow to = builder->flow;
    json_t *settings = json_pack("{s:i, s:i, s:i, s:b}", "height", to.shape.height, "width",
                                 to.shape.width, "channels", to.shape.channels, "flat", to.flat);
    builder->flow = from;
    int result = build_layer(builder, from.flat ? &layer_shortcut_dense : &layer_shortcut_conv,
                             settings, NULL, where, why);
    *shortcut = builder->flow;
    builder->flow = to;
    json_decref(settings);
    return result;
}

static int build_list(struct builder *builder, const json_t *list, const char *where,
                      struct failure *why);

static int build_residual(struct builder *builder, const json_t *layers, const char *where,
                          struct failure *why)
{
    if (json_array_size(layers) == 0)
        return fail_at(why, where, "a residual needs at least one layer");
    const struct flow begin = builder->flow;
    struct flow shortcut = begin;
    builder->branch = begin.value;
    char *place = xasprintf("%s.layers", where);
    int result = build_list(builder, layers, place, why);
    free(place);
    if (result == 0 && !has_shape(&begin, &builder->flow))
        result = build_shortcut(builder, begin, &shortcut, where, why);
    if (result == 0)
        result = build_layer(builder, &layer_add, NULL, &shortcut, where, why);
    return result;
}

static int build_list(struct builder *builder, const json_t *list, const char *where,
                      struct failure *why)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < json_array_size(list); i++) {
        const json_t *settings = json_array_get(list, i);
        char *place = xasprintf("%s[%zu]", where, i);
        if (setting_is(settings, "type", "residual"))
            result = build_residual(builder, json_object_get(settings, "layers"), place, why);
        else
            result = build_layer(builder, NULL, settings, NULL, place, why);
        free(place);
    }
    return result;
}

static int check_end(const struct builder *builder, size_t last, struct failure *why)
{
    struct shape output = builder->flow.shape;
    int classes = builder->network->classes, result = 0;
    char *where = xasprintf("model[%zu]", last);
    if (output.height * output.width != 1)
        result = fail_at(why, where,
                         "the last layer gives an image of %dx%dx%d, but the data have %d "
                         "classes; end with flatten and a dense layer of %d units",
                         output.height, output.width, output.channels, classes, classes);
    else if (output.channels != classes)
        result = fail_at(why, where,
                         "the last layer gives %d values, but the data have %d classes; "
                         "end with a dense layer of %d units",
                         output.channels, classes, classes);
    free(where);
    return result;
}

int network_build(struct network *network, const json_t *model, struct failure *why)
{
    size_t count = json_array_size(model);
    if (count == 0)
        return fail_at(why, "model", "a network needs at least one layer");
    struct builder builder = {.network = network, .flow = {.layer = -1, .shape = network->input}};
    network->widest = shape_size(network->input);
    if (build_list(&builder, model, "model", why) < 0 || check_end(&builder, count - 1, why) < 0)
        return -1;
    network->logits = builder.flow.value;
    return 0;
}
