#include "trainer/export_code.h"
#include "trainer/export_torch.h"
#include "trainer/layer.h"

#include <stdlib.h>
#include <string.h>

/* The module's lines as they come about: one part sets up the layers, the other runs them. */
struct module {
    const struct export_model *model;
    const struct torch_order *order;
    struct text layers, run;
    bool averages; /* needs average_pool() */
};

static const char head[] =
    "import json\n"
    "import math\n"
    "import os\n"
    "import struct\n"
    "\n"
    "import torch\n"
    "import torch.nn.functional as F\n"
    "from torch import nn\n"
    "\n";

static const char average_pool[] =
    "def average_pool(x, size, stride, padding):\n"
    "    \"\"\"The mean of the pixels under each window; padding is no pixel.\"\"\"\n"
    "    pixels = torch.ones_like(x[:1, :1])\n"
    "    total = F.avg_pool2d(F.pad(x, padding), size, stride)\n"
    "    return total / F.avg_pool2d(F.pad(pixels, padding), size, stride)\n"
    "\n"
    "\n";

static const char tail[] =
    "\n"
    "\n"
    "def read_safetensors(path):\n"
    "    \"\"\"The tensors of a file by their names.\"\"\"\n"
    "    kinds = {\"F32\": torch.float32, \"I64\": torch.int64}\n"
    "    with open(path, \"rb\") as file:\n"
    "        (length,) = struct.unpack(\"<Q\", file.read(8))\n"
    "        header = json.loads(file.read(length))\n"
    "        data = bytearray(file.read())\n"
    "    tensors = {}\n"
    "    for name, about in header.items():\n"
    "        if name != \"__metadata__\":\n"
    "            tensors[name] = torch.frombuffer(\n"
    "                data, dtype=kinds[about[\"dtype\"]], count=math.prod(about[\"shape\"]),\n"
    "                offset=about[\"data_offsets\"][0]).reshape(about[\"shape\"]).clone()\n"
    "    return tensors\n"
    "\n"
    "\n"
    "def load(path=FILE):\n"
    "    \"\"\"The trained network, ready to predict; train() readies it to be trained on.\"\"\"\n"
    "    network = Network()\n"
    "    network.load_state_dict(read_safetensors(path))\n"
    "    return network.eval()\n"
    "\n"
    "\n"
    "if __name__ == \"__main__\":\n"
    "    network = load()\n"
    "    print(network)\n"
    "    print(f\"{sum(weights.numel() for weights in network.parameters()):,} parameters\")\n";

/* ---- activations ---- */

/* The beginning of an expression that an activation is put around, and its end. */
static void open_activation(struct text *line, const char *activation)
{
    bool torch = activation && (strcmp(activation, "tanh") == 0 ||
                                strcmp(activation, "sigmoid") == 0);
    if (activation)
        text_addf(line, "%s.%s(", torch ? "torch" : "F", activation);
}

static void close_activation(struct text *line, const struct export_layer *layer)
{
    if (layer->activation && strcmp(layer->activation, "leaky_relu") == 0) {
        text_add(line, ", ");
        export_add_number(line, layer->slope);
    }
    if (layer->activation)
        text_add_char(line, ')');
}

/* ---- windows ---- */

struct padding {
    size_t top, left, bottom, right;
};

static struct padding find_padding(const struct export_layer *layer)
{
    struct padding padding = {.top = layer->window.top, .left = layer->window.left};
    window_behind(&layer->window, &padding.bottom, &padding.right);
    return padding;
}

/* PyTorch's layers pad both sides alike; what is not so is padded before them. */
static bool is_even(const struct padding *padding)
{
    return padding->top == padding->bottom && padding->left == padding->right;
}

static void add_stride_and_padding(struct text *line, const struct export_layer *layer)
{
    struct padding padding = find_padding(layer);
    bool pool = !export_is(layer, "conv") && !export_is(layer, "shortcut");
    if (layer->window.stride != (pool ? layer->window.size : 1))
        text_addf(line, ", stride=%zu", layer->window.stride);
    if (!is_even(&padding) || padding.top + padding.left == 0)
        return;
    if (padding.top == padding.left)
        text_addf(line, ", padding=%zu", padding.top);
    else
        text_addf(line, ", padding=(%zu, %zu)", padding.top, padding.left);
    if (export_is(layer, "avg_pool"))
        text_add(line, ", count_include_pad=False");
}

/* What goes into a layer with a window, padded where the layer cannot. */
static void add_padded(struct text *line, const struct export_layer *layer, const char *input)
{
    struct padding padding = find_padding(layer);
    if (is_even(&padding)) {
        text_add(line, input);
        return;
    }
    text_addf(line, "F.pad(%s, (%zu, %zu, %zu, %zu)", input, padding.left, padding.right,
              padding.top, padding.bottom);
    text_add(line, export_is(layer, "max_pool") ? ", value=-math.inf)" : ")");
}

/* ---- layers ---- */

/* Begins the line that makes a layer. */
static struct text *make_layer(struct module *module, const struct export_layer *layer)
{
    text_addf(&module->layers, "        self.%s = ", layer->name);
    return &module->layers;
}

/* Ends that line, and appends what runs the layer on its input. */
static void run_layer(struct module *module, const struct export_layer *layer, const char *input)
{
    text_add_char(&module->layers, '\n');
    open_activation(&module->run, layer->activation);
    text_addf(&module->run, "self.%s(", layer->name);
    if (layer->window.size > 0)
        add_padded(&module->run, layer, input);
    else
        text_add(&module->run, input);
    text_add_char(&module->run, ')');
    close_activation(&module->run, layer);
}

static void add_conv(struct module *module, const struct export_layer *layer, const char *input)
{
    struct text *layers = make_layer(module, layer);
    text_addf(layers, "nn.Conv2d(%d, %d, %zu", layer->input.channels, layer->output.channels,
              layer->window.size);
    add_stride_and_padding(layers, layer);
    text_add(layers, export_bias(layer) ? ")" : ", bias=False)");
    run_layer(module, layer, input);
}

static void add_dense(struct module *module, const struct export_layer *layer, const char *input)
{
    text_addf(make_layer(module, layer), "nn.Linear(%d, %d%s)", layer->input.channels,
              layer->output.channels, export_bias(layer) ? "" : ", bias=False");
    run_layer(module, layer, input);
}

static void add_shortcut(struct module *module, const struct export_layer *layer,
                         const char *input)
{
    if (layer->output_flat)
        add_dense(module, layer, input);
    else
        add_conv(module, layer, input);
}

static void add_batch_norm(struct module *module, const struct export_layer *layer,
                           const char *input)
{
    struct text *layers = make_layer(module, layer);
    text_addf(layers, "nn.BatchNorm%s(%d, eps=", layer->output_flat ? "1d" : "2d",
              layer->output.channels);
    export_add_number(layers, layer->epsilon);
    text_add(layers, ", momentum=");
    export_add_number(layers, 1.0 - setting_number(layer->settings, "momentum"));
    text_add_char(layers, ')');
    run_layer(module, layer, input);
}

static void add_pool(struct module *module, const struct export_layer *layer, const char *kind,
                     const char *input)
{
    struct text *layers = make_layer(module, layer);
    text_addf(layers, "nn.%s(%zu", kind, layer->window.size);
    add_stride_and_padding(layers, layer);
    text_add_char(layers, ')');
    run_layer(module, layer, input);
}

static void add_max_pool(struct module *module, const struct export_layer *layer,
                         const char *input)
{
    add_pool(module, layer, "MaxPool2d", input);
}

static void add_avg_pool(struct module *module, const struct export_layer *layer,
                         const char *input)
{
    struct padding padding = find_padding(layer);
    if (is_even(&padding)) {
        add_pool(module, layer, "AvgPool2d", input);
        return;
    }
    module->averages = true;
    text_addf(&module->run, "average_pool(%s, %zu, %zu, (%zu, %zu, %zu, %zu))", input,
              layer->window.size, layer->window.stride, padding.left, padding.right, padding.top,
              padding.bottom);
}

static void add_global_pool(struct module *module, const struct export_layer *layer,
                            const char *input)
{
    (void)layer;
    text_addf(&module->run, "%s.mean((2, 3))", input);
}

static void add_dropout(struct module *module, const struct export_layer *layer,
                        const char *input)
{
    struct text *layers = make_layer(module, layer);
    text_add(layers, "nn.Dropout(");
    export_add_number(layers, setting_number(layer->settings, "rate"));
    text_add_char(layers, ')');
    run_layer(module, layer, input);
}

static void add_flatten(struct module *module, const struct export_layer *layer,
                        const char *input)
{
    bool turns = module->order->turns_image && export_flattens_image(layer);
    text_addf(&module->run, turns ? "%s.permute(0, 2, 3, 1).flatten(1)" : "%s.flatten(1)", input);
}

static void add_activation(struct module *module, const struct export_layer *layer,
                           const char *input)
{
    open_activation(&module->run, layer->activation);
    text_add(&module->run, input);
    close_activation(&module->run, layer);
}

static void add_sum(struct module *module, const struct export_layer *layer, const char *input)
{
    text_addf(&module->run, "%s + %s", input, export_variable(module->model, layer->shortcut));
}

static const struct {
    const char *type;
    /* Appends what makes the layer, where it needs an object, and what runs it. */
    void (*add)(struct module *module, const struct export_layer *layer, const char *input);
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

static int add_layer(struct module *module, size_t index, struct failure *why)
{
    const struct export_layer *layer = &module->model->layers[index];
    for (size_t i = 0; i < ARRAY_LENGTH(layer_kinds); i++) {
        if (!export_is(layer, layer_kinds[i].type))
            continue;
        text_addf(&module->run, "        %s = ", export_variable(module->model, (int)index));
        layer_kinds[i].add(module, layer, export_variable(module->model, layer->source));
        text_add_char(&module->run, '\n');
        return 0;
    }
    return fail(why, "%s cannot be exported to PyTorch: nobody has said how", layer->type);
}

/* ---- the whole ---- */

static void add_title(struct text *program, const struct export_model *model)
{
    struct shape input = model->input;
    text_addf(program,
              "# " EXPORT_MARK "\n"
              "\"\"\"The network of the file beside this one, in PyTorch.\n"
              "\n"
              "    import load_torch\n"
              "    network = load_torch.load()\n"
              "    logits = network(images)  # float32 [batch, %d, %d, %d], pixels from 0 to 1\n"
              "\n"
              "As a program it prints the network.\"\"\"\n",
              input.channels, input.height, input.width);
}

static void add_module(struct text *program, const struct module *module)
{
    const struct export_model *model = module->model;
    int last = (int)model->count - 1;
    if (module->averages)
        text_add(program, average_pool);
    text_addf(program,
              "class Network(nn.Module):\n"
              "    def __init__(self):\n"
              "        super().__init__()\n"
              "%s"
              "\n"
              "    def forward(self, images):\n"
              "%s"
              "        return %s%s\n",
              text_string(&module->layers), text_string(&module->run),
              export_variable(model, last),
              model->layers[last].output_flat ? "" : ".flatten(1)");
}

char *export_torch_program(const struct export_model *model, const struct torch_order *order,
                           const char *path, struct failure *why)
{
    struct module module = {.model = model, .order = order, .layers = TEXT_EMPTY};
    struct text program = TEXT_EMPTY;
    int result = 0;
    for (size_t i = 0; i < model->count && result == 0; i++)
        result = add_layer(&module, i, why);
    add_title(&program, model);
    text_add(&program, head);
    if (result == 0)
        result = export_add_file(&program, path, why);
    text_add(&program, "\n\n");
    add_module(&program, &module);
    text_add(&program, tail);
    text_free(&module.layers);
    text_free(&module.run);
    char *string = text_take(&program);
    if (result == 0)
        return string;
    free(string);
    return NULL;
}
