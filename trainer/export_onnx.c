/* ONNX, operator set 13.
 *
 * The input "images" is float32 [batch, channels, height, width], as other programs have
 * images: pixels from 0 to 255, divided in the graph, or from 0 to 1 where that is asked for.
 * The outputs are "logits" and "probabilities", [batch, classes].  The values between have the
 * names of the layers, as `trainer summary` shows them.
 *
 * Dropout does nothing and is left out. */
#include "trainer/command.h"
#include "trainer/export_check.h"
#include "trainer/floats.h"
#include "trainer/onnx_layer.h"
#include "trainer/onnx_run.h"

#include <stdlib.h>
#include <string.h>

static const char IMAGES[] = "images", PIXELS[] = "pixels", LOGITS[] = "logits";
static const char PROBABILITIES[] = "probabilities";

struct graph {
    const struct export_model *model;
    struct onnx_writer writer;
    const char **outputs; /* [layer] -> the value that is its output */
};

static bool is_dropout(const struct export_layer *layer)
{
    return strcmp(layer->type, "dropout") == 0;
}

static const char *value_of(const struct graph *graph, int layer)
{
    if (layer >= 0)
        return graph->outputs[layer];
    return graph->model->unit_pixels ? IMAGES : PIXELS;
}

static void add_input(struct graph *graph)
{
    struct shape input = graph->model->input;
    const int64_t dims[] = {input.channels, input.height, input.width}, one[] = {1};
    const char *const divide[] = {IMAGES, "pixels.most", NULL};
    const float most = 255.0f;
    bool unit = graph->model->unit_pixels;
    onnx_add_input(&graph->writer, IMAGES, dims, 3,
                   unit ? "pixels from 0 to 1" : "pixels from 0 to 255");
    if (unit)
        return;
    onnx_add_constant(&graph->writer, divide[1], one, 1, &most);
    onnx_add_node(&graph->writer, "Div", divide, PIXELS, NULL);
}

static void add_outputs(struct graph *graph)
{
    const int64_t dims[] = {graph->model->classes};
    const char *const inputs[] = {LOGITS, NULL};
    const struct onnx_attribute axis[] = {{.name = "axis", .integer = 1}, {0}};
    onnx_add_node(&graph->writer, "Softmax", inputs, PROBABILITIES, axis);
    onnx_add_output(&graph->writer, LOGITS, dims, 1, "before softmax");
    onnx_add_output(&graph->writer, PROBABILITIES, dims, 1, "softmax of the logits");
}

/* The layer whose output comes out; what only drops is passed over.  -1: the images. */
static int find_last(const struct export_model *model)
{
    int last = (int)model->count - 1;
    while (last >= 0 && is_dropout(&model->layers[last]))
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
        const char *input = value_of(graph, layer->source);
        if (is_dropout(layer)) {
            graph->outputs[i] = input;
            continue;
        }
        graph->outputs[i] = final ? LOGITS : layer->name;
        if (onnx_add_layer(&graph->writer, layer, input, value_of(graph, layer->shortcut),
                           graph->outputs[i], why) < 0)
            return -1;
    }
    const char *const images[] = {value_of(graph, last), NULL};
    if (last < 0 || !model->layers[last].output_flat)
        onnx_add_node(&graph->writer, "Flatten", images, LOGITS, NULL);
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
