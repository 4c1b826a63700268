/* safetensors (huggingface.co/docs/safetensors): the length of a JSON header in 8 bytes, lowest
 * first; the header, which says of each tensor its type, shape and place; the tensors' values.
 *
 * Names and layouts are those of a PyTorch module's state_dict() that has the layers as
 * attributes of their names:
 *
 *   conv, shortcut      conv2d_1.weight [outputs][inputs][rows][columns], conv2d_1.bias
 *   dense, shortcut     dense_1.weight [units][inputs], dense_1.bias
 *   batch_norm          batch_norm_1.weight, .bias, .running_mean, .running_var,
 *                       .num_batches_tracked
 *
 * Beside the file goes load_torch.py, which has that module and loads the file into it. */
#include "trainer/export_check.h"
#include "trainer/export_code.h"
#include "trainer/export_torch.h"
#include "trainer/floats.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 8, PREFIX = 8, NAME_SIZE = 64, DIMENSIONS_MOST = 4 };

/* Floats of the network, [pixels][channels][outputs] there and [outputs][channels][pixels] in
 * the file; or, without `values`, one whole number. */
struct tensor {
    char name[NAME_SIZE];
    const float *values;
    size_t pixels, channels, outputs;
    uint64_t number;
    size_t shape[DIMENSIONS_MOST], dimensions;
    size_t begin; /* in the file, behind the header */
};

struct tensors {
    struct tensor *list;
    size_t count;
    size_t size; /* bytes */
};

static size_t tensor_count(const struct tensor *tensor)
{
    return tensor->pixels * tensor->channels * tensor->outputs;
}

static size_t tensor_size(const struct tensor *tensor)
{
    return tensor->values ? tensor_count(tensor) * sizeof(float) : sizeof tensor->number;
}

/* ---- which tensors ---- */

static struct tensor *add_tensor(struct tensors *tensors, const struct export_layer *layer,
                                 const char *part)
{
    tensors->list = xreallocarray(tensors->list, tensors->count + 1, sizeof *tensors->list);
    struct tensor *tensor = &tensors->list[tensors->count++];
    *tensor = (struct tensor){.pixels = 1, .channels = 1, .outputs = 1};
    snprintf(tensor->name, sizeof tensor->name, "%s.%s", layer->name, part);
    return tensor;
}

static void add_vector(struct tensors *tensors, const struct export_layer *layer,
                       const char *part, const float *values)
{
    struct tensor *tensor = add_tensor(tensors, layer, part);
    tensor->values = values;
    tensor->channels = (size_t)layer->output.channels;
    tensor->shape[tensor->dimensions++] = tensor->channels;
}

static void add_bias(struct tensors *tensors, const struct export_layer *layer)
{
    if (export_bias(layer))
        add_vector(tensors, layer, "bias", export_bias(layer));
}

/* A turned vector is, seen from the weights, an image under a window of its own size. */
static void add_matrix(struct tensors *tensors, const struct export_layer *layer,
                       const struct torch_order *order)
{
    struct tensor *tensor = add_tensor(tensors, layer, "weight");
    tensor->values = export_weights(layer);
    tensor->outputs = (size_t)layer->output.channels;
    tensor->channels = (size_t)layer->input.channels;
    if (torch_order_is_turned(order, layer)) {
        tensor->channels = (size_t)order->image.channels;
        tensor->pixels = (size_t)(order->image.height * order->image.width);
    }
    tensor->shape[tensor->dimensions++] = tensor->outputs;
    tensor->shape[tensor->dimensions++] = tensor->channels * tensor->pixels;
    add_bias(tensors, layer);
}

static void add_conv(struct tensors *tensors, const struct export_layer *layer)
{
    struct tensor *tensor = add_tensor(tensors, layer, "weight");
    tensor->values = export_weights(layer);
    tensor->outputs = (size_t)layer->output.channels;
    tensor->channels = (size_t)layer->input.channels;
    tensor->pixels = layer->window.size * layer->window.size;
    tensor->shape[tensor->dimensions++] = tensor->outputs;
    tensor->shape[tensor->dimensions++] = tensor->channels;
    tensor->shape[tensor->dimensions++] = layer->window.size;
    tensor->shape[tensor->dimensions++] = layer->window.size;
    add_bias(tensors, layer);
}

static void add_batch_norm(struct tensors *tensors, const struct export_layer *layer,
                           const struct torch_order *order)
{
    size_t channels = (size_t)layer->output.channels, first = tensors->count;
    add_vector(tensors, layer, "weight", layer->parameters);
    add_vector(tensors, layer, "bias", layer->parameters + channels);
    add_vector(tensors, layer, "running_mean", layer->statistics);
    add_vector(tensors, layer, "running_var", layer->statistics + channels);
    for (size_t i = first; torch_order_is_turned(order, layer) && i < tensors->count; i++) {
        tensors->list[i].channels = (size_t)order->image.channels;
        tensors->list[i].pixels = (size_t)(order->image.height * order->image.width);
    }
}

/* The number of steps of training, which PyTorch counts for each layer. */
static void add_steps(struct tensors *tensors, const struct export_layer *layer,
                      const json_t *header)
{
    struct tensor *tensor = add_tensor(tensors, layer, "num_batches_tracked");
    tensor->number = (uint64_t)json_integer_value(json_object_get(header, "step"));
}

/* Whole numbers first: so each begins at a multiple of its size. */
static struct tensors list_tensors(const struct export_model *model,
                                   const struct torch_order *order)
{
    struct tensors tensors = {0};
    for (size_t i = 0; i < model->count; i++) {
        if (export_is(&model->layers[i], "batch_norm"))
            add_steps(&tensors, &model->layers[i], model->header);
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct export_layer *layer = &model->layers[i];
        bool shortcut = export_is(layer, "shortcut");
        if (export_is(layer, "conv") || (shortcut && !layer->output_flat))
            add_conv(&tensors, layer);
        if (export_is(layer, "dense") || (shortcut && layer->output_flat))
            add_matrix(&tensors, layer, order);
        if (export_is(layer, "batch_norm"))
            add_batch_norm(&tensors, layer, order);
    }
    for (size_t i = 0; i < tensors.count; i++) {
        tensors.list[i].begin = tensors.size;
        tensors.size += tensor_size(&tensors.list[i]);
    }
    return tensors;
}

/* ---- writing ---- */

static json_t *describe(const struct tensor *tensor)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->dimensions; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->values ? "F32" : "I64", "shape",
                     shape, "data_offsets", (json_int_t)tensor->begin,
                     (json_int_t)(tensor->begin + tensor_size(tensor)));
}

static void write_number(struct text *file, uint64_t number)
{
    char bytes[sizeof number];
    number = htole64(number);
    memcpy(bytes, &number, sizeof number);
    text_add_bytes(file, bytes, sizeof bytes);
}

static void write_header(struct text *file, const struct tensors *tensors)
{
    json_t *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    for (size_t i = 0; i < tensors->count; i++)
        json_object_set_new(header, tensors->list[i].name, describe(&tensors->list[i]));
    char *text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    size_t padding = (ALIGNMENT - strlen(text) % ALIGNMENT) % ALIGNMENT;
    write_number(file, strlen(text) + padding);
    text_add(file, text);
    text_addf(file, "%*s", (int)padding, "");
    free(text);
    json_decref(header);
}

static void write_tensor(struct text *file, const struct tensor *tensor)
{
    if (!tensor->values) {
        write_number(file, tensor->number);
        return;
    }
    size_t channels = tensor->channels, outputs = tensor->outputs;
    for (size_t out = 0; out < outputs; out++) {
        for (size_t c = 0; c < channels; c++) {
            for (size_t pixel = 0; pixel < tensor->pixels; pixel++)
                floats_write(file, &tensor->values[(pixel * channels + c) * outputs + out], 1);
        }
    }
}

/* ---- reading again ---- */

/* Where the values begin; *header is the caller's to release. */
static const char *read_header(const struct text *file, json_t **header)
{
    uint64_t length;
    memcpy(&length, file->at, sizeof length);
    length = le64toh(length);
    if (length > file->length - PREFIX)
        return NULL;
    *header = json_loadb(file->at + PREFIX, length, 0, NULL);
    return *header ? file->at + PREFIX + length : NULL;
}

static bool is_described(const json_t *header, const struct tensor *tensor)
{
    json_t *expected = describe(tensor);
    bool same = json_equal(json_object_get(header, tensor->name), expected);
    json_decref(expected);
    return same;
}

static bool is_value(const char *bytes, float value)
{
    uint32_t there, expected;
    memcpy(&there, bytes, sizeof there);
    memcpy(&expected, &value, sizeof expected);
    return le32toh(there) == expected;
}

/* In the network's order, where the writer went by the file's. */
static bool has_values(const struct tensor *tensor, const char *bytes)
{
    const float *value = tensor->values;
    for (size_t pixel = 0; pixel < tensor->pixels; pixel++) {
        for (size_t c = 0; c < tensor->channels; c++) {
            for (size_t out = 0; out < tensor->outputs; out++, value++) {
                size_t at = (out * tensor->channels + c) * tensor->pixels + pixel;
                if (!is_value(bytes + at * sizeof *value, *value))
                    return false;
            }
        }
    }
    return true;
}

static int check(const struct text *file, const struct tensors *tensors, struct failure *why)
{
    json_t *header = NULL;
    const char *bytes = read_header(file, &header);
    int result = 0;
    if (!bytes || (size_t)(file->at + file->length - bytes) != tensors->size ||
        json_object_size(header) != tensors->count + 1)
        result = fail(why, "its header is not what it should be; this is a fault of the export");
    for (size_t i = 0; result == 0 && i < tensors->count; i++) {
        const struct tensor *tensor = &tensors->list[i];
        if (!is_described(header, tensor) ||
            (tensor->values && !has_values(tensor, bytes + tensor->begin)))
            result = fail(why, "%s in it is not what the network has; this is a fault of the "
                          "export", tensor->name);
    }
    json_decref(header);
    return result;
}

/* ---- the whole ---- */

static struct text build(const struct tensors *tensors)
{
    struct text file = TEXT_EMPTY;
    write_header(&file, tensors);
    for (size_t i = 0; i < tensors->count; i++)
        write_tensor(&file, &tensors->list[i]);
    return file;
}

int export_safetensors(const struct export_model *model, const char *path, struct failure *why)
{
    struct torch_order order = torch_order_find(model);
    struct tensors tensors = list_tensors(model, &order);
    struct text file = build(&tensors);
    char *program = export_torch_program(model, &order, path, why);
    char *loader = export_beside(path, "load_torch.py");
    int result = program ? export_check_second(loader, why) : -1;
    if (result == 0)
        result = check(&file, &tensors, why);
    if (result == 0)
        result = export_write(path, file.at, file.length, why);
    if (result == 0)
        result = export_write_second(loader, program, why);
    free(loader);
    free(program);
    text_free(&file);
    free(tensors.list);
    torch_order_release(&order);
    return result;
}
