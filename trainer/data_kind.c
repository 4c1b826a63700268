#include "trainer/data_kind.h"

#include "common/text.h"
#include "trainer/data_cifar.h"
#include "trainer/data_csv.h"
#include "trainer/data_idx.h"
#include "trainer/data_npz.h"
#include "trainer/data_png.h"
#include "trainer/data_stamp.h"

#include <stdlib.h>
#include <string.h>

enum {
    SYNTHETIC_TRAINING = 60000, /* as many as MNIST has */
    SYNTHETIC_TEST = 10000,
    MNIST_SIDE = 28,
    MNIST_CLASSES = 10,
    SIDE_MOST = 4096
};

/* What is to be loaded. */
struct request {
    const json_t *data;
    const char *path; /* of the folder or file; NULL: none is needed */
    uint64_t seed;
};

/* ---- Loading ---- */

static int load_synthetic(const struct request *request, struct dataset *dataset,
                          struct failure *why)
{
    (void)why;
    data_synthetic_load(SYNTHETIC_TRAINING, SYNTHETIC_TEST, request->seed, dataset);
    return 0;
}

static int load_mnist(const struct request *request, struct dataset *dataset,
                      struct failure *why)
{
    if (data_idx_load(request->path, dataset, why) != 0)
        return -1;
    if (dataset->height != MNIST_SIDE || dataset->width != MNIST_SIDE ||
        dataset->classes != MNIST_CLASSES)
        return fail_input(why, "%s: %dx%d images of %d classes are not MNIST; name the folder "
                          "itself as the data set", request->path, dataset->height,
                          dataset->width, dataset->classes);
    return 0;
}

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
static int load_idx(const struct request *request, struct dataset *dataset, struct failure *why)
{
    const json_t *data = request->data;
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
    return data_idx_load_form(request->path, &form, dataset, why);
}

static int load_csv(const struct request *request, struct dataset *dataset, struct failure *why)
{
    int height = 0, width = 0;
    if (read_side(request->data, "height", &height, why) != 0 ||
        read_side(request->data, "width", &width, why) != 0)
        return -1;
    if ((height == 0) != (width == 0))
        return fail_at(why, height ? "data.width" : "data.height",
                       "data: height and width go together; say both");
    return data_csv_load(request->path, height, width, request->seed, dataset, why);
}

static int load_npz(const struct request *request, struct dataset *dataset, struct failure *why)
{
    return data_npz_load(request->path, dataset, why);
}

static int load_png(const struct request *request, struct dataset *dataset, struct failure *why)
{
    return data_png_load(request->path, dataset, why);
}

static int load_cifar(const struct request *request, struct dataset *dataset,
                      struct failure *why)
{
    return data_cifar_load(request->path, dataset, why);
}

/* ---- The files that are read ---- */

static void stamp_idx(const struct request *request, struct text *stamps)
{
    const char *split = json_string_value(json_object_get(request->data, "split"));
    data_idx_stamps(request->path, split, stamps);
}

static void stamp_file(const struct request *request, struct text *stamps)
{
    data_stamp_add(stamps, request->path, request->path);
}

static void stamp_png(const struct request *request, struct text *stamps)
{
    data_png_stamps(request->path, stamps);
}

static void stamp_cifar(const struct request *request, struct text *stamps)
{
    data_cifar_stamps(request->path, stamps);
}

/* ---- The kinds ---- */

static const struct kind {
    const char *name;
    int (*load)(const struct request *request, struct dataset *dataset, struct failure *why);
    void (*stamp)(const struct request *request, struct text *stamps); /* NULL: no files */
    bool seeded; /* which images there are depends on the seed, before any split */
} kinds[] = {
    {"mnist", load_mnist, stamp_idx, false},   {"synthetic", load_synthetic, NULL, true},
    {"idx", load_idx, stamp_idx, false},       {"csv", load_csv, stamp_file, true},
    {"npz", load_npz, stamp_file, false},      {"png", load_png, stamp_png, false},
    {"cifar10", load_cifar, stamp_cifar, false},
};

/* NULL when there is none of this name, which may be NULL. */
static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LENGTH(kinds); i++) {
        if (strcmp(name, kinds[i].name) == 0)
            return &kinds[i];
    }
    return NULL;
}

int data_kind_load(const json_t *data, uint64_t seed, struct dataset *dataset,
                   struct failure *why)
{
    const char *name = json_string_value(json_object_get(data, "dataset"));
    const char *folder = json_string_value(json_object_get(data, "folder"));
    const struct kind *kind = find_kind(name);
    const struct request request = {data, folder, seed};
    if (!name)
        return fail_at(why, "data.dataset", "data needs a dataset: mnist, "
                       "synthetic, idx, csv, npz, png or cifar10");
    if (!kind)
        return fail_at(why, "data.dataset", "there is no data set '%s'; there are mnist, "
                       "synthetic, idx, csv, npz, png and cifar10", name);
    if (kind->stamp && !folder)
        return fail_at(why, "data.folder", "data: '%s' needs the folder of its files", name);
    return kind->load(&request, dataset, why);
}

/* All settings but those that only choose among the images: a setting that is forgotten
 * here costs a second copy, never a wrong one.  NULL when the path cannot be written. */
static char *settings_text(const json_t *data, const struct kind *kind, const char *path)
{
    static const char *const of_the_split[] = {"train", "validation", "join_validation", "cache"};
    json_t *settings = json_copy((json_t *)data);
    for (size_t i = 0; i < ARRAY_LENGTH(of_the_split); i++)
        json_object_del(settings, of_the_split[i]);
    if (!kind->seeded)
        json_object_del(settings, "seed");
    bool written = !path || json_object_set_new(settings, "folder", json_string(path)) == 0;
    char *text = written ? json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(settings);
    return text;
}

char *data_kind_sources(const json_t *data)
{
    const char *folder = json_string_value(json_object_get(data, "folder"));
    const struct kind *kind = find_kind(json_string_value(json_object_get(data, "dataset")));
    if (!kind || (kind->stamp && !folder))
        return NULL;
    char *path = kind->stamp ? realpath(folder, NULL) : NULL;
    char *settings = path || !kind->stamp ? settings_text(data, kind, path) : NULL;
    const struct request request = {data, path, 0};
    struct text sources = TEXT_EMPTY;
    if (settings) {
        text_addf(&sources, "%s %s\n", kind->name, settings);
        if (kind->stamp)
            kind->stamp(&request, &sources);
    }
    bool told = settings != NULL;
    free(settings);
    free(path);
    return told ? text_take(&sources) : NULL;
}
