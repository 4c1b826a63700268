/* A picture of pixels, and how it becomes a PNG file. */
#ifndef REPORTS_PICTURE_H
#define REPORTS_PICTURE_H

#include <stddef.h>
#include <stdint.h>

struct picture {
    int width, height, channels; /* channels: 1 (grey) or 3 (red, green, blue) */
    uint8_t *pixels;             /* [height][width][channels] */
};

struct colour {
    uint8_t red, green, blue;
};

/* All of one grey. */
void picture_init(struct picture *picture, int width, int height, int channels, uint8_t grey);
void picture_release(struct picture *picture);

/* Puts an image into the picture with its top left corner at (x, y), each of its pixels as a
 * square of `scale`; grey ones go into coloured pictures too.  It must lie inside. */
void picture_put(struct picture *picture, int x, int y, const struct picture *image, int scale);

/* Writes digits, letters and a few signs (others are left out as spaces) in a letter of 5 x 7
 * pixels, each a square of `scale`, with the top left corner at (x, y); what lies outside
 * is cut off.  Into coloured pictures only. */
void picture_write(struct picture *picture, int x, int y, int scale, struct colour colour,
                   const char *text);
/* How wide that is. */
int picture_text_width(const char *text, int scale);

/* The file, *size bytes; the caller frees it.  The same picture gives the same bytes. */
uint8_t *picture_png(const struct picture *picture, size_t *size);

#endif
