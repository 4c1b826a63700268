#include "common/embed.h"
#include "trainer/export_c_parts.h"
#include "trainer/export_code.h"
#include "trainer/layer.h"

#include <stdio.h>
#include <string.h>

EMBED(inference_window, "trainer/inference/window.c");
EMBED(inference_convolve, "trainer/inference/convolve.c");
EMBED(inference_max_pool, "trainer/inference/max_pool.c");
EMBED(inference_average_pool, "trainer/inference/average_pool.c");
EMBED(inference_average_image, "trainer/inference/average_image.c");
EMBED(inference_multiply, "trainer/inference/multiply.c");
EMBED(inference_normalize, "trainer/inference/normalize.c");
EMBED(inference_add, "trainer/inference/add.c");
EMBED(inference_exponential, "trainer/inference/exponential.c");
EMBED(inference_relu, "trainer/inference/relu.c");
EMBED(inference_leaky_relu, "trainer/inference/leaky_relu.c");
EMBED(inference_elu, "trainer/inference/elu.c");
EMBED(inference_hyperbolic_tangent, "trainer/inference/hyperbolic_tangent.c");
EMBED(inference_sigmoid, "trainer/inference/sigmoid.c");
EMBED(inference_gelu, "trainer/inference/gelu.c");
EMBED(inference_predict, "trainer/inference/predict.c");

extern const char inference_window[], inference_convolve[], inference_max_pool[],
    inference_average_pool[], inference_average_image[], inference_multiply[],
    inference_normalize[], inference_add[], inference_exponential[], inference_relu[],
    inference_leaky_relu[], inference_elu[], inference_hyperbolic_tangent[], inference_sigmoid[],
    inference_gelu[];

/* In the order in which a program has them; what is not called is left out. */
enum function {
    WINDOW, CONVOLVE, MAX_POOL, AVERAGE_POOL, AVERAGE_IMAGE, MULTIPLY, NORMALIZE, ADD,
    EXPONENTIAL, RELU, LEAKY_RELU, ELU, HYPERBOLIC_TANGENT, SIGMOID, GELU,
    FUNCTIONS
};

static const struct {
    const char *name, *text;
} functions[FUNCTIONS] = {
    [WINDOW] = {"struct window", inference_window},
    [CONVOLVE] = {"convolve", inference_convolve},
    [MAX_POOL] = {"max_pool", inference_max_pool},
    [AVERAGE_POOL] = {"average_pool", inference_average_pool},
    [AVERAGE_IMAGE] = {"average_image", inference_average_image},
    [MULTIPLY] = {"multiply", inference_multiply},
    [NORMALIZE] = {"normalize", inference_normalize},
    [ADD] = {"add", inference_add},
    [EXPONENTIAL] = {"exponential", inference_exponential},
    [RELU] = {"relu", inference_relu},
    [LEAKY_RELU] = {"leaky_relu", inference_leaky_relu},
    [ELU] = {"elu", inference_elu},
    [HYPERBOLIC_TANGENT] = {"hyperbolic_tangent", inference_hyperbolic_tangent},
    [SIGMOID] = {"sigmoid", inference_sigmoid},
    [GELU] = {"gelu", inference_gelu},
};

static const struct {
    const char *activation;
    enum function function;
} activations[] = {
    {"relu", RELU},       {"leaky_relu", LEAKY_RELU},
    {"elu", ELU},         {"tanh", HYPERBOLIC_TANGENT},
    {"sigmoid", SIGMOID}, {"gelu", GELU},
};

struct caller {
    const struct export_model *model;
    const struct c_buffers *buffers;
    struct c_calls made;
    bool called[FUNCTIONS];
};

/* What a layer reads and writes, by name. */
struct place {
    char input[C_NAME], shortcut[C_NAME], output[C_NAME];
};

const char *c_buffer_name(int buffer, char name[C_NAME])
{
    if (buffer < 0)
        snprintf(name, C_NAME, "image");
    else
        snprintf(name, C_NAME, "buffer_%d", buffer);
    return name;
}

static void name_output(const struct caller *caller, int layer, char name[C_NAME])
{
    c_buffer_name(layer < 0 ? -1 : caller->buffers->of_layer[layer], name);
}

/* Begins a call; the caller adds its arguments. */
static struct text *call(struct caller *caller, enum function function)
{
    caller->called[function] = true;
    text_addf(&caller->made.calls, "    %s(", functions[function].name);
    return &caller->made.calls;
}

static void add_activation(struct caller *caller, const struct export_layer *layer,
                           const char *input, const char *output)
{
    for (size_t i = 0; i < ARRAY_LENGTH(activations); i++) {
        if (!layer->activation || strcmp(layer->activation, activations[i].activation) != 0)
            continue;
        struct text *line = call(caller, activations[i].function);
        text_addf(line, "%zu, ", shape_size(layer->output));
        if (activations[i].function == LEAKY_RELU) {
            export_add_number(line, layer->slope);
            text_add(line, layer->slope == (float)(int)layer->slope ? ".0f, " : "f, ");
        }
        text_addf(line, "%s, %s);\n", input, output);
    }
}

/* "NULL" where there is none. */
static void add_bias_name(struct text *line, const struct export_layer *layer)
{
    if (export_bias(layer))
        text_addf(line, "%s_bias", layer->name);
    else
        text_add(line, "NULL");
}

static void add_window(struct caller *caller, const struct export_layer *layer)
{
    const struct window *w = &layer->window;
    caller->called[WINDOW] = true;
    text_addf(&caller->made.windows,
              "static const struct window %s_window = {%zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, "
              "%zu};\n", layer->name, w->input_height, w->input_width, w->channels, w->size,
              w->stride, w->top, w->left, w->output_height, w->output_width);
}

static void add_conv(struct caller *caller, const struct export_layer *layer,
                     const struct place *place)
{
    add_window(caller, layer);
    struct text *line = call(caller, CONVOLVE);
    text_addf(line, "&%s_window, %d, %s_weights, ", layer->name, layer->output.channels,
              layer->name);
    add_bias_name(line, layer);
    text_addf(line, ", %s, %s);\n", place->input, place->output);
    add_activation(caller, layer, place->output, place->output);
}

static void add_dense(struct caller *caller, const struct export_layer *layer,
                      const struct place *place)
{
    struct text *line = call(caller, MULTIPLY);
    text_addf(line, "%d, %d, %s_weights, ", layer->input.channels, layer->output.channels,
              layer->name);
    add_bias_name(line, layer);
    text_addf(line, ", %s, %s);\n", place->input, place->output);
    add_activation(caller, layer, place->output, place->output);
}

static void add_shortcut(struct caller *caller, const struct export_layer *layer,
                         const struct place *place)
{
    if (layer->output_flat)
        add_dense(caller, layer, place);
    else
        add_conv(caller, layer, place);
}

static void add_pool(struct caller *caller, const struct export_layer *layer,
                     const struct place *place)
{
    add_window(caller, layer);
    text_addf(call(caller, export_is(layer, "max_pool") ? MAX_POOL : AVERAGE_POOL),
              "&%s_window, %s, %s);\n", layer->name, place->input, place->output);
}

static void add_global_pool(struct caller *caller, const struct export_layer *layer,
                            const struct place *place)
{
    text_addf(call(caller, AVERAGE_IMAGE), "%d, %d, %s, %s);\n",
              layer->input.height * layer->input.width, layer->input.channels, place->input,
              place->output);
}

static void add_batch_norm(struct caller *caller, const struct export_layer *layer,
                           const struct place *place)
{
    const char *name = layer->name;
    text_addf(call(caller, NORMALIZE), "%d, %d, %s_mean, %s_scale, %s_offset, %s, %s);\n",
              layer->output.height * layer->output.width, layer->output.channels, name, name,
              name, place->input, place->output);
}

static void add_sum(struct caller *caller, const struct export_layer *layer,
                    const struct place *place)
{
    text_addf(call(caller, ADD), "%zu, %s, %s, %s);\n", shape_size(layer->output), place->input,
              place->shortcut, place->output);
}

static void add_activation_alone(struct caller *caller, const struct export_layer *layer,
                                 const struct place *place)
{
    add_activation(caller, layer, place->input, place->output);
}

static const struct {
    const char *type;
    void (*add)(struct caller *caller, const struct export_layer *layer,
                const struct place *place);
} layer_kinds[] = {
    {"conv", add_conv},
    {"dense", add_dense},
    {"shortcut", add_shortcut},
    {"max_pool", add_pool},
    {"avg_pool", add_pool},
    {"global_avg_pool", add_global_pool},
    {"batch_norm", add_batch_norm},
    {"add", add_sum},
    {"relu", add_activation_alone},
    {"leaky_relu", add_activation_alone},
    {"elu", add_activation_alone},
    {"tanh", add_activation_alone},
    {"sigmoid", add_activation_alone},
    {"gelu", add_activation_alone},
};

static int add_layer(struct caller *caller, int index, struct failure *why)
{
    const struct export_layer *layer = &caller->model->layers[index];
    struct place place;
    name_output(caller, layer->source, place.input);
    name_output(caller, layer->shortcut, place.shortcut);
    name_output(caller, index, place.output);
    if (c_runs_nothing(layer))
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(layer_kinds); i++) {
        if (export_is(layer, layer_kinds[i].type)) {
            layer_kinds[i].add(caller, layer, &place);
            return 0;
        }
    }
    return fail(why, "%s cannot be exported to C: nobody has said how", layer->type);
}

int c_calls_make(const struct export_model *model, const struct c_buffers *buffers,
                 struct c_calls *calls, struct failure *why)
{
    struct caller caller = {.model = model, .buffers = buffers};
    int result = 0;
    caller.called[EXPONENTIAL] = true; /* for the probabilities */
    for (int i = 0; i < (int)model->count && result == 0; i++)
        result = add_layer(&caller, i, why);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (caller.called[i])
            text_addf(&caller.made.functions, "%s\n", functions[i].text);
    }
    *calls = caller.made;
    return result;
}

void c_calls_release(struct c_calls *calls)
{
    text_free(&calls->functions);
    text_free(&calls->windows);
    text_free(&calls->calls);
}
