/* Networks as exporters see them, made by hand: for the tests of what goes by the layers' order
 * and shapes alone. */
#ifndef TESTS_EXPORT_SAMPLE_H
#define TESTS_EXPORT_SAMPLE_H

#include "trainer/export.h"

#define IMAGE(height, width, channels) {(height), (width), (channels)}, false
#define VECTOR(size) {1, 1, (size)}, true

/* A layer by what comes in and what goes out. */
struct sample_layer {
    const char *type, *name;
    int source, shortcut;
    struct shape input;
    bool input_flat;
    struct shape output;
    bool output_flat;
};

enum { SAMPLE_MOST = 16 };

struct sample {
    struct export_layer layers[SAMPLE_MOST];
    struct export_model model;
};

static inline const struct export_model *sample_model(struct sample *sample,
                                                      const struct sample_layer *layers,
                                                      size_t count)
{
    *sample = (struct sample){.model = {.layers = sample->layers, .count = count}};
    for (size_t i = 0; i < count; i++) {
        struct export_layer *layer = &sample->layers[i];
        layer->type = layers[i].type;
        strcpy(layer->name, layers[i].name);
        layer->source = layers[i].source;
        layer->shortcut = layers[i].shortcut;
        layer->input = layers[i].input;
        layer->input_flat = layers[i].input_flat;
        layer->output = layers[i].output;
        layer->output_flat = layers[i].output_flat;
        layer->window.size = strcmp(layer->type, "conv") == 0 ? 3 : 0;
    }
    sample->model.input = layers[0].input;
    sample->model.classes = layers[count - 1].output.channels;
    return &sample->model;
}

#endif
