#include "reports/report_read.h"

#include <stdlib.h>
#include <string.h>

/* A trainer of another hand may have stored any number.  Ours stores fewer of large images; with
 * BYTES_MOST of pixels in it a page can still be shown. */
enum { IMAGES_MOST = 1500, SIDE_MOST = 512, BYTES_MOST = 16 << 20 };

static int dataset_number(const struct report_data *data, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(data->dataset, name));
    return value > 0 && value <= SIDE_MOST ? (int)value : 0;
}

static unsigned digit_value(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a') + 10;
}

/* The bytes of a blob, which rows have as hexadecimal digits; NULL unless there are `size`. */
static uint8_t *blob_bytes(const json_t *row, const char *column, size_t size)
{
    const char *digits = json_string_value(json_object_get(row, column));
    if (!digits || strlen(digits) != 2 * size)
        return NULL;
    uint8_t *bytes = xmalloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(digit_value(digits[2 * i]) << 4 | digit_value(digits[2 * i + 1]));
    return bytes;
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static size_t image_size(const struct report_images *images)
{
    return (size_t)images->height * (size_t)images->width * (size_t)images->channels;
}

static void take_image(struct report_data *data, const json_t *row)
{
    const struct report_predictions *all = &data->predictions;
    struct report_images *images = &data->images;
    size_t size = image_size(images);
    int64_t number = json_integer_value(json_object_get(row, "image"));
    const int64_t *found = bsearch(&number, all->images, all->count, sizeof number, by_number);
    uint8_t *pixels = found ? blob_bytes(row, "pixels", size) : NULL;
    if (pixels)
        images->at[images->count++] = (struct report_image){
            .prediction = (size_t)(found - all->images), .pixels = pixels};
}

struct sure {
    double confidence;
    size_t index;
};

/* Of equals, the first image. */
static int surest_first(const void *left, const void *right)
{
    const struct sure *a = left, *b = right;
    if (a->confidence != b->confidence)
        return a->confidence < b->confidence ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void sort_images(struct report_data *data)
{
    struct report_images *images = &data->images;
    struct sure *order = xcalloc(images->count, sizeof *order);
    for (size_t i = 0; i < images->count; i++)
        order[i] = (struct sure){report_confidence(data, images->at[i].prediction), i};
    qsort(order, images->count, sizeof *order, surest_first);
    images->surest = xcalloc(images->count, sizeof *images->surest);
    for (size_t i = 0; i < images->count; i++)
        images->surest[i] = order[i].index;
    free(order);
}

int report_read_images(struct store *store, struct report_data *data, struct failure *why)
{
    struct report_images *images = &data->images;
    images->height = dataset_number(data, "height");
    images->width = dataset_number(data, "width");
    images->channels = dataset_number(data, "channels");
    if (images->height == 0 || images->width == 0 ||
        (images->channels != 1 && images->channels != 3))
        return 0;
    size_t fit = BYTES_MOST / image_size(images);
    json_t *arguments = json_pack("[s, i]", data->name, fit < IMAGES_MOST ? (int)fit : IMAGES_MOST);
    json_t *rows = store_rows(store,
                              "SELECT image, pixels FROM (SELECT i.image, i.pixels FROM images i "
                              "JOIN predictions p ON p.study = i.study AND p.image = i.image "
                              "WHERE i.study = ?1 ORDER BY p.correct, p.probability DESC, i.image "
                              "LIMIT ?2) ORDER BY image", arguments, why);
    size_t index;
    json_t *row;
    json_decref(arguments);
    if (!rows)
        return -1;
    images->at = xcalloc(json_array_size(rows), sizeof *images->at);
    json_array_foreach(rows, index, row)
        take_image(data, row);
    sort_images(data);
    json_decref(rows);
    return 0;
}
