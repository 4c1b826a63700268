#include "reports/picture.h"

#include "common/base.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { LETTER_WIDTH = 5, LETTER_HEIGHT = 7, LETTER_STEP = 6 };

/* Rows from top to bottom, the leftmost pixel in bit 4. */
static const struct letter {
    char character;
    uint8_t rows[LETTER_HEIGHT];
} letters[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},
    {'2', {14, 17, 1, 2, 4, 8, 31}},     {'3', {31, 2, 4, 2, 1, 17, 14}},
    {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},
    {'8', {14, 17, 17, 14, 17, 17, 14}}, {'9', {14, 17, 17, 15, 1, 2, 12}},
    {'>', {0, 4, 2, 31, 2, 4, 0}},       {'%', {24, 25, 2, 4, 8, 19, 3}},
    {'.', {0, 0, 0, 0, 0, 12, 12}},      {'-', {0, 0, 0, 31, 0, 0, 0}},
    {'a', {0, 0, 14, 1, 15, 17, 15}},    {'d', {1, 1, 13, 19, 17, 17, 15}},
    {'e', {0, 0, 14, 17, 31, 16, 14}},   {'h', {16, 16, 22, 25, 17, 17, 17}},
    {'i', {4, 0, 12, 4, 4, 4, 14}},      {'k', {16, 16, 18, 20, 24, 20, 18}},
    {'m', {0, 0, 26, 21, 21, 17, 17}},   {'n', {0, 0, 22, 25, 17, 17, 17}},
    {'o', {0, 0, 14, 17, 17, 17, 14}},   {'r', {0, 0, 22, 25, 16, 16, 16}},
    {'s', {0, 0, 14, 16, 14, 1, 30}},    {'t', {8, 8, 28, 8, 8, 9, 6}},
};

void picture_init(struct picture *picture, int width, int height, int channels, uint8_t grey)
{
    size_t size = (size_t)width * (size_t)height * (size_t)channels;
    *picture = (struct picture){width, height, channels, xmalloc(size)};
    memset(picture->pixels, grey, size);
}

void picture_release(struct picture *picture)
{
    free(picture->pixels);
    picture->pixels = NULL;
}

static uint8_t *pixel_at(const struct picture *picture, int x, int y)
{
    size_t pixel = (size_t)y * (size_t)picture->width + (size_t)x;
    return picture->pixels + pixel * (size_t)picture->channels;
}

void picture_put(struct picture *picture, int x, int y, const struct picture *image, int scale)
{
    for (int row = 0; row < image->height * scale; row++)
        for (int column = 0; column < image->width * scale; column++) {
            const uint8_t *from = pixel_at(image, column / scale, row / scale);
            uint8_t *to = pixel_at(picture, x + column, y + row);
            for (int c = 0; c < picture->channels; c++)
                to[c] = from[c < image->channels ? c : 0];
        }
}

static const struct letter *find_letter(char character)
{
    for (size_t i = 0; i < ARRAY_LENGTH(letters); i++)
        if (letters[i].character == character)
            return &letters[i];
    return NULL;
}

static void dot(struct picture *picture, int x, int y, int scale, struct colour colour)
{
    for (int row = y; row < y + scale; row++)
        for (int column = x; column < x + scale; column++) {
            if (row < 0 || row >= picture->height || column < 0 || column >= picture->width)
                continue;
            uint8_t *pixel = pixel_at(picture, column, row);
            pixel[0] = colour.red;
            pixel[1] = colour.green;
            pixel[2] = colour.blue;
        }
}

void picture_write(struct picture *picture, int x, int y, int scale, struct colour colour,
                   const char *text)
{
    for (; *text; text++, x += LETTER_STEP * scale) {
        const struct letter *letter = find_letter(*text);
        for (int row = 0; letter && row < LETTER_HEIGHT; row++)
            for (int column = 0; column < LETTER_WIDTH; column++)
                if (letter->rows[row] >> (LETTER_WIDTH - 1 - column) & 1)
                    dot(picture, x + column * scale, y + row * scale, scale, colour);
    }
}

int picture_text_width(const char *text, int scale)
{
    return ((int)strlen(text) * LETTER_STEP - 1) * scale;
}

uint8_t *picture_png(const struct picture *picture, size_t *size)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)picture->width,
        .height = (png_uint_32)picture->height,
        .format = picture->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY,
    };
    png_alloc_size_t length = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *bytes = xmalloc(length);
    /* Nothing but memory can be missing, and there is enough of that. */
    if (!png_image_write_to_memory(&image, bytes, &length, 0, picture->pixels, 0, NULL))
        length = 0;
    *size = length;
    return bytes;
}
