#include "trainer/data_png.h"

#include "common/file.h"
#include "trainer/data_labels.h"
#include "trainer/data_stamp.h"

#include <dirent.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIDE_MOST = 4096, FILE_MOST = 1 << 28 };

/* ---- One file ---- */

bool data_png_is(const char *path)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uint8_t bytes[sizeof signature];
    FILE *file = folder_exists(path) ? NULL : fopen(path, "rbe");
    if (!file)
        return false;
    bool is = fread(bytes, sizeof bytes, 1, file) == 1 &&
              memcmp(bytes, signature, sizeof bytes) == 0;
    fclose(file);
    return is;
}

/* Decodes what `image` was begun with. */
static int decode(png_image *image, const char *path, uint8_t behind, int *channels,
                  uint8_t **pixels, struct failure *why)
{
    const png_color background = {behind, behind, behind};
    if (image->width > SIDE_MOST || image->height > SIDE_MOST)
        return fail_input(why, "%s: %ux%u pixels; the most are %d to a side", path, image->height,
                          image->width, SIDE_MOST);
    if (*channels == 0)
        *channels = image->format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
    image->format = *channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    /* Sixteen bits are another depth and not, as libpng would have it, linear light: a file that
     * does not say so is as its eight bits would be. */
    image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    *pixels = xmalloc(PNG_IMAGE_SIZE(*image));
    if (!png_image_finish_read(image, &background, *pixels, 0, NULL)) {
        free(*pixels);
        *pixels = NULL;
        return fail_input(why, "%s: the PNG file is damaged (%s); save it again", path,
                          image->message);
    }
    return 0;
}

int data_png_read(const char *path, uint8_t behind, int *channels, uint8_t **pixels, int *height,
                  int *width, struct failure *why)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    char *bytes = NULL;
    size_t size = 0;
    int result = file_read(path, FILE_MOST, &bytes, &size, why);
    if (result == 0 && !png_image_begin_read_from_memory(&image, bytes, size))
        result = fail_input(why, "%s: this is no PNG file, or it is damaged (%s); save it as PNG",
                            path, image.message);
    if (result == 0)
        result = decode(&image, path, behind, channels, pixels, why);
    *height = (int)image.height;
    *width = (int)image.width;
    png_image_free(&image);
    free(bytes);
    return result;
}

/* ---- Names in a folder ---- */

struct names {
    char **at;
    size_t count, capacity;
};

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
}

/* The names that do not begin with a dot, in order. */
static int names_list(const char *folder, struct names *names, struct failure *why)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    *names = (struct names){0};
    if (!stream)
        return fail_input(why, "%s: %s; lay images out as train/CLASS/NAME.png and "
                          "test/CLASS/NAME.png", folder, strerror(errno));
    while ((entry = readdir(stream))) {
        if (entry->d_name[0] == '.')
            continue;
        if (names->count == names->capacity) {
            names->capacity = names->capacity * 2 + 64;
            names->at = xreallocarray(names->at, names->capacity, sizeof *names->at);
        }
        names->at[names->count++] = xstrdup(entry->d_name);
    }
    closedir(stream);
    if (names->count > 0)
        qsort(names->at, names->count, sizeof *names->at, by_bytes);
    return 0;
}

/* ---- A data set ---- */

/* The images of a set while it grows. */
struct growing {
    struct dataset *dataset;
    struct image_set *set;
    size_t capacity;
};

static void make_room(struct growing *growing, size_t size)
{
    struct image_set *set = growing->set;
    if (set->count < growing->capacity)
        return;
    growing->capacity = growing->capacity * 2 + 256;
    set->pixels = xreallocarray(set->pixels, growing->capacity, size);
    set->labels = xreallocarray(set->labels, growing->capacity, sizeof *set->labels);
}

static int add_image(struct growing *growing, const char *path, size_t class,
                     struct failure *why)
{
    struct dataset *dataset = growing->dataset;
    uint8_t *pixels = NULL;
    int channels = 0, height = 0, width = 0;
    if (data_png_read(path, 0, &channels, &pixels, &height, &width, why) != 0)
        return -1;
    if (dataset->height == 0) {
        dataset->height = height;
        dataset->width = width;
        dataset->channels = channels;
    }
    if (height != dataset->height || width != dataset->width || channels != dataset->channels) {
        free(pixels);
        return fail_input(why, "%s: a%s image of %dx%d pixels, but the first one is%s and has "
                          "%dx%d; bring all to one size and kind", path,
                          channels == 1 ? " grey" : " coloured", height, width,
                          dataset->channels == 1 ? " grey" : " coloured", dataset->height,
                          dataset->width);
    }
    size_t size = (size_t)height * (size_t)width * (size_t)channels;
    make_room(growing, size);
    memcpy(growing->set->pixels + growing->set->count * size, pixels, size);
    growing->set->labels[growing->set->count++] = (uint16_t)class;
    free(pixels);
    return 0;
}

static bool is_image(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcasecmp(name + length - 4, ".png") == 0;
}

static int load_class(struct growing *growing, const char *folder, size_t class,
                      struct failure *why)
{
    struct names names;
    size_t before = growing->set->count;
    int result = names_list(folder, &names, why);
    for (size_t i = 0; i < names.count && result == 0; i++) {
        char *path = path_join(folder, names.at[i]);
        if (is_image(names.at[i]))
            result = add_image(growing, path, class, why);
        free(path);
    }
    if (result == 0 && growing->set->count == before)
        result = fail_input(why, "%s: no image NAME.png in this class; put some there or remove "
                            "the folder", folder);
    names_free(&names);
    return result;
}

/* Loads the classes that `folder` has; each must be among `classes`. */
static int load_set(struct growing *growing, const char *folder, const struct names *classes,
                    struct failure *why)
{
    struct names own;
    int result = names_list(folder, &own, why);
    for (size_t i = 0; i < own.count && result == 0; i++) {
        char **found =
            bsearch(&own.at[i], classes->at, classes->count, sizeof *classes->at, by_bytes);
        char *path = path_join(folder, own.at[i]);
        result = found ? load_class(growing, path, (size_t)(found - classes->at), why)
                       : fail_input(why, "%s: there is no such class in `train`; give it images "
                                    "there or remove it", path);
        free(path);
    }
    if (result == 0 && growing->set->count == 0)
        result = fail_input(why, "%s: there are no classes in it; lay images out as "
                            "CLASS/NAME.png", folder);
    names_free(&own);
    return result;
}

static int check_classes(const char *folder, const struct names *classes, struct failure *why)
{
    if (classes->count > DATA_CLASSES_MOST)
        return fail_input(why, "%s: %zu classes; the most are %d", folder, classes->count,
                          DATA_CLASSES_MOST);
    return 0;
}

int data_png_load(const char *folder, struct dataset *dataset, struct failure *why)
{
    char *train = path_join(folder, "train"), *test = path_join(folder, "test");
    struct growing training = {dataset, &dataset->training, 0};
    struct growing testing = {dataset, &dataset->test, 0};
    struct names classes;
    int result = names_list(train, &classes, why);
    if (result == 0)
        result = check_classes(train, &classes, why);
    if (result == 0)
        result = load_set(&training, train, &classes, why);
    if (result == 0)
        result = load_set(&testing, test, &classes, why);
    dataset->classes = classes.count < 2 ? 2 : (int)classes.count;
    names_free(&classes);
    free(test);
    free(train);
    return result;
}

/* ---- What it is made of ---- */

/* A folder that cannot be listed is left to the loading, which says why. */
static void stamp_class(const char *folder, const char *class, struct text *stamps)
{
    struct names names;
    char *path = path_join(folder, class);
    names_list(path, &names, NULL);
    text_addf(stamps, "%s\n", class);
    for (size_t i = 0; i < names.count; i++) {
        if (is_image(names.at[i]))
            data_stamp_add(stamps, path, names.at[i]);
    }
    names_free(&names);
    free(path);
}

void data_png_stamps(const char *folder, struct text *stamps)
{
    static const char *const sets[] = {"train", "test"};
    for (size_t s = 0; s < ARRAY_LENGTH(sets); s++) {
        struct names classes;
        char *path = path_join(folder, sets[s]);
        names_list(path, &classes, NULL);
        text_addf(stamps, "%s\n", sets[s]);
        for (size_t i = 0; i < classes.count; i++)
            stamp_class(path, classes.at[i], stamps);
        names_free(&classes);
        free(path);
    }
}
