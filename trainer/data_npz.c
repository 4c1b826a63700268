#include "trainer/data_npz.h"

#include "trainer/data_labels.h"
#include "trainer/npy.h"
#include "trainer/zip.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE_MOST = 4096, VALUES_MOST = 1 << 28 /* of an image, as a network takes them */ };

/* One array of the archive; `name` is "FILE: 'x_train'" for messages. */
struct array {
    char *name;
    uint8_t *content;
    struct npy npy;
};

static int array_read(const struct zip *zip, const char *entry, struct array *array,
                      struct failure *why)
{
    char *file = xasprintf("%s.npy", entry);
    size_t size = 0;
    *array = (struct array){.name = xasprintf("%s: '%s'", zip->path, entry)};
    int result = zip_read(zip, file, &array->content, &size, why);
    if (result == 0)
        result = npy_parse(array->name, array->content, size, &array->npy, why);
    free(file);
    return result;
}

static void array_release(struct array *array)
{
    free(array->content);
    free(array->name);
}

/* Sets the size of the images, or compares it with that of the training images. */
static int check_images(const struct array *array, struct dataset *dataset, struct failure *why)
{
    const struct npy *npy = &array->npy;
    if (npy->kind != 'u' || npy->width != 1)
        return fail_input(why, "%s: pixels must be unsigned bytes; convert it with "
                          "astype('uint8')", array->name);
    if (npy->dimensions < 3 || npy->shape[1] > SIDE_MOST || npy->shape[2] > SIDE_MOST)
        return fail_input(why, "%s: images must have the shape (n, height, width) or (n, height, "
                          "width, channels) and sides of %d pixels at most", array->name,
                          SIDE_MOST);
    size_t channels = npy->dimensions == 4 ? npy->shape[3] : 1;
    if (channels > SIDE_MOST)
        return fail_input(why, "%s: %zu channels; the most are %d", array->name, channels,
                          SIDE_MOST);
    if (npy->shape[1] * npy->shape[2] * channels > VALUES_MOST)
        return fail_input(why, "%s: images of %zux%zux%zu; the most are %d values in all",
                          array->name, npy->shape[1], npy->shape[2], channels, VALUES_MOST);
    int height = (int)npy->shape[1], width = (int)npy->shape[2];
    if (dataset->height == 0) {
        dataset->height = height;
        dataset->width = width;
        dataset->channels = (int)channels;
    }
    if (height != dataset->height || width != dataset->width ||
        (int)channels != dataset->channels)
        return fail_input(why, "%s: images of %dx%dx%zu, but the training images have %dx%dx%d",
                          array->name, height, width, channels, dataset->height, dataset->width,
                          dataset->channels);
    return 0;
}

static int load_images(const struct zip *zip, const char *entry, struct dataset *dataset,
                       struct image_set *set, struct failure *why)
{
    struct array array;
    int result = array_read(zip, entry, &array, why);
    if (result == 0)
        result = check_images(&array, dataset, why);
    if (result == 0) {
        set->count = array.npy.shape[0];
        set->pixels = xmalloc(array.npy.count);
        memcpy(set->pixels, array.npy.values, array.npy.count);
    }
    array_release(&array);
    return result;
}

static int copy_labels(const struct array *array, struct image_set *set, struct failure *why)
{
    const struct npy *npy = &array->npy;
    if (npy->dimensions > 2 || (npy->dimensions == 2 && npy->shape[1] != 1))
        return fail_input(why, "%s: labels must have the shape (n,), a class number for each "
                          "image", array->name);
    if (npy->count != set->count)
        return fail_input(why, "%s: %zu labels, but there are %zu images", array->name, npy->count,
                          set->count);
    set->labels = xreallocarray(NULL, set->count, sizeof *set->labels);
    for (size_t i = 0; i < set->count; i++) {
        int64_t label = npy_value(npy, i);
        if (label < 0 || label >= DATA_CLASSES_MOST)
            return fail_input(why, "%s: the label of image %zu is out of range: it must be from 0 "
                              "to %d", array->name, i, DATA_CLASSES_MOST - 1);
        set->labels[i] = (uint16_t)label;
    }
    return 0;
}

static int load_labels(const struct zip *zip, const char *entry, struct dataset *dataset,
                       struct image_set *set, struct failure *why)
{
    struct array array;
    int result = array_read(zip, entry, &array, why);
    if (result == 0)
        result = copy_labels(&array, set, why);
    if (result == 0)
        result = data_labels_check(array.name, set, &dataset->classes, why);
    array_release(&array);
    return result;
}

int data_npz_load(const char *path, struct dataset *dataset, struct failure *why)
{
    struct zip zip;
    int result = zip_open(&zip, path, why);
    if (result == 0)
        result = load_images(&zip, "x_train", dataset, &dataset->training, why);
    if (result == 0)
        result = load_labels(&zip, "y_train", dataset, &dataset->training, why);
    if (result == 0)
        result = load_images(&zip, "x_test", dataset, &dataset->test, why);
    if (result == 0)
        result = load_labels(&zip, "y_test", dataset, &dataset->test, why);
    zip_close(&zip);
    return result;
}
