/* C99 without a library: FILE.c with the weights and the few functions that the network needs,
 * and FILE.h beside it, which describes them.
 *
 * Every weight has the nine digits that give the same float again. */
#include "common/file.h"
#include "trainer/export_c_parts.h"
#include "trainer/export_check.h"
#include "trainer/export_code.h"
#include "trainer/floats.h"
#include "trainer/layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS_IN_LINE = 6 };

/* An array of the program. */
struct array {
    char name[64];
    const float *values; /* [count] */
    size_t count;
};

struct arrays {
    struct array *list;
    size_t count;
    float **made; /* [made_count] values that the network does not have as such */
    size_t made_count;
};

/* ---- which arrays ---- */

static void add_array(struct arrays *arrays, const struct export_layer *layer, const char *part,
                      const float *values, size_t count)
{
    arrays->list = xreallocarray(arrays->list, arrays->count + 1, sizeof *arrays->list);
    struct array *array = &arrays->list[arrays->count++];
    *array = (struct array){.values = values, .count = count};
    snprintf(array->name, sizeof array->name, "%s_%s", layer->name, part);
}

static void add_weights(struct arrays *arrays, const struct export_layer *layer)
{
    size_t outputs = (size_t)layer->output.channels;
    size_t biases = export_bias(layer) ? outputs : 0;
    add_array(arrays, layer, "weights", export_weights(layer), layer->parameter_count - biases);
    if (biases)
        add_array(arrays, layer, "bias", export_bias(layer), biases);
}

/* gamma / sqrt(variance + epsilon), as layer_batch_norm.c has it. */
static const float *make_scale(struct arrays *arrays, const struct export_layer *layer)
{
    size_t channels = (size_t)layer->output.channels;
    const float *variance = layer->statistics + channels;
    float *scale = floats_new(channels);
    for (size_t c = 0; c < channels; c++)
        scale[c] = (float)(1.0 / sqrt(variance[c] + layer->epsilon)) * layer->parameters[c];
    arrays->made = xreallocarray(arrays->made, arrays->made_count + 1, sizeof *arrays->made);
    arrays->made[arrays->made_count++] = scale;
    return scale;
}

static struct arrays list_arrays(const struct export_model *model)
{
    struct arrays arrays = {0};
    for (size_t i = 0; i < model->count; i++) {
        const struct export_layer *layer = &model->layers[i];
        size_t channels = (size_t)layer->output.channels;
        if (export_is(layer, "conv") || export_is(layer, "dense") || export_is(layer, "shortcut"))
            add_weights(&arrays, layer);
        if (!export_is(layer, "batch_norm"))
            continue;
        add_array(&arrays, layer, "mean", layer->statistics, channels);
        add_array(&arrays, layer, "scale", make_scale(&arrays, layer), channels);
        add_array(&arrays, layer, "offset", layer->parameters + channels, channels);
    }
    return arrays;
}

static void release_arrays(struct arrays *arrays)
{
    for (size_t i = 0; i < arrays->made_count; i++)
        free(arrays->made[i]);
    free(arrays->made);
    free(arrays->list);
}

/* ---- the source ---- */

static void add_first_line(struct text *file)
{
    text_add(file, "/* " EXPORT_MARK);
}

static void add_float(struct text *file, float value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", (double)value);
    text_add(file, digits);
    text_add(file, strpbrk(digits, ".e") ? "f," : ".0f,");
}

/* "static const float conv2d_1_bias[32] = {" */
static char *open_array(const struct array *array)
{
    return xasprintf("static const float %s[%zu] = {", array->name, array->count);
}

static void add_array_text(struct text *file, const struct array *array)
{
    char *opening = open_array(array);
    text_add(file, opening);
    free(opening);
    for (size_t i = 0; i < array->count; i++) {
        text_add(file, i % NUMBERS_IN_LINE == 0 ? "\n    " : " ");
        add_float(file, array->values[i]);
    }
    text_add(file, "\n};\n\n");
}

/* The function that runs the layers. */
static void add_logits(struct text *file, const struct export_model *model,
                       const struct c_buffers *buffers, const struct c_calls *calls)
{
    char output[C_NAME];
    for (int i = 0; i < buffers->count; i++)
        text_addf(file, "static float %s[%zu];\n", c_buffer_name(i, output), buffers->sizes[i]);
    text_addf(file,
              "\n"
              "void model_logits(const float image[MODEL_PIXELS], float logits[MODEL_CLASSES])\n"
              "{\n"
              "%s"
              "    for (int i = 0; i < MODEL_CLASSES; i++)\n"
              "        logits[i] = %s[i];\n"
              "}\n"
              "\n",
              text_string(&calls->calls),
              c_buffer_name(buffers->of_layer[model->count - 1], output));
}

static int build_source(const struct export_model *model, const struct arrays *arrays,
                        const char *header, struct text *file, struct failure *why)
{
    struct c_buffers buffers = c_buffers_plan(model);
    struct c_calls calls;
    int result = c_calls_make(model, &buffers, &calls, why);
    add_first_line(file);
    text_addf(file,
              " */\n"
              "#include \"%s\"\n"
              "\n"
              "#include <stddef.h>\n"
              "\n"
              "%s",
              export_base_name(header), text_string(&calls.functions));
    for (size_t i = 0; i < arrays->count; i++)
        add_array_text(file, &arrays->list[i]);
    if (calls.windows.length > 0)
        text_addf(file, "%s\n", text_string(&calls.windows));
    add_logits(file, model, &buffers, &calls);
    text_add(file, inference_predict);
    c_calls_release(&calls);
    c_buffers_release(&buffers);
    return result;
}

static struct text build_header(const struct export_model *model)
{
    struct text file = TEXT_EMPTY;
    struct shape input = model->input;
    add_first_line(&file);
    text_addf(&file,
              "\n"
              " *\n"
              " * A trained network: compile the .c file beside this one, which needs no library.\n"
              " * An image is [height][width][channels], its pixels from 0 to 1.  One call at a\n"
              " * time: the values between the layers lie in static memory. */\n"
              "#ifndef MODEL_H\n"
              "#define MODEL_H\n"
              "\n"
              "enum {\n"
              "    MODEL_HEIGHT = %d,\n"
              "    MODEL_WIDTH = %d,\n"
              "    MODEL_CHANNELS = %d,\n"
              "    MODEL_PIXELS = %zu, /* the product of the three */\n"
              "    MODEL_CLASSES = %d\n"
              "};\n"
              "\n"
              "#ifdef __cplusplus\n"
              "extern \"C\" {\n"
              "#endif\n"
              "\n"
              "/* Of each class: they sum to 1. */\n"
              "void model_predict(const float image[MODEL_PIXELS], "
              "float probabilities[MODEL_CLASSES]);\n"
              "\n"
              "/* What the network itself gives: the probabilities are the softmax of this. */\n"
              "void model_logits(const float image[MODEL_PIXELS], float logits[MODEL_CLASSES]);\n"
              "\n"
              "#ifdef __cplusplus\n"
              "}\n"
              "#endif\n"
              "\n"
              "#endif\n",
              input.height, input.width, input.channels, shape_size(input), model->classes);
    return file;
}

/* ---- reading again ---- */

static bool has_values(const struct text *file, const struct array *array)
{
    char *opening = open_array(array);
    const char *at = strstr(file->at, opening);
    bool same = at != NULL;
    if (same)
        at += strlen(opening);
    free(opening);
    for (size_t i = 0; i < array->count && same; i++) {
        char *end;
        float value = strtof(at, &end);
        same = memcmp(&value, &array->values[i], sizeof value) == 0 &&
               strncmp(end + strcspn(end, "f,"), "f,", 2) == 0;
        at = end + 2;
    }
    return same;
}

static int check(const struct text *file, const struct arrays *arrays, struct failure *why)
{
    for (size_t i = 0; i < arrays->count; i++) {
        const struct array *array = &arrays->list[i];
        for (size_t k = 0; k < array->count; k++) {
            if (!isfinite(array->values[k]))
                return fail(why, "%s is not finite, which C cannot write down: the network's "
                                 "training has diverged", array->name);
        }
        if (!has_values(file, array))
            return fail(why, "%s in it is not what the network has; this is a fault of the "
                             "export", array->name);
    }
    return 0;
}

/* ---- the whole ---- */

/* From "folder/digits.c" to "folder/digits.h"; NULL for what is no name of a C file. */
static char *name_header(const char *path, struct failure *why)
{
    const char *name = export_base_name(path);
    size_t length = strlen(name);
    if (length < 3 || strcmp(name + length - 2, ".c") != 0) {
        fail_usage(why, "%s: the name of a C file ends in .c, and the header's in .h; choose "
                        "such a one", path);
        return NULL;
    }
    for (const char *at = name; *at; at++) {
        if ((unsigned char)*at < ' ' || strchr("\"\\?", *at)) {
            fail_usage(why, "%s: the name cannot stand in an #include; choose one of letters "
                            "and digits", path);
            return NULL;
        }
    }
    char *header = xstrdup(path);
    header[strlen(header) - 1] = 'h';
    return header;
}

int export_c(const struct export_model *model, const char *path, struct failure *why)
{
    char *header = name_header(path, why);
    if (!header)
        return -1;
    struct arrays arrays = list_arrays(model);
    struct text source = TEXT_EMPTY, declarations = build_header(model);
    int result = export_check_second(header, why);
    if (result == 0)
        result = build_source(model, &arrays, header, &source, why);
    if (result == 0)
        result = check(&source, &arrays, why);
    if (result == 0)
        result = export_write(path, source.at, source.length, why);
    if (result == 0)
        result = export_write_second(header, declarations.at, why);
    text_free(&declarations);
    text_free(&source);
    release_arrays(&arrays);
    free(header);
    return result;
}
