#include "trainer/data.h"

#include "common/seed.h"
#include "trainer/data_cache.h"
#include "trainer/data_kind.h"
#include "trainer/data_split.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

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

uint32_t dataset_checksum(const struct dataset *dataset)
{
    return add_checksum(add_checksum(0, dataset, &dataset->training), dataset, &dataset->test);
}

static void free_images(struct dataset *dataset)
{
    if (dataset->mapping) {
        data_cache_unmap(dataset);
        return;
    }
    free(dataset->training.pixels);
    free(dataset->training.labels);
    free(dataset->test.pixels);
    free(dataset->test.labels);
}

static int load_files(const json_t *data, uint64_t seed, struct dataset *dataset,
                      struct failure *why)
{
    if (data_kind_load(data, seed, dataset, why) != 0)
        return -1;
    dataset->checksum = dataset_checksum(dataset);
    return 0;
}

/* Leaves the images that were just loaded to others, and takes them as others will.  Files
 * that changed while they were read are told by their sources. */
static void share_images(const char *folder, const json_t *data, const char *sources,
                         struct dataset *dataset)
{
    struct failure why = FAILURE_NONE;
    struct dataset shared;
    char *now = data_kind_sources(data);
    if (now && strcmp(now, sources) == 0 &&
        data_cache_make(folder, sources, dataset, &why) == 0 &&
        data_cache_map(folder, sources, &shared, &why) == 0) {
        free_images(dataset);
        *dataset = shared;
    }
    if (why.text)
        message("going on without a cache of the images: %s", why.text);
    failure_clear(&why);
    free(now);
}

static int load_shared(const char *folder, const json_t *data, uint64_t seed,
                       struct dataset *dataset, struct failure *why)
{
    struct failure unusable = FAILURE_NONE;
    char *sources = data_kind_sources(data);
    int result = sources ? data_cache_map(folder, sources, dataset, &unusable) : -1;
    if (unusable.text)
        message("the cache of the images is made anew: %s", unusable.text);
    if (result != 0) {
        result = load_files(data, seed, dataset, why);
        if (result == 0 && sources)
            share_images(folder, data, sources, dataset);
    }
    failure_clear(&unusable);
    free(sources);
    return result;
}

struct dataset *dataset_load(const json_t *data, struct failure *why)
{
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    const char *cache = json_string_value(json_object_get(data, "cache"));
    struct split_settings split;
    if (read_split(data, &split, why) != 0 ||
        (cache ? load_shared(cache, data, split.seed, dataset, why)
               : load_files(data, split.seed, dataset, why)) != 0 ||
        data_split(dataset, &split, why) != 0) {
        dataset_free(dataset);
        return NULL;
    }
    return dataset;
}

void dataset_free(struct dataset *dataset)
{
    if (!dataset)
        return;
    free_images(dataset);
    free(dataset->train_index);
    free(dataset->validation_index);
    free(dataset);
}

json_t *dataset_describe(const struct dataset *dataset)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I}", "height",
                     dataset->height, "width", dataset->width, "channels", dataset->channels,
                     "classes", dataset->classes, "images",
                     (json_int_t)dataset->training.count, "train",
                     (json_int_t)dataset->train_count, "validation",
                     (json_int_t)dataset->validation_count, "test",
                     (json_int_t)dataset->test.count, "checksum",
                     (json_int_t)dataset->checksum);
}
