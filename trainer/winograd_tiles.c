#include "trainer/winograd_parts.h"

#include <string.h>

/* ---- images with their padding ---- */

/* A row of pixels, where those of the image and those in it with their padding lie `from` and
 * `to` floats apart. */
static void copy_row(const struct winograd *winograd, const float *from, size_t from_pixel,
                     float *to, size_t to_pixel)
{
    size_t pixels = winograd->window.input_width, channels = winograd->window.channels;
    if (from_pixel == to_pixel) {
        memcpy(to, from, pixels * channels * sizeof *to);
        return;
    }
    for (size_t x = 0; x < pixels; x++)
        memcpy(to + x * to_pixel, from + x * from_pixel, channels * sizeof *to);
}

/* Of an image's first pixel behind its padding. */
static size_t first_pixel(const struct winograd *winograd)
{
    return winograd->window.top * winograd->image_row +
           winograd->window.left * winograd->image_pixel;
}

/* All of an image is under tiles, since windows with a stride of 1 leave nothing out.  It is put
 * in the middle of zeros, which tiles hang over its edges into and which are there already. */
static void pad_image(const struct winograd *winograd, const float *image, float *padded)
{
    const struct window *window = &winograd->window;
    size_t row = window->input_width * window->channels;
    padded += first_pixel(winograd);
    for (size_t y = 0; y < window->input_height; y++)
        copy_row(winograd, image + y * row, window->channels, padded + y * winograd->image_row,
                 winograd->image_pixel);
}

/* The other way round. */
static void crop_image(const struct winograd *winograd, const float *padded, float *image)
{
    const struct window *window = &winograd->window;
    size_t row = window->input_width * window->channels;
    padded += first_pixel(winograd);
    for (size_t y = 0; y < window->input_height; y++)
        copy_row(winograd, padded + y * winograd->image_row, winograd->image_pixel,
                 image + y * row, window->channels);
}

/* ---- blocks of tiles ---- */

struct block winograd_block(const struct winograd *winograd, size_t first, size_t images)
{
    return (struct block){first, least(winograd->tiles, images * winograd->image_tiles - first)};
}

/* Where a tile is: in which image, and which of its outputs is the first. */
struct place {
    size_t image, row, column;
    bool begins, ends; /* its image */
};

static struct place place_of(const struct winograd *winograd, size_t tile)
{
    size_t tiles = winograd->image_tiles, within = tile % tiles;
    return (struct place){
        .image = tile / tiles,
        .row = within / winograd->tile_columns * WINOGRAD_OUTPUTS,
        .column = within % winograd->tile_columns * WINOGRAD_OUTPUTS,
        .begins = within == 0,
        .ends = within == tiles - 1,
    };
}

/* Of the tile in its padded image. */
static size_t tile_offset(const struct winograd *winograd, const struct place *place)
{
    return place->row * winograd->image_row + place->column * winograd->image_pixel;
}

static struct winograd_pixels image_pixels(const struct winograd *winograd)
{
    return (struct winograd_pixels){.row = winograd->image_row, .pixel = winograd->image_pixel};
}

/* Of the tile in the outputs, and where they begin. */
static struct winograd_pixels output_pixels(const struct winograd *winograd,
                                            const struct place *place, size_t *offset)
{
    const struct window *window = &winograd->window;
    struct winograd_pixels pixels = {
        .row = window->output_width * winograd->filters,
        .pixel = winograd->filters,
        .rows = least(WINOGRAD_OUTPUTS, window->output_height - place->row),
        .columns = least(WINOGRAD_OUTPUTS, window->output_width - place->column),
    };
    *offset = (place->image * window->output_height + place->row) * pixels.row +
              place->column * pixels.pixel;
    return pixels;
}

static size_t input_size(const struct winograd *winograd)
{
    const struct window *window = &winograd->window;
    return window->input_height * window->input_width * window->channels;
}

void winograd_images(const struct winograd *winograd, const struct block *block,
                     const float *images, float *padded, float *values)
{
    size_t channels = winograd->window.channels, step = winograd_tiles_step(winograd, channels);
    struct winograd_pixels pixels = image_pixels(winograd);
    for (size_t t = 0; t < block->count; t++) {
        struct place place = place_of(winograd, block->first + t);
        if (place.begins)
            pad_image(winograd, images + place.image * input_size(winograd), padded);
        winograd->transforms->image(&pixels, padded + tile_offset(winograd, &place), channels,
                                    values + t * channels, step);
    }
}

void winograd_outputs(const struct winograd *winograd, const struct block *block,
                      const float *products, const float *bias, bool relu, float *outputs)
{
    size_t step = winograd_tiles_step(winograd, winograd->filters), offset;
    for (size_t t = 0; t < block->count; t++) {
        struct place place = place_of(winograd, block->first + t);
        struct winograd_pixels pixels = output_pixels(winograd, &place, &offset);
        winograd->transforms->output(&pixels, products + t * winograd->filters, step,
                                     winograd->filters, bias, relu, outputs + offset);
    }
}

void winograd_output_gradients(const struct winograd *winograd, const struct block *block,
                               const float *gradients, float *slopes)
{
    size_t step = winograd_tiles_step(winograd, winograd->filters), offset;
    for (size_t t = 0; t < block->count; t++) {
        struct place place = place_of(winograd, block->first + t);
        struct winograd_pixels pixels = output_pixels(winograd, &place, &offset);
        winograd->transforms->output_gradient(&pixels, gradients + offset, winograd->filters,
                                              slopes + t * winograd->filters, step);
    }
}

void winograd_input_gradients(const struct winograd *winograd, const struct block *block,
                              const float *products, float *padded, float *gradients)
{
    size_t channels = winograd->window.channels, step = winograd_tiles_step(winograd, channels);
    struct winograd_pixels pixels = image_pixels(winograd);
    for (size_t t = 0; t < block->count; t++) {
        struct place place = place_of(winograd, block->first + t);
        if (place.begins)
            memset(padded, 0, winograd->image_size * sizeof *padded);
        winograd->transforms->image_gradient(&pixels, products + t * channels, step, channels,
                                             padded + tile_offset(winograd, &place));
        if (place.ends)
            crop_image(winograd, padded, gradients + place.image * input_size(winograd));
    }
}

struct stretch winograd_outputs_of(const struct winograd *winograd, const struct block *block,
                                   const float *outputs)
{
    struct place first = place_of(winograd, block->first);
    struct place last = place_of(winograd, block->first + block->count - 1);
    size_t row = winograd->window.output_width * winograd->filters;
    size_t height = winograd->window.output_height;
    size_t begin = (first.image * height + first.row) * row;
    size_t end = (last.image * height + least(last.row + WINOGRAD_OUTPUTS, height)) * row;
    return (struct stretch){outputs + begin, end - begin};
}
