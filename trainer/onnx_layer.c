#include "trainer/onnx_layer.h"

#include "trainer/floats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64 }; /* more than a layer's name with a part's behind it */

static bool is(const struct export_layer *layer, const char *type)
{
    return strcmp(layer->type, type) == 0;
}

/* ---- constants and nodes ---- */

/* "conv2d_1.bias" */
static const char *part(const struct export_layer *layer, const char *what, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s.%s", layer->name, what);
    return name;
}

static void add_number(struct onnx_writer *writer, const char *name, float value)
{
    const int64_t dims[] = {1};
    onnx_add_constant(writer, name, dims, 1, &value);
}

static void add_vector(struct onnx_writer *writer, const char *name, int size, const float *values)
{
    const int64_t dims[] = {size};
    onnx_add_constant(writer, name, dims, 1, values);
}

/* A node of one or two inputs. */
static void add_node(struct onnx_writer *writer, const char *operator, const char *first,
                     const char *second, const char *output,
                     const struct onnx_attribute *attributes)
{
    const char *const inputs[] = {first, second, NULL};
    onnx_add_node(writer, operator, inputs, output, attributes);
}

/* ---- activations ---- */

/* x (1 + erf(x / sqrt 2)) / 2, of five nodes: operator set 13 has none of its own. */
static void add_gelu(struct onnx_writer *writer, const struct export_layer *layer,
                     const char *input, const char *output)
{
    char root[NAME_SIZE], one[NAME_SIZE], half[NAME_SIZE];
    char scaled[NAME_SIZE], erf[NAME_SIZE], sum[NAME_SIZE], product[NAME_SIZE];
    add_number(writer, part(layer, "sqrt_2", root), 1.41421356f);
    add_number(writer, part(layer, "one", one), 1.0f);
    add_number(writer, part(layer, "half", half), 0.5f);
    add_node(writer, "Div", input, root, part(layer, "scaled", scaled), NULL);
    add_node(writer, "Erf", scaled, NULL, part(layer, "erf", erf), NULL);
    add_node(writer, "Add", erf, one, part(layer, "sum", sum), NULL);
    add_node(writer, "Mul", input, sum, part(layer, "product", product), NULL);
    add_node(writer, "Mul", product, half, output, NULL);
}

static void add_leaky_relu(struct onnx_writer *writer, const struct export_layer *layer,
                           const char *input, const char *output)
{
    const struct onnx_attribute slope[] = {
        {.name = "alpha", .is_real = true, .real = layer->slope}, {0}};
    add_node(writer, "LeakyRelu", input, NULL, output, slope);
}

static void add_activation(struct onnx_writer *writer, const struct export_layer *layer,
                           const char *input, const char *output)
{
    static const struct {
        const char *name, *operator;
    } plain[] = {{"relu", "Relu"}, {"elu", "Elu"}, {"tanh", "Tanh"}, {"sigmoid", "Sigmoid"}};
    for (size_t i = 0; i < ARRAY_LENGTH(plain); i++) {
        if (strcmp(layer->activation, plain[i].name) == 0)
            add_node(writer, plain[i].operator, input, NULL, output, NULL);
    }
    if (strcmp(layer->activation, "leaky_relu") == 0)
        add_leaky_relu(writer, layer, input, output);
    if (strcmp(layer->activation, "gelu") == 0)
        add_gelu(writer, layer, input, output);
}

/* ---- windows ---- */

struct window_attributes {
    int64_t size[2], strides[2], pads[4];
    struct onnx_attribute list[4];
};

static void describe_window(const struct window *window, struct window_attributes *attributes)
{
    int64_t size = (int64_t)window->size, stride = (int64_t)window->stride;
    size_t bottom, right;
    window_behind(window, &bottom, &right);
    *attributes = (struct window_attributes){
        .size = {size, size},
        .strides = {stride, stride},
        .pads = {(int64_t)window->top, (int64_t)window->left, (int64_t)bottom, (int64_t)right},
    };
    attributes->list[0] = (struct onnx_attribute){
        .name = "kernel_shape", .integers = attributes->size, .count = 2};
    attributes->list[1] = (struct onnx_attribute){
        .name = "strides", .integers = attributes->strides, .count = 2};
    attributes->list[2] = (struct onnx_attribute){
        .name = "pads", .integers = attributes->pads, .count = 4};
}

/* From [size][size][inputs][outputs] to [outputs][inputs][size][size]; those of a dense layer,
 * which has no window, from [inputs][outputs] to [outputs][inputs]. */
static void add_weights(struct onnx_writer *writer, const struct export_layer *layer,
                        const char *name)
{
    size_t size = layer->window.size, cells = size > 0 ? size * size : 1;
    size_t inputs = (size_t)layer->input.channels, outputs = (size_t)layer->output.channels;
    const int64_t dims[] = {(int64_t)outputs, (int64_t)inputs, (int64_t)size, (int64_t)size};
    const float *weights = export_weights(layer);
    float *turned = floats_new(cells * inputs * outputs);
    for (size_t cell = 0; cell < cells; cell++) {
        for (size_t in = 0; in < inputs; in++) {
            for (size_t out = 0; out < outputs; out++)
                turned[(out * inputs + in) * cells + cell] = *weights++;
        }
    }
    onnx_add_constant(writer, name, dims, size > 0 ? 4 : 2, turned);
    free(turned);
}

/* ---- the layers ---- */

/* What has weights: a convolution, or a product where vectors go in and out; then the
 * activation that it ends in. */
static void add_weighted(struct onnx_writer *writer, const struct export_layer *layer,
                         const char *input, const char *output)
{
    static const struct onnx_attribute transposed[] = {{.name = "transB", .integer = 1}, {0}};
    char weights[NAME_SIZE], bias[NAME_SIZE], linear[NAME_SIZE];
    struct window_attributes attributes;
    const char *inputs[] = {input, part(layer, "weight", weights), NULL, NULL};
    const char *result = layer->activation ? part(layer, "linear", linear) : output;
    add_weights(writer, layer, weights);
    if (export_bias(layer)) {
        inputs[2] = part(layer, "bias", bias);
        add_vector(writer, bias, layer->output.channels, export_bias(layer));
    }
    if (layer->output_flat) {
        onnx_add_node(writer, "Gemm", inputs, result, transposed);
    } else {
        describe_window(&layer->window, &attributes);
        onnx_add_node(writer, "Conv", inputs, result, attributes.list);
    }
    if (layer->activation)
        add_activation(writer, layer, linear, output);
}

static void add_batch_norm(struct onnx_writer *writer, const struct export_layer *layer,
                           const char *input, const char *output)
{
    int channels = layer->input.channels;
    const struct {
        const char *what;
        const float *values;
    } vectors[] = {
        {"gamma", layer->parameters},
        {"beta", layer->parameters + channels},
        {"mean", layer->statistics},
        {"variance", layer->statistics + channels},
    };
    const struct onnx_attribute epsilon[] = {
        {.name = "epsilon", .is_real = true, .real = (float)layer->epsilon}, {0}};
    char names[ARRAY_LENGTH(vectors)][NAME_SIZE];
    const char *inputs[ARRAY_LENGTH(vectors) + 2] = {input};
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        inputs[i + 1] = part(layer, vectors[i].what, names[i]);
        add_vector(writer, names[i], channels, vectors[i].values);
    }
    onnx_add_node(writer, "BatchNormalization", inputs, output, epsilon);
}

static void add_pool(struct onnx_writer *writer, const struct export_layer *layer,
                     const char *input, const char *output)
{
    struct window_attributes attributes;
    describe_window(&layer->window, &attributes);
    add_node(writer, is(layer, "max_pool") ? "MaxPool" : "AveragePool", input, NULL, output,
             attributes.list);
}

static void add_global_pool(struct onnx_writer *writer, const struct export_layer *layer,
                            const char *input, const char *output)
{
    char means[NAME_SIZE];
    add_node(writer, "GlobalAveragePool", input, NULL, part(layer, "means", means), NULL);
    add_node(writer, "Flatten", means, NULL, output, NULL);
}

static void add_flatten(struct onnx_writer *writer, const struct export_layer *layer,
                        const char *input, const char *output)
{
    static const int64_t channels_last[] = {0, 2, 3, 1};
    static const struct onnx_attribute turn[] = {
        {.name = "perm", .integers = channels_last, .count = 4}, {0}};
    char turned[NAME_SIZE];
    if (layer->input.channels > 1 && layer->input.height * layer->input.width > 1) {
        add_node(writer, "Transpose", input, NULL, part(layer, "turned", turned), turn);
        input = turned;
    }
    add_node(writer, "Flatten", input, NULL, output, NULL);
}

static const struct {
    const char *type;
    void (*add)(struct onnx_writer *writer, const struct export_layer *layer, const char *input,
                const char *output);
} layer_kinds[] = {
    {"conv", add_weighted},      {"dense", add_weighted},
    {"shortcut", add_weighted},  {"batch_norm", add_batch_norm},
    {"max_pool", add_pool},      {"avg_pool", add_pool},
    {"flatten", add_flatten},    {"global_avg_pool", add_global_pool},
    {"relu", add_activation},    {"leaky_relu", add_activation},
    {"elu", add_activation},     {"tanh", add_activation},
    {"sigmoid", add_activation}, {"gelu", add_activation},
};

int onnx_add_layer(struct onnx_writer *writer, const struct export_layer *layer,
                   const char *input, const char *shortcut, const char *output,
                   struct failure *why)
{
    if (is(layer, "add")) {
        add_node(writer, "Add", input, shortcut, output, NULL);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(layer_kinds); i++) {
        if (is(layer, layer_kinds[i].type)) {
            layer_kinds[i].add(writer, layer, input, output);
            return 0;
        }
    }
    return fail(why, "nobody has said how a layer of type %s is written to ONNX", layer->type);
}
