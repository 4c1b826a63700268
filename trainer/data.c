#include "trainer/data.h"

#include "common/seed.h"
#include "trainer/data_cifar.h"
#include "trainer/data_csv.h"
#include "trainer/data_idx.h"
#include "trainer/data_npz.h"
#include "trainer/data_png.h"
#include "trainer/data_split.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    SYNTHETIC_TRAINING = 60000, /* as many as MNIST has */
    SYNTHETIC_TEST = 10000,
    MNIST_SIDE = 28,
    MNIST_CLASSES = 10
};

/* ---- The settings ---- */

static int read_seed(const json_t *data, uint64_t *seed, struct failure *why)
{
    const json_t *value = json_object_get(data, "seed");
    *seed = 0;
    if (value && !seed_parse(json_string_value(value), seed))
        return fail_at(why, "data.seed", "data: the seed must be a whole number from 0 to "
                       "2^64 - 1, written as a string");
    return 0;
}

static int read_count(const json_t *data, const char *name, size_t least, size_t initial,
                      size_t *count, struct failure *why)
{
    const json_t *value = json_object_get(data, name);
    const char *word = json_string_value(value);
    *count = initial;
    if (!value || (initial == SPLIT_ALL && word && strcmp(word, "all") == 0))
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < (json_int_t)least) {
        char *where = xasprintf("data.%s", name);
        fail_at(why, where, "data: %s must be a whole number of images, at least %zu%s", name,
                least, initial == SPLIT_ALL ? ", or \"all\"" : "");
        free(where);
        return -1;
    }
    *count = (size_t)json_integer_value(value);
    return 0;
}

static int read_split(const json_t *data, struct split_settings *split, struct failure *why)
{
    split->join_validation = json_is_true(json_object_get(data, "join_validation"));
    if (read_seed(data, &split->seed, why) != 0 ||
        read_count(data, "validation", 0, 0, &split->validation, why) != 0)
        return -1;
    return read_count(data, "train", 1, SPLIT_ALL, &split->train, why);
}

/* ---- Loading ---- */

static int load_mnist(const char *folder, struct dataset *dataset, struct failure *why)
{
    if (data_idx_load(folder, dataset, why) != 0)
        return -1;
    if (dataset->height != MNIST_SIDE || dataset->width != MNIST_SIDE ||
        dataset->classes != MNIST_CLASSES)
        return fail_input(why, "%s: %dx%d images of %d classes are not MNIST; name the folder "
                          "itself as the data set", folder, dataset->height, dataset->width,
                          dataset->classes);
    return 0;
}

enum { SIDE_MOST = 4096 };

/* *side stays 0 where nothing is said. */
static int read_side(const json_t *data, const char *name, int *side, struct failure *why)
{
    const json_t *value = json_object_get(data, name);
    json_int_t number = json_integer_value(value);
    if (value && (number < 1 || number > SIDE_MOST)) {
        char *where = xasprintf("data.%s", name);
        fail_at(why, where, "data: %s must be a whole number of pixels from 1 to %d", name,
                SIDE_MOST);
        free(where);
        return -1;
    }
    *side = (int)number;
    return 0;
}

/* EMNIST's images are stored column by column, and its letters begin with label 1. */
static int load_idx(const json_t *data, const char *folder, struct dataset *dataset,
                    struct failure *why)
{
    const json_t *transpose = json_object_get(data, "transpose");
    const json_t *first = json_object_get(data, "first_label");
    const char *split = json_string_value(json_object_get(data, "split"));
    json_int_t first_label = first ? json_integer_value(first)
                                   : split && strcmp(split, "letters") == 0;
    if (transpose && !json_is_boolean(transpose))
        return fail_at(why, "data.transpose", "data: transpose must be true or false");
    if ((first && !json_is_integer(first)) || first_label < 0 || first_label > UINT8_MAX)
        return fail_at(why, "data.first_label", "data: first_label must be a whole number from 0 "
                       "to %d", UINT8_MAX);
    const struct idx_form form = {split, transpose ? json_is_true(transpose) : split != NULL,
                                  (int)first_label};
    return data_idx_load_form(folder, &form, dataset, why);
}

static int load_csv(const json_t *data, const char *path, uint64_t seed, struct dataset *dataset,
                    struct failure *why)
{
    int height = 0, width = 0;
    if (read_side(data, "height", &height, why) != 0 || read_side(data, "width", &width, why) != 0)
        return -1;
    if ((height == 0) != (width == 0))
        return fail_at(why, height ? "data.width" : "data.height",
                       "data: height and width go together; say both");
    return data_csv_load(path, height, width, seed, dataset, why);
}

static bool is_kind(const char *name)
{
    static const char *const kinds[] = {"mnist", "idx", "csv", "npz", "png", "cifar10"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (strcmp(name, kinds[i]) == 0)
            return true;
    }
    return false;
}

static int load_images(const json_t *data, uint64_t seed, struct dataset *dataset,
                       struct failure *why)
{
    const char *name = json_string_value(json_object_get(data, "dataset"));
    const char *folder = json_string_value(json_object_get(data, "folder"));
    if (!name)
        return fail_at(why, "data.dataset", "data needs a dataset: mnist, synthetic or idx");
    if (strcmp(name, "synthetic") == 0) {
        data_synthetic_load(SYNTHETIC_TRAINING, SYNTHETIC_TEST, seed, dataset);
        return 0;
    }
    if (!is_kind(name))
        return fail_at(why, "data.dataset", "there is no data set '%s'; there are mnist, "
                       "synthetic, idx, csv, npz, png and cifar10", name);
    if (!folder)
        return fail_at(why, "data.folder", "data: '%s' needs the folder of its files", name);
    if (strcmp(name, "csv") == 0)
        return load_csv(data, folder, seed, dataset, why);
    if (strcmp(name, "npz") == 0)
        return data_npz_load(folder, dataset, why);
    if (strcmp(name, "png") == 0)
        return data_png_load(folder, dataset, why);
    if (strcmp(name, "cifar10") == 0)
        return data_cifar_load(folder, dataset, why);
    return strcmp(name, "mnist") == 0 ? load_mnist(folder, dataset, why)
                                      : load_idx(data, folder, dataset, why);
}

/* Labels count as bytes, or as two (the lower first) where a byte cannot hold them. */
static uint32_t add_checksum(uint32_t checksum, const struct dataset *dataset,
                             const struct image_set *set)
{
    size_t size = set->count * (size_t)(dataset->height * dataset->width * dataset->channels);
    size_t width = dataset->classes <= 256 ? 1 : 2;
    uint8_t *labels = xreallocarray(NULL, set->count, width);
    for (size_t i = 0; i < set->count; i++) {
        for (size_t k = 0; k < width; k++)
            labels[i * width + k] = (uint8_t)(set->labels[i] >> 8 * k);
    }
    uLong sum = crc32_z(checksum, set->pixels, size);
    sum = crc32_z(sum, labels, set->count * width);
    free(labels);
    return (uint32_t)sum;
}

struct dataset *dataset_load(const json_t *data, struct failure *why)
{
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    struct split_settings split;
    if (read_split(data, &split, why) != 0 || load_images(data, split.seed, dataset, why) != 0 ||
        data_split(dataset, &split, why) != 0) {
        dataset_free(dataset);
        return NULL;
    }
    dataset->checksum = add_checksum(0, dataset, &dataset->training);
    dataset->checksum = add_checksum(dataset->checksum, dataset, &dataset->test);
    return dataset;
}

void dataset_free(struct dataset *dataset)
{
    if (!dataset)
        return;
    free(dataset->training.pixels);
    free(dataset->training.labels);
    free(dataset->test.pixels);
    free(dataset->test.labels);
    free(dataset->train_index);
    free(dataset->validation_index);
    free(dataset);
}

json_t *dataset_describe(const struct dataset *dataset)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I}", "height", dataset->height,
                     "width", dataset->width, "channels", dataset->channels, "classes",
                     dataset->classes, "train", (json_int_t)dataset->train_count, "validation",
                     (json_int_t)dataset->validation_count, "test",
                     (json_int_t)dataset->test.count, "checksum",
                     (json_int_t)dataset->checksum);
}
