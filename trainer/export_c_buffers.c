#include "trainer/export_c_parts.h"
#include "trainer/export_code.h"
#include "trainer/layer.h"

#include <stdlib.h>

/* A plan in the making. */
struct planner {
    const struct export_model *model;
    struct c_buffers *buffers;
    int *last_reader; /* [layers] the last that reads the buffer with this layer's output */
    bool *busy;       /* [buffers] */
};

bool c_runs_nothing(const struct export_layer *layer)
{
    return export_is(layer, "flatten") || export_is(layer, "dropout");
}

/* The layer that set what this one gives; -1: the images. */
static int setter_of(const struct export_model *model, int layer)
{
    while (layer >= 0 && c_runs_nothing(&model->layers[layer]))
        layer = model->layers[layer].source;
    return layer;
}

static void note_reader(struct planner *planner, int read, int reader)
{
    int setter = setter_of(planner->model, read);
    if (setter >= 0)
        planner->last_reader[setter] = reader;
}

/* The network's output is read after all layers. */
static void find_readers(struct planner *planner)
{
    int count = (int)planner->model->count;
    for (int i = 0; i < count; i++) {
        const struct export_layer *layer = &planner->model->layers[i];
        if (c_runs_nothing(layer))
            continue;
        note_reader(planner, layer->source, i);
        note_reader(planner, layer->shortcut, i);
    }
    note_reader(planner, count - 1, count);
}

/* Whether the layer goes value by value, so that it may write over what it reads. */
static bool may_write_over(const struct export_layer *layer)
{
    bool moves = layer->window.size > 0 || export_is(layer, "dense") ||
                 export_is(layer, "shortcut") || export_is(layer, "global_avg_pool");
    return !moves;
}

static int free_buffer(struct planner *planner)
{
    struct c_buffers *buffers = planner->buffers;
    for (int i = 0; i < buffers->count; i++) {
        if (!planner->busy[i])
            return i;
    }
    return buffers->count++;
}

/* Gives up the buffer of what a layer has read, if nobody reads it after that. */
static void give_up(struct planner *planner, int read, int reader)
{
    int setter = setter_of(planner->model, read);
    if (setter >= 0 && planner->last_reader[setter] == reader)
        planner->busy[planner->buffers->of_layer[setter]] = false;
}

static void place(struct planner *planner, int index)
{
    const struct export_layer *layer = &planner->model->layers[index];
    struct c_buffers *buffers = planner->buffers;
    size_t size = shape_size(layer->output);
    bool over = may_write_over(layer);
    if (over) {
        give_up(planner, layer->source, index);
        give_up(planner, layer->shortcut, index);
    }
    int buffer = free_buffer(planner);
    planner->busy[buffer] = true;
    buffers->of_layer[index] = buffer;
    if (size > buffers->sizes[buffer])
        buffers->sizes[buffer] = size;
    if (!over)
        give_up(planner, layer->source, index);
}

struct c_buffers c_buffers_plan(const struct export_model *model)
{
    struct c_buffers buffers = {
        .of_layer = xcalloc(model->count, sizeof *buffers.of_layer),
        .sizes = xcalloc(model->count, sizeof *buffers.sizes),
    };
    struct planner planner = {
        .model = model,
        .buffers = &buffers,
        .last_reader = xcalloc(model->count, sizeof *planner.last_reader),
        .busy = xcalloc(model->count, sizeof *planner.busy),
    };
    find_readers(&planner);
    for (int i = 0; i < (int)model->count; i++) {
        int setter = setter_of(model, i);
        if (setter == i)
            place(&planner, i);
        else
            buffers.of_layer[i] = setter < 0 ? -1 : buffers.of_layer[setter];
    }
    free(planner.busy);
    free(planner.last_reader);
    return buffers;
}

void c_buffers_release(struct c_buffers *buffers)
{
    free(buffers->of_layer);
    free(buffers->sizes);
    *buffers = (struct c_buffers){0};
}
