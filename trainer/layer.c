#include "trainer/layer.h"

#include <stdlib.h>
#include <string.h>

static const struct layer_type *const layer_types[] = {
    &layer_conv,       &layer_max_pool, &layer_avg_pool, &layer_global_avg_pool,
    &layer_dropout,    &layer_flatten,  &layer_dense,    &layer_relu,
    &layer_leaky_relu, &layer_elu,      &layer_tanh,     &layer_sigmoid,
    &layer_gelu,       &layer_batch_norm,
};

/* No layer of a sane network comes near this many values per image, floats of
 * scratch or parameters; it keeps every size and product of sizes far from
 * overflow, and within what BLAS can count. */
static const size_t LAYER_SIZE_MOST = (size_t)1 << 28;

const struct layer_type *layer_type_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(layer_types); i++) {
        if (strcmp(layer_types[i]->name, name) == 0)
            return layer_types[i];
    }
    return NULL;
}

static int check_sizes(const struct layer *layer, const char *where, struct failure *why)
{
    const struct {
        const char *what;
        size_t size;
    } sizes[] = {
        {"output values per image", layer->output_size},
        {"parameters", layer->parameter_count},
        {"floats of working memory", layer->scratch_size + layer->arranged_size},
        {"bytes to remember per image", layer->kept_size},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        if (sizes[i].size > LAYER_SIZE_MOST)
            return fail_at(why, where,
                           "this %s layer would have %zu %s; the most is %zu, so make it smaller",
                           layer->type->name, sizes[i].size, sizes[i].what, LAYER_SIZE_MOST);
    }
    return 0;
}

int layer_prepare(struct layer *layer, const json_t *settings, const char *where,
                  struct failure *why)
{
    const char *name = json_string_value(json_object_get(settings, "type"));
    if (!layer->type && name)
        layer->type = layer_type_find(name);
    layer->settings = json_incref((json_t *)settings);
    layer->input_size = shape_size(layer->input);

    int result = -1;
    if (!layer->type)
        fail_at(why, where, "unknown layer '%s'", name ? name : "");
    else if (layer->type->prepare(layer, settings, where, why) == 0)
        result = check_sizes(layer, where, why);
    if (result < 0)
        layer_release(layer);
    return result;
}

void layer_release(struct layer *layer)
{
    json_decref(layer->settings);
    free(layer->plan);
    layer->settings = NULL;
    layer->plan = NULL;
}

size_t shape_size(struct shape shape)
{
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

void layer_output_image(struct layer *layer, size_t height, size_t width, size_t channels)
{
    layer->output = (struct shape){(int)height, (int)width, (int)channels};
    layer->output_flat = false;
    layer->output_size = height * width * channels;
}

void layer_output_vector(struct layer *layer, size_t values)
{
    layer->output = (struct shape){1, 1, (int)values};
    layer->output_flat = true;
    layer->output_size = values;
}

void layer_output_as_input(struct layer *layer)
{
    layer->output = layer->input;
    layer->output_flat = layer->input_flat;
    layer->output_size = layer->input_size;
}

int layer_needs_image(const struct layer *layer, const char *where, struct failure *why)
{
    if (!layer->input_flat)
        return 0;
    return fail_at(why, where,
                   "%s needs an image, but what comes in is a vector of %d values; "
                   "move it before flatten",
                   layer->type->name, layer->input.channels);
}

size_t setting_size(const json_t *settings, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(settings, name));
    return value > 0 ? (size_t)value : 0;
}

double setting_number(const json_t *settings, const char *name)
{
    return json_number_value(json_object_get(settings, name));
}

const char *setting_word(const json_t *settings, const char *name)
{
    return json_string_value(json_object_get(settings, name));
}

bool setting_is(const json_t *settings, const char *name, const char *word)
{
    const char *value = setting_word(settings, name);
    return value && strcmp(value, word) == 0;
}
