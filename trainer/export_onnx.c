/* ONNX, operator set 13.
 *
 * The input "images" is float32 [batch, channels, height, width], as other programs have
 * images: pixels from 0 to 255, divided in the graph, or from 0 to 1 where that is asked for.
 * The outputs are "logits" and "probabilities", [batch, classes].  The values between have the
 * names of the layers, as `trainer summary` shows them.
 *
 * An image is turned to [height, width, channels] before it is flattened, which is the order
 * that the dense layer's weights are in.  Dropout does nothing and is left out. */
#include "trainer/command.h"
#include "trainer/export_check.h"
#include "trainer/floats.h"
#include "trainer/layer.h"
#include "trainer/onnx_run.h"
#include "trainer/onnx_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char IMAGES[] = "images", PIXELS[] = "pixels", LOGITS[] = "logits";
static const char PROBABILITIES[] = "probabilities";

enum { NAME_SIZE = 64 }; /* more than a layer's name with a part's behind it */

struct graph {
    const struct export_model *model;
    struct onnx_writer writer;
    const char **outputs; /* [layer] -> the value that is its output */
};

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

static void add_number(struct graph *graph, const char *name, float value)
{
    const int64_t dims[] = {1};
    onnx_add_constant(&graph->writer, name, dims, 1, &value);
}

static void add_vector(struct graph *graph, const char *name, int size, const float *values)
{
    const int64_t dims[] = {size};
    onnx_add_constant(&graph->writer, name, dims, 1, values);
}

/* A node of one or two inputs. */
static void add_node(struct graph *graph, const char *operator, const char *first,
                     const char *second, const char *output,
                     const struct onnx_attribute *attributes)
{
    const char *const inputs[] = {first, second, NULL};
    onnx_add_node(&graph->writer, operator, inputs, output, attributes);
}

/* ---- activations ---- */

/* x (1 + erf(x / sqrt 2)) / 2, of five nodes: operator set 13 has none of its own. */
static void add_gelu(struct graph *graph, const struct export_layer *layer, const char *input,
                     const char *output)
{
    char root[NAME_SIZE], one[NAME_SIZE], half[NAME_SIZE];
    char scaled[NAME_SIZE], erf[NAME_SIZE], sum[NAME_SIZE], product[NAME_SIZE];
    add_number(graph, part(layer, "sqrt_2", root), 1.41421356f);
    add_number(graph, part(layer, "one", one), 1.0f);
    add_number(graph, part(layer, "half", half), 0.5f);
    add_node(graph, "Div", input, root, part(layer, "scaled", scaled), NULL);
    add_node(graph, "Erf", scaled, NULL, part(layer, "erf", erf), NULL);
    add_node(graph, "Add", erf, one, part(layer, "sum", sum), NULL);
    add_node(graph, "Mul", input, sum, part(layer, "product", product), NULL);
    add_node(graph, "Mul", product, half, output, NULL);
}

static void add_leaky_relu(struct graph *graph, const struct export_layer *layer,
                           const char *input, const char *output)
{
    const struct onnx_attribute slope[] = {
        {.name = "alpha", .is_real = true, .real = layer->slope}, {0}};
    add_node(graph, "LeakyRelu", input, NULL, output, slope);
}

static void add_activation(struct graph *graph, const struct export_layer *layer,
                           const char *input, const char *output)
{
    static const struct {
        const char *name, *operator;
    } plain[] = {{"relu", "Relu"}, {"elu", "Elu"}, {"tanh", "Tanh"}, {"sigmoid", "Sigmoid"}};
    for (size_t i = 0; i < ARRAY_LENGTH(plain); i++) {
        if (strcmp(layer->activation, plain[i].name) == 0)
            add_node(graph, plain[i].operator, input, NULL, output, NULL);
    }
    if (strcmp(layer->activation, "leaky_relu") == 0)
        add_leaky_relu(graph, layer, input, output);
    if (strcmp(layer->activation, "gelu") == 0)
        add_gelu(graph, layer, input, output);
}

/* ---- windows ---- */

struct window_attributes {
    int64_t size[2], strides[2], pads[4];
    struct onnx_attribute list[4];
};

static int64_t padding_behind(size_t input, size_t output, size_t before,
                              const struct window *window)
{
    size_t covered = (output - 1) * window->stride + window->size;
    return covered > input + before ? (int64_t)(covered - input - before) : 0;
}

static void describe_window(const struct window *window, struct window_attributes *attributes)
{
    int64_t size = (int64_t)window->size, stride = (int64_t)window->stride;
    *attributes = (struct window_attributes){
        .size = {size, size},
        .strides = {stride, stride},
        .pads = {(int64_t)window->top, (int64_t)window->left,
                 padding_behind(window->input_height, window->output_height, window->top, window),
                 padding_behind(window->input_width, window->output_width, window->left, window)},
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
static void add_weights(struct graph *graph, const struct export_layer *layer, const char *name)
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
    onnx_add_constant(&graph->writer, name, dims, size > 0 ? 4 : 2, turned);
    free(turned);
}

/* ---- the layers ---- */

/* What has weights: a convolution, or a product where vectors go in and out; then the
 * activation that it ends in. */
static void add_weighted(struct graph *graph, const struct export_layer *layer,
                         const char *input, const char *output)
{
    static const struct onnx_attribute transposed[] = {{.name = "transB", .integer = 1}, {0}};
    char weights[NAME_SIZE], bias[NAME_SIZE], linear[NAME_SIZE];
    struct window_attributes attributes;
    const char *inputs[] = {input, part(layer, "weight", weights), NULL, NULL};
    const char *result = layer->activation ? part(layer, "linear", linear) : output;
    add_weights(graph, layer, weights);
    if (export_bias(layer)) {
        inputs[2] = part(layer, "bias", bias);
        add_vector(graph, bias, layer->output.channels, export_bias(layer));
    }
    if (layer->output_flat) {
        onnx_add_node(&graph->writer, "Gemm", inputs, result, transposed);
    } else {
        describe_window(&layer->window, &attributes);
        onnx_add_node(&graph->writer, "Conv", inputs, result, attributes.list);
    }
    if (layer->activation)
        add_activation(graph, layer, linear, output);
}

static void add_batch_norm(struct graph *graph, const struct export_layer *layer,
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
        add_vector(graph, names[i], channels, vectors[i].values);
    }
    onnx_add_node(&graph->writer, "BatchNormalization", inputs, output, epsilon);
}

static void add_pool(struct graph *graph, const struct export_layer *layer, const char *input,
                     const char *output)
{
    struct window_attributes attributes;
    describe_window(&layer->window, &attributes);
    add_node(graph, is(layer, "max_pool") ? "MaxPool" : "AveragePool", input, NULL, output,
             attributes.list);
}

static void add_global_pool(struct graph *graph, const struct export_layer *layer,
                            const char *input, const char *output)
{
    char means[NAME_SIZE];
    add_node(graph, "GlobalAveragePool", input, NULL, part(layer, "means", means), NULL);
    add_node(graph, "Flatten", means, NULL, output, NULL);
}

static void add_flatten(struct graph *graph, const struct export_layer *layer, const char *input,
                        const char *output)
{
    static const int64_t channels_last[] = {0, 2, 3, 1};
    static const struct onnx_attribute turn[] = {
        {.name = "perm", .integers = channels_last, .count = 4}, {0}};
    char turned[NAME_SIZE];
    if (layer->input.channels > 1 && layer->input.height * layer->input.width > 1) {
        add_node(graph, "Transpose", input, NULL, part(layer, "turned", turned), turn);
        input = turned;
    }
    add_node(graph, "Flatten", input, NULL, output, NULL);
}

static const struct {
    const char *type;
    void (*add)(struct graph *graph, const struct export_layer *layer, const char *input,
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

static const char *value_of(const struct graph *graph, int layer)
{
    if (layer >= 0)
        return graph->outputs[layer];
    return graph->model->unit_pixels ? IMAGES : PIXELS;
}

static int add_layer(struct graph *graph, const struct export_layer *layer, const char *output,
                     struct failure *why)
{
    const char *input = value_of(graph, layer->source);
    if (is(layer, "add")) {
        add_node(graph, "Add", input, value_of(graph, layer->shortcut), output, NULL);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(layer_kinds); i++) {
        if (is(layer, layer_kinds[i].type)) {
            layer_kinds[i].add(graph, layer, input, output);
            return 0;
        }
    }
    return fail(why, "%s cannot be exported to ONNX: nobody has said how", layer->type);
}

/* ---- the whole ---- */

static void add_input(struct graph *graph)
{
    struct shape input = graph->model->input;
    const int64_t dims[] = {input.channels, input.height, input.width};
    bool unit = graph->model->unit_pixels;
    onnx_add_input(&graph->writer, IMAGES, dims, 3,
                   unit ? "pixels from 0 to 1" : "pixels from 0 to 255");
    if (unit)
        return;
    add_number(graph, "pixels.most", 255.0f);
    add_node(graph, "Div", IMAGES, "pixels.most", PIXELS, NULL);
}

static void add_outputs(struct graph *graph)
{
    const int64_t dims[] = {graph->model->classes};
    const struct onnx_attribute axis[] = {{.name = "axis", .integer = 1}, {0}};
    add_node(graph, "Softmax", LOGITS, NULL, PROBABILITIES, axis);
    onnx_add_output(&graph->writer, LOGITS, dims, 1, "before softmax");
    onnx_add_output(&graph->writer, PROBABILITIES, dims, 1, "softmax of the logits");
}

/* The layer whose output comes out; what only drops is passed over.  -1: the images. */
static int find_last(const struct export_model *model)
{
    int last = (int)model->count - 1;
    while (last >= 0 && is(&model->layers[last], "dropout"))
        last = model->layers[last].source;
    return last;
}

static int add_layers(struct graph *graph, struct failure *why)
{
    const struct export_model *model = graph->model;
    int last = find_last(model);
    for (size_t i = 0; i < model->count; i++) {
        const struct export_layer *layer = &model->layers[i];
        bool final = (int)i == last && layer->output_flat;
        if (is(layer, "dropout")) {
            graph->outputs[i] = value_of(graph, layer->source);
            continue;
        }
        graph->outputs[i] = final ? LOGITS : layer->name;
        if (add_layer(graph, layer, graph->outputs[i], why) < 0)
            return -1;
    }
    if (last < 0 || !model->layers[last].output_flat)
        add_node(graph, "Flatten", value_of(graph, last), NULL, LOGITS, NULL);
    return 0;
}

/* The file; nothing to release after a failure. */
static int build(const struct export_model *model, struct text *file, struct failure *why)
{
    struct graph graph = {.model = model, .writer = {TEXT_EMPTY}};
    graph.outputs = xcalloc(model->count, sizeof *graph.outputs);
    add_input(&graph);
    int result = add_layers(&graph, why);
    add_outputs(&graph);
    *file = onnx_finish(&graph.writer, "network", "trainer", TRAINER_VERSION);
    free(graph.outputs);
    if (result < 0)
        text_free(file);
    return result;
}

/* What was written, read again. */
struct written {
    struct onnx_graph *graph;
    size_t classes;
};

/* Runs it on images that are turned from [height][width][channels] to [channels][height][width]
 * first. */
static int run(const void *exported, const float *images, size_t count, float *logits,
               struct failure *why)
{
    const struct written *written = exported;
    const int64_t *dims = written->graph->input_dims;
    size_t channels = (size_t)dims[0], pixels = (size_t)dims[1] * (size_t)dims[2];
    float *turned = floats_new(count * channels * pixels), *to = turned;
    for (size_t i = 0; i < count; i++, images += channels * pixels) {
        for (size_t c = 0; c < channels; c++) {
            for (size_t pixel = 0; pixel < pixels; pixel++)
                *to++ = images[pixel * channels + c];
        }
    }
    int result = onnx_run(written->graph, turned, count, LOGITS, written->classes, logits, why);
    free(turned);
    return result;
}

int export_onnx(const struct export_model *model, const char *path, struct failure *why)
{
    struct text file = TEXT_EMPTY;
    struct written written = {.classes = (size_t)model->classes};
    int result = build(model, &file, why);
    if (result == 0) {
        written.graph = onnx_read(file.at, file.length, why);
        result = written.graph ? export_check(model, run, &written, why) : -1;
        if (result < 0)
            fail_prefix(why, "%s", path);
    }
    if (result == 0)
        result = export_write(path, file.at, file.length, why);
    onnx_graph_free(written.graph);
    text_free(&file);
    return result;
}
