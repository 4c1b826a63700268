/* npz, NumPy's archive of arrays (zip_write.h, npy.h), with the names and layouts of Keras's
 * weights, channels last, which are also the network's own:
 *
 *   conv, shortcut    conv2d_1/kernel [rows][columns][inputs][filters], conv2d_1/bias
 *   dense, shortcut   dense_1/kernel [inputs][units], dense_1/bias
 *   batch_norm        batch_norm_1/gamma, /beta, /moving_mean, /moving_variance
 *
 * Beside the file goes load_keras.py, which rebuilds the network and loads the file into it. */
#include "trainer/export_check.h"
#include "trainer/export_code.h"
#include "trainer/export_keras.h"
#include "trainer/npy.h"
#include "trainer/zip.h"
#include "trainer/zip_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct array {
    char name[64]; /* of its entry */
    size_t shape[NPY_DIMENSIONS_MOST], dimensions;
    const float *values;
};

struct arrays {
    struct array *list;
    size_t count;
};

/* ---- which arrays ---- */

static struct array *add_array(struct arrays *arrays, const struct export_layer *layer,
                               const char *part, const float *values)
{
    arrays->list = xreallocarray(arrays->list, arrays->count + 1, sizeof *arrays->list);
    struct array *array = &arrays->list[arrays->count++];
    *array = (struct array){.values = values};
    snprintf(array->name, sizeof array->name, "%s/%s.npy", layer->name, part);
    return array;
}

static void add_vector(struct arrays *arrays, const struct export_layer *layer, const char *part,
                       const float *values)
{
    struct array *array = add_array(arrays, layer, part, values);
    array->shape[array->dimensions++] = (size_t)layer->output.channels;
}

static void add_kernel(struct arrays *arrays, const struct export_layer *layer)
{
    struct array *array = add_array(arrays, layer, "kernel", export_weights(layer));
    if (!layer->output_flat) {
        array->shape[array->dimensions++] = layer->window.size;
        array->shape[array->dimensions++] = layer->window.size;
    }
    array->shape[array->dimensions++] = (size_t)layer->input.channels;
    array->shape[array->dimensions++] = (size_t)layer->output.channels;
    if (export_bias(layer))
        add_vector(arrays, layer, "bias", export_bias(layer));
}

static struct arrays list_arrays(const struct export_model *model)
{
    struct arrays arrays = {0};
    for (size_t i = 0; i < model->count; i++) {
        const struct export_layer *layer = &model->layers[i];
        size_t channels = (size_t)layer->output.channels;
        if (export_is(layer, "conv") || export_is(layer, "dense") || export_is(layer, "shortcut"))
            add_kernel(&arrays, layer);
        if (!export_is(layer, "batch_norm"))
            continue;
        add_vector(&arrays, layer, "gamma", layer->parameters);
        add_vector(&arrays, layer, "beta", layer->parameters + channels);
        add_vector(&arrays, layer, "moving_mean", layer->statistics);
        add_vector(&arrays, layer, "moving_variance", layer->statistics + channels);
    }
    return arrays;
}

/* ---- writing, and reading again ---- */

static struct text write_array(const struct array *array)
{
    struct text content = TEXT_EMPTY;
    npy_write(&content, array->shape, array->dimensions, array->values);
    return content;
}

static struct text build(const struct arrays *arrays)
{
    struct zip_writer writer = ZIP_WRITER_EMPTY;
    for (size_t i = 0; i < arrays->count; i++) {
        struct text content = write_array(&arrays->list[i]);
        zip_write(&writer, arrays->list[i].name, content.at, content.length);
        text_free(&content);
    }
    return zip_write_end(&writer);
}

static int check_array(const struct zip *zip, const struct array *array, struct failure *why)
{
    uint8_t *content = NULL;
    size_t size = 0;
    if (zip_read(zip, array->name, &content, &size, why) < 0)
        return -1;
    struct text expected = write_array(array);
    bool same = size == expected.length && memcmp(content, expected.at, size) == 0;
    text_free(&expected);
    free(content);
    return same ? 0 : fail(why, "%s in it is not what the network has; this is a fault of the "
                           "export", array->name);
}

static int check(const struct text *file, const char *path, const struct arrays *arrays,
                 struct failure *why)
{
    struct zip zip;
    uint8_t *copy = xmalloc(file->length);
    memcpy(copy, file->at, file->length);
    int result = zip_take(&zip, path, copy, file->length, why);
    for (size_t i = 0; i < arrays->count && result == 0; i++)
        result = check_array(&zip, &arrays->list[i], why);
    zip_close(&zip);
    return result;
}

int export_npz(const struct export_model *model, const char *path, struct failure *why)
{
    struct arrays arrays = list_arrays(model);
    struct text file = build(&arrays);
    char *program = export_keras_program(model, path, why);
    char *loader = export_beside(path, "load_keras.py");
    int result = program ? export_check_second(loader, why) : -1;
    if (result == 0)
        result = check(&file, path, &arrays, why);
    if (result == 0)
        result = export_write(path, file.at, file.length, why);
    if (result == 0)
        result = export_write_second(loader, program, why);
    free(loader);
    free(program);
    text_free(&file);
    free(arrays.list);
    return result;
}
