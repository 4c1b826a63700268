#include "trainer/data_idx.h"

#include "common/file.h"
#include "trainer/data_file.h"
#include "trainer/data_labels.h"
#include "trainer/data_stamp.h"

#include <stdlib.h>
#include <string.h>

const char data_idx_train_images[] = "train-images-idx3-ubyte";
const char data_idx_train_labels[] = "train-labels-idx1-ubyte";
const char data_idx_test_images[] = "t10k-images-idx3-ubyte";
const char data_idx_test_labels[] = "t10k-labels-idx1-ubyte";

enum { IDX_SIDE_MAX = 4096 }; /* pixels */

/* The path of a file of the folder, plain or else compressed; NULL when neither is there. */
static char *find_file(const char *folder, const char *name, struct failure *why)
{
    char *path = path_join(folder, name);
    if (file_exists(path))
        return path;
    char *compressed = xasprintf("%s.gz", path);
    if (!file_exists(compressed)) {
        fail_input(why, "%s: neither this file nor %s.gz is there; name a folder with the four "
                   "IDX files of a data set", path, name);
        free(compressed);
        compressed = NULL;
    }
    free(path);
    return compressed;
}

/* ---- Headers ---- */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

static int check_magic(const struct data_file *file, const uint8_t *magic, unsigned dimensions,
                       struct failure *why)
{
    if (magic[0] != 0 || magic[1] != 0)
        return fail_input(why, "%s: this is no IDX file: it begins with %02x %02x %02x %02x, "
                          "not 00 00 08 %02x", file->path, magic[0], magic[1], magic[2], magic[3],
                          dimensions);
    if (magic[2] != IDX_TYPE_BYTE)
        return fail_input(why, "%s: values of IDX type %02x; only unsigned bytes (08) are read, "
                          "so convert the file", file->path, magic[2]);
    if (magic[3] != dimensions)
        return fail_input(why, "%s: %d dimensions where %s have %u; are images and labels mixed "
                          "up?", file->path, magic[3], dimensions == 1 ? "labels" : "images",
                          dimensions);
    return 0;
}

/* Reads the header; `sizes` gets one size per dimension.  What the sizes promise is
 * checked against the file's own size before anyone asks for that much memory. */
static int read_header(struct data_file *file, unsigned dimensions, uint32_t *sizes,
                       struct failure *why)
{
    uint8_t header[IDX_HEADER_MAX];
    if (data_file_take(file, header, 4, why) != 0 ||
        check_magic(file, header, dimensions, why) != 0 ||
        data_file_take(file, header + 4, 4 * (size_t)dimensions, why) != 0)
        return -1;

    size_t bytes = 1;
    for (unsigned i = 0; i < dimensions; i++) {
        sizes[i] = big_endian(header + 4 + 4 * i);
        if (sizes[i] == 0)
            return fail_input(why, "%s: there is nothing in it: dimension %u has size 0",
                              file->path, i + 1);
        if (i > 0 && sizes[i] > IDX_SIDE_MAX)
            return fail_input(why, "%s: images with a side of %u pixels; the most is %d",
                              file->path, sizes[i], IDX_SIDE_MAX);
        bytes *= sizes[i];
    }
    if (bytes > data_file_most(file))
        return fail_input(why, "%s: the file is truncated: its header promises %zu bytes, more "
                          "than %zu bytes of file can hold; fetch it again",
                          file->path, bytes, file->size);
    return 0;
}

/* ---- Images and labels ---- */

static int read_images(char *path, struct image_set *set, int *height, int *width,
                       struct failure *why)
{
    struct data_file file;
    uint32_t sizes[3];
    int result = -1;
    if (data_file_open(&file, path, why) != 0 || read_header(&file, 3, sizes, why) != 0)
        goto done;
    *height = (int)sizes[1];
    *width = (int)sizes[2];
    set->count = sizes[0];
    size_t size = set->count * sizes[1] * sizes[2];
    set->pixels = data_file_take_last(&file, size, why);
    if (set->pixels)
        result = data_file_finish(&file, why);
done:
    data_file_close(&file);
    return result;
}

int data_idx_read_images(const char *path, struct image_set *set, int *height, int *width,
                         struct failure *why)
{
    return read_images(xstrdup(path), set, height, width, why);
}

/* The bytes of the file, widened. */
static int take_labels(struct data_file *file, struct image_set *set, struct failure *why)
{
    uint8_t *bytes = xmalloc(set->count);
    int result = data_file_take(file, bytes, set->count, why);
    set->labels = xreallocarray(NULL, set->count, sizeof *set->labels);
    for (size_t i = 0; i < set->count && result == 0; i++)
        set->labels[i] = bytes[i];
    free(bytes);
    return result;
}

static int load_labels(const char *folder, const char *name, struct dataset *dataset,
                       struct image_set *set, struct failure *why)
{
    struct data_file file;
    uint32_t count = 0;
    int result = -1;
    if (data_file_open(&file, find_file(folder, name, why), why) != 0 ||
        read_header(&file, 1, &count, why) != 0)
        goto done;
    if (count != set->count) {
        fail_input(why, "%s: %u labels, but there are %zu images; the files do not belong "
                   "together", file.path, count, set->count);
        goto done;
    }
    if (take_labels(&file, set, why) != 0 || data_file_finish(&file, why) != 0)
        goto done;
    result = data_labels_check(file.path, set, &dataset->classes, why);
done:
    data_file_close(&file);
    return result;
}

static int load_set(const char *folder, const char *images, const char *labels,
                    struct dataset *dataset, struct image_set *set, struct failure *why)
{
    int height = 0, width = 0;
    if (read_images(find_file(folder, images, why), set, &height, &width, why) != 0)
        return -1;
    if (dataset->height == 0) {
        dataset->height = height;
        dataset->width = width;
        dataset->channels = 1;
    }
    if (dataset->height != height || dataset->width != width)
        return fail_input(why, "%s: %s has images of %dx%d pixels, but the training images have "
                          "%dx%d", folder, images, height, width, dataset->height,
                          dataset->width);
    return load_labels(folder, labels, dataset, set, why);
}

/* ---- Forms ---- */

static void transpose_set(struct image_set *set, size_t height, size_t width)
{
    uint8_t *turned = xreallocarray(NULL, height, width);
    for (size_t i = 0; i < set->count; i++) {
        uint8_t *image = set->pixels + i * height * width;
        for (size_t y = 0; y < height; y++) {
            for (size_t x = 0; x < width; x++)
                turned[x * height + y] = image[y * width + x];
        }
        memcpy(image, turned, height * width);
    }
    free(turned);
}

static int shift_labels(const char *folder, struct image_set *set, int first,
                        struct failure *why)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->labels[i] < first)
            return fail_input(why, "%s: label %d of image %zu is out of range: the first label is "
                              "%d; set data.first_label to the lowest", folder, set->labels[i],
                              i, first);
        set->labels[i] = (uint16_t)(set->labels[i] - first);
    }
    return 0;
}

static int apply_form(const char *folder, const struct idx_form *form, struct dataset *dataset,
                      struct failure *why)
{
    size_t height = (size_t)dataset->height, width = (size_t)dataset->width;
    if (shift_labels(folder, &dataset->training, form->first_label, why) != 0 ||
        shift_labels(folder, &dataset->test, form->first_label, why) != 0)
        return -1;
    dataset->classes -= form->first_label;
    dataset->classes = dataset->classes < 2 ? 2 : dataset->classes;
    if (form->transpose) {
        transpose_set(&dataset->training, height, width);
        transpose_set(&dataset->test, height, width);
        dataset->height = (int)width;
        dataset->width = (int)height;
    }
    return 0;
}

/* EMNIST calls its test files so. */
static char *name_in(const struct idx_form *form, const char *name)
{
    if (!form->split)
        return xstrdup(name);
    bool test = strncmp(name, "t10k", 4) == 0;
    return xasprintf("emnist-%s-%s%s", form->split, test ? "test" : "train", strchr(name, '-'));
}

static int load_named(const char *folder, const struct idx_form *form, bool test,
                      struct dataset *dataset, struct failure *why)
{
    char *images = name_in(form, test ? data_idx_test_images : data_idx_train_images);
    char *labels = name_in(form, test ? data_idx_test_labels : data_idx_train_labels);
    int result = load_set(folder, images, labels, dataset,
                          test ? &dataset->test : &dataset->training, why);
    free(labels);
    free(images);
    return result;
}

int data_idx_load_form(const char *folder, const struct idx_form *form, struct dataset *dataset,
                       struct failure *why)
{
    if (load_named(folder, form, false, dataset, why) != 0 ||
        load_named(folder, form, true, dataset, why) != 0)
        return -1;
    return apply_form(folder, form, dataset, why);
}

int data_idx_load(const char *folder, struct dataset *dataset, struct failure *why)
{
    const struct idx_form form = {NULL, false, 0};
    return data_idx_load_form(folder, &form, dataset, why);
}

void data_idx_stamps(const char *folder, const char *split, struct text *stamps)
{
    static const char *const names[] = {data_idx_train_images, data_idx_train_labels,
                                        data_idx_test_images, data_idx_test_labels};
    const struct idx_form form = {.split = split};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *plain = name_in(&form, names[i]);
        char *compressed = xasprintf("%s.gz", plain);
        data_stamp_add(stamps, folder, plain);
        data_stamp_add(stamps, folder, compressed);
        free(compressed);
        free(plain);
    }
}
