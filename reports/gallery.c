#include "reports/gallery.h"

#include "reports/picture.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    COLUMNS = 32,
    SAMPLES_OF_CLASS = 3,
    MISTAKES_SHOWN = 60,
    MISTAKE_COLUMNS = 10,
    MISTAKE_SIDE = 112,  /* to which a small image is enlarged */
    MARGIN = 12,
    CAPTION = 44         /* two lines below an image */
};

static const struct colour ink = {29, 33, 38}, bad = {178, 58, 10}, soft = {93, 102, 112};

/* ---- which images ---- */

size_t *gallery_mistakes(const struct report_data *data, size_t *count)
{
    const struct report_images *images = &data->images;
    size_t *indices = xcalloc(images->count, sizeof *indices);
    *count = 0;
    for (size_t i = 0; i < images->count; i++)
        if (report_is_mistake(data, &images->at[images->surest[i]]))
            indices[(*count)++] = images->surest[i];
    return indices;
}

size_t *gallery_samples(const struct report_data *data, size_t *count)
{
    const struct report_images *images = &data->images;
    size_t *indices = xcalloc(images->count, sizeof *indices);
    *count = 0;
    for (int label = 0; label < data->classes; label++) {
        int found = 0;
        for (size_t i = 0; i < images->count && found < SAMPLES_OF_CLASS; i++)
            if (data->predictions.labels[images->at[i].prediction] == label &&
                !report_is_mistake(data, &images->at[i])) {
                indices[(*count)++] = i;
                found++;
            }
    }
    return indices;
}

/* ---- pictures of many ---- */

int gallery_columns(size_t count)
{
    return count < COLUMNS ? (int)count : COLUMNS;
}

static struct picture picture_of(const struct report_images *images, size_t index)
{
    return (struct picture){images->width, images->height, images->channels,
                            images->at[index].pixels};
}

uint8_t *gallery_sprite(const struct report_data *data, size_t *size)
{
    const struct report_images *images = &data->images;
    struct picture sprite;
    if (images->count == 0)
        return NULL;
    int columns = gallery_columns(images->count);
    int rows = ((int)images->count + columns - 1) / columns;
    picture_init(&sprite, columns * images->width, rows * images->height, images->channels, 0);
    for (size_t i = 0; i < images->count; i++) {
        const struct picture image = picture_of(images, i);
        picture_put(&sprite, (int)i % columns * images->width, (int)i / columns * images->height,
                    &image, 1);
    }
    uint8_t *bytes = picture_png(&sprite, size);
    picture_release(&sprite);
    return bytes;
}

/* ---- mistakes.png ---- */

static void write_middle(struct picture *picture, int x, int y, int width, struct colour colour,
                         const char *text)
{
    int scale = picture_text_width(text, 2) <= width + MARGIN ? 2 : 1;
    picture_write(picture, x + (width - picture_text_width(text, scale)) / 2, y, scale, colour,
                  text);
}

static void put_mistake(struct picture *picture, const struct report_data *data, size_t index,
                        int x, int y, int scale)
{
    const struct report_images *images = &data->images;
    const struct picture image = picture_of(images, index);
    size_t prediction = images->at[index].prediction;
    int width = images->width * scale, below = y + images->height * scale + 8;
    char share[16];
    char *names = xasprintf("%s > %s", data->class_names[data->predictions.labels[prediction]],
                            data->class_names[data->predictions.predicted[prediction]]);
    snprintf(share, sizeof share, "%.1f%%", 100.0 * report_confidence(data, prediction));
    picture_put(picture, x, y, &image, scale);
    write_middle(picture, x, below, width, bad, names);
    write_middle(picture, x, below + 18, width, soft, share);
    free(names);
}

static void nothing_to_show(struct picture *picture)
{
    static const char text[] = "no mistakes stored";
    picture_init(picture, picture_text_width(text, 2) + 4 * MARGIN, 14 + 4 * MARGIN, 3, 255);
    picture_write(picture, 2 * MARGIN, 2 * MARGIN, 2, ink, text);
}

static void draw_mistakes(struct picture *picture, const struct report_data *data,
                          const size_t *mistakes, int count)
{
    const struct report_images *images = &data->images;
    int side = images->width > images->height ? images->width : images->height;
    int scale = side < MISTAKE_SIDE ? MISTAKE_SIDE / side : 1;
    int columns = count < MISTAKE_COLUMNS ? count : MISTAKE_COLUMNS;
    int rows = (count + columns - 1) / columns;
    int across = images->width * scale + MARGIN;
    int down = images->height * scale + CAPTION + MARGIN;
    picture_init(picture, MARGIN + columns * across, MARGIN + rows * down, 3, 255);
    for (int i = 0; i < count; i++)
        put_mistake(picture, data, mistakes[i], MARGIN + i % columns * across,
                    MARGIN + i / columns * down, scale);
}

void gallery_mistakes_png(struct text *bytes, const struct report_data *data)
{
    size_t count, size, *mistakes = gallery_mistakes(data, &count);
    struct picture picture;
    if (count == 0)
        nothing_to_show(&picture);
    else
        draw_mistakes(&picture, data, mistakes,
                      count < MISTAKES_SHOWN ? (int)count : MISTAKES_SHOWN);
    uint8_t *png = picture_png(&picture, &size);
    text_add_bytes(bytes, (const char *)png, size);
    free(png);
    free(mistakes);
    picture_release(&picture);
}
