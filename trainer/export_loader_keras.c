#include "trainer/export_code.h"
#include "trainer/export_keras.h"
#include "trainer/layer.h"

#include <stdlib.h>
#include <string.h>

/* Keras pads windows as the trainer does (window.h), and most settings have the same names. */

static const char head[] =
    "import os\n"
    "\n"
    "import keras\n"
    "import numpy\n"
    "from keras import layers\n"
    "\n";

static const char tail[] =
    "\n"
    "\n"
    "PARTS = [\n"
    "    ((layers.Conv2D, layers.Dense), (\"kernel\", \"bias\")),\n"
    "    (layers.BatchNormalization, (\"gamma\", \"beta\", \"moving_mean\", "
    "\"moving_variance\")),\n"
    "]\n"
    "\n"
    "\n"
    "def load(path=FILE):\n"
    "    \"\"\"The trained network.\"\"\"\n"
    "    network = build()\n"
    "    with numpy.load(path) as arrays:\n"
    "        for layer in network.layers:\n"
    "            for kind, parts in PARTS:\n"
    "                if isinstance(layer, kind):\n"
    "                    names = [f\"{layer.name}/{part}\" for part in parts]\n"
    "                    layer.set_weights([arrays[name] for name in names if name in arrays])\n"
    "    return network\n"
    "\n"
    "\n"
    "if __name__ == \"__main__\":\n"
    "    network = load()\n"
    "    network.summary()\n";

/* ---- parts of a call ---- */

static bool is_leaky(const struct export_layer *layer)
{
    return strcmp(layer->activation, "leaky_relu") == 0;
}

/* Keras's own leaky_relu has another slope, and no way to say which. */
static void add_fused_activation(struct text *line, const struct export_layer *layer)
{
    if (layer->activation && !is_leaky(layer))
        text_addf(line, "activation=\"%s\", ", layer->activation);
}

static void add_window(struct text *line, const struct export_layer *layer, size_t usual_stride)
{
    if (layer->window.stride != usual_stride)
        text_addf(line, "strides=%zu, ", layer->window.stride);
    if (layer->settings && setting_is(layer->settings, "padding", "same"))
        text_add(line, "padding=\"same\", ");
}

static void add_bias(struct text *line, const struct export_layer *layer)
{
    if (!export_bias(layer))
        text_add(line, "use_bias=False, ");
}

/* ---- layers ---- */

static void add_conv(struct text *line, const struct export_layer *layer)
{
    text_addf(line, "Conv2D(%d, %zu, ", layer->output.channels, layer->window.size);
    add_window(line, layer, 1);
    add_fused_activation(line, layer);
    add_bias(line, layer);
}

static void add_dense(struct text *line, const struct export_layer *layer)
{
    text_addf(line, "Dense(%d, ", layer->output.channels);
    add_fused_activation(line, layer);
    add_bias(line, layer);
}

static void add_shortcut(struct text *line, const struct export_layer *layer)
{
    if (layer->output_flat)
        add_dense(line, layer);
    else
        add_conv(line, layer);
}

static void add_max_pool(struct text *line, const struct export_layer *layer)
{
    text_addf(line, "MaxPooling2D(%zu, ", layer->window.size);
    add_window(line, layer, layer->window.size);
}

static void add_avg_pool(struct text *line, const struct export_layer *layer)
{
    text_addf(line, "AveragePooling2D(%zu, ", layer->window.size);
    add_window(line, layer, layer->window.size);
}

static void add_global_pool(struct text *line, const struct export_layer *layer)
{
    (void)layer;
    text_add(line, "GlobalAveragePooling2D(");
}

static void add_batch_norm(struct text *line, const struct export_layer *layer)
{
    text_add(line, "BatchNormalization(momentum=");
    export_add_number(line, setting_number(layer->settings, "momentum"));
    text_add(line, ", epsilon=");
    export_add_number(line, layer->epsilon);
    text_add(line, ", ");
}

static void add_dropout(struct text *line, const struct export_layer *layer)
{
    text_add(line, "Dropout(");
    export_add_number(line, setting_number(layer->settings, "rate"));
    text_add(line, ", ");
}

static void add_flatten(struct text *line, const struct export_layer *layer)
{
    (void)layer;
    text_add(line, "Flatten(");
}

/* ReLU's slope has the same name in every version of Keras; LeakyReLU's has not. */
static void add_activation(struct text *line, const struct export_layer *layer)
{
    if (!is_leaky(layer)) {
        text_addf(line, "Activation(\"%s\", ", layer->activation);
        return;
    }
    text_add(line, "ReLU(negative_slope=");
    export_add_number(line, layer->slope);
    text_add(line, ", ");
}

static void add_sum(struct text *line, const struct export_layer *layer)
{
    (void)layer;
    text_add(line, "Add(");
}

static const struct {
    const char *type;
    /* Appends the beginning of a call, up to where the name goes. */
    void (*add)(struct text *line, const struct export_layer *layer);
} layer_kinds[] = {
    {"conv", add_conv},
    {"dense", add_dense},
    {"shortcut", add_shortcut},
    {"batch_norm", add_batch_norm},
    {"max_pool", add_max_pool},
    {"avg_pool", add_avg_pool},
    {"global_avg_pool", add_global_pool},
    {"dropout", add_dropout},
    {"flatten", add_flatten},
    {"relu", add_activation},
    {"leaky_relu", add_activation},
    {"elu", add_activation},
    {"tanh", add_activation},
    {"sigmoid", add_activation},
    {"gelu", add_activation},
    {"add", add_sum},
};

static void add_input(struct text *program, const struct export_model *model,
                      const struct export_layer *layer)
{
    const char *input = export_variable(model, layer->source);
    if (export_is(layer, "add"))
        text_addf(program, "([%s, %s])", input, export_variable(model, layer->shortcut));
    else
        text_addf(program, "(%s)", input);
}

static int add_layer(struct text *program, const struct export_model *model, size_t index,
                     struct failure *why)
{
    const struct export_layer *layer = &model->layers[index];
    const char *output = export_variable(model, (int)index);
    for (size_t i = 0; i < ARRAY_LENGTH(layer_kinds); i++) {
        if (!export_is(layer, layer_kinds[i].type))
            continue;
        text_addf(program, "    %s = layers.", output);
        layer_kinds[i].add(program, layer);
        text_addf(program, "name=\"%s\")", layer->name);
        add_input(program, model, layer);
        text_add_char(program, '\n');
        return 0;
    }
    return fail(why, "%s cannot be exported to Keras: nobody has said how", layer->type);
}

/* Behind a layer that has weights, where that could not end in it. */
static void add_leaky_relu(struct text *program, const struct export_model *model, size_t index)
{
    const struct export_layer *layer = &model->layers[index];
    const char *output = export_variable(model, (int)index);
    if (export_is(layer, "leaky_relu") || !layer->activation || !is_leaky(layer))
        return;
    text_addf(program, "    %s = layers.ReLU(negative_slope=", output);
    export_add_number(program, layer->slope);
    text_addf(program, ", name=\"%s_leaky_relu\")(%s)\n", layer->name, output);
}

/* ---- the whole ---- */

static void add_title(struct text *program, const struct export_model *model)
{
    struct shape input = model->input;
    text_addf(program,
              "# " EXPORT_MARK "\n"
              "\"\"\"The network of the file beside this one, in Keras.\n"
              "\n"
              "    import load_keras\n"
              "    network = load_keras.load()\n"
              "    logits = network(images)  # float32 [batch, %d, %d, %d], pixels from 0 to 1\n"
              "\n"
              "As a program it prints the network.\"\"\"\n",
              input.height, input.width, input.channels);
}

static int add_build(struct text *program, const struct export_model *model, struct failure *why)
{
    const struct export_layer *last = &model->layers[model->count - 1];
    struct shape input = model->input;
    const char *output = export_variable(model, (int)model->count - 1);
    int result = 0;
    text_addf(program,
              "def build():\n"
              "    \"\"\"The network before any training.\"\"\"\n"
              "    keras.backend.set_image_data_format(\"channels_last\")\n"
              "    images = keras.Input((%d, %d, %d), name=\"images\")\n",
              input.height, input.width, input.channels);
    for (size_t i = 0; i < model->count && result == 0; i++) {
        result = add_layer(program, model, i, why);
        add_leaky_relu(program, model, i);
    }
    if (!last->output_flat)
        text_addf(program, "    %s = layers.Flatten(name=\"logits\")(%s)\n", output, output);
    text_addf(program, "    return keras.Model(images, %s)\n", output);
    return result;
}

char *export_keras_program(const struct export_model *model, const char *path,
                           struct failure *why)
{
    struct text program = TEXT_EMPTY;
    add_title(&program, model);
    text_add(&program, head);
    int result = export_add_file(&program, path, why);
    text_add(&program, "\n\n");
    if (result == 0)
        result = add_build(&program, model, why);
    text_add(&program, tail);
    char *string = text_take(&program);
    if (result == 0)
        return string;
    free(string);
    return NULL;
}
