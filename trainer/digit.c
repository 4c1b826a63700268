#include "trainer/digit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INK = 32 }; /* of 255 above the background: what counts as drawn */

bool digit_is_blank(const uint8_t *pixels, size_t count)
{
    uint8_t darkest = UINT8_MAX, lightest = 0;
    for (size_t i = 0; i < count; i++) {
        darkest = pixels[i] < darkest ? pixels[i] : darkest;
        lightest = pixels[i] > lightest ? pixels[i] : lightest;
    }
    return lightest - darkest < INK;
}

/* ---- Light and dark ---- */

static double border_mean(const uint8_t *pixels, int height, int width)
{
    double sum = 0;
    size_t count = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            if (y == 0 || x == 0 || y == height - 1 || x == width - 1) {
                sum += pixels[y * width + x];
                count++;
            }
        }
    }
    return sum / (double)count;
}

void digit_make_light(uint8_t *pixels, int height, int width)
{
    if (border_mean(pixels, height, width) <= UINT8_MAX / 2.0)
        return;
    for (int i = 0; i < height * width; i++)
        pixels[i] = (uint8_t)(UINT8_MAX - pixels[i]);
}

/* Background to 0 and the lightest pixel to 255, so that paper's grey is not ink. */
static bool stretch(const uint8_t *pixels, int height, int width, uint8_t *ink)
{
    double background = border_mean(pixels, height, width);
    uint8_t lightest = 0;
    for (int i = 0; i < height * width; i++)
        lightest = pixels[i] > lightest ? pixels[i] : lightest;
    double most = lightest - background;
    if (most < INK)
        return false;
    for (int i = 0; i < height * width; i++)
        ink[i] = (uint8_t)lround(fmax(pixels[i] - background, 0) * UINT8_MAX / most);
    return true;
}

/* ---- Size ---- */

/* The mean of one channel over a rectangle with fractional sides. */
static double mean_of(const uint8_t *pixels, int width, int channels, const double y[2],
                      const double x[2])
{
    double sum = 0, area = 0;
    for (int row = (int)y[0]; row < y[1]; row++) {
        double rows = fmin(row + 1, y[1]) - fmax(row, y[0]);
        for (int column = (int)x[0]; column < x[1]; column++) {
            double part = rows * (fmin(column + 1, x[1]) - fmax(column, x[0]));
            sum += part * pixels[((size_t)row * (size_t)width + (size_t)column) *
                                 (size_t)channels];
            area += part;
        }
    }
    return area > 0 ? sum / area : 0;
}

void digit_resize(const uint8_t *pixels, int height, int width, int channels, uint8_t *resized,
                  int new_height, int new_width)
{
    double down = (double)height / new_height, across = (double)width / new_width;
    for (int y = 0; y < new_height; y++) {
        for (int x = 0; x < new_width; x++) {
            /* Rounding must not lead beyond the last row or column. */
            const double rows[] = {y * down, fmin((y + 1) * down, height)};
            const double columns[] = {x * across, fmin((x + 1) * across, width)};
            for (int c = 0; c < channels; c++)
                *resized++ = (uint8_t)lround(mean_of(pixels + c, width, channels, rows, columns));
        }
    }
}

/* ---- Place ---- */

struct box {
    int top, left, height, width;
};

static struct box find_box(const uint8_t *ink, int height, int width)
{
    int top = height, left = width, bottom = 0, right = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            if (ink[y * width + x] < INK)
                continue;
            top = y < top ? y : top;
            left = x < left ? x : left;
            bottom = y;
            right = x > right ? x : right;
        }
    }
    return (struct box){top, left, bottom - top + 1, right - left + 1};
}

/* Where the box begins so that its centre of mass is in the middle, all of it inside. */
static int place(double mass_at, double mass, int length)
{
    int start = (int)lround(DIGIT_SIDE / 2.0 - (mass > 0 ? mass_at / mass : length / 2.0));
    int most = DIGIT_SIDE - length;
    return start < 0 ? 0 : start > most ? most : start;
}

static void put(const uint8_t *small, int height, int width, uint8_t *digit)
{
    double mass = 0, down = 0, across = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double value = small[y * width + x];
            mass += value;
            down += value * (y + 0.5);
            across += value * (x + 0.5);
        }
    }
    int top = place(down, mass, height), left = place(across, mass, width);
    memset(digit, 0, DIGIT_SIDE * DIGIT_SIDE);
    for (int y = 0; y < height; y++)
        memcpy(digit + (top + y) * DIGIT_SIDE + left, small + y * width, (size_t)width);
}

static int scaled(int length, int longest)
{
    int result = (int)lround((double)length * DIGIT_BOX / longest);
    return result < 1 ? 1 : result;
}

bool digit_centre(const uint8_t *pixels, int height, int width,
                  uint8_t digit[DIGIT_SIDE * DIGIT_SIDE])
{
    uint8_t small[DIGIT_BOX * DIGIT_BOX];
    uint8_t *ink = xreallocarray(NULL, (size_t)height, (size_t)width);
    bool drawn = stretch(pixels, height, width, ink);
    if (drawn) {
        struct box box = find_box(ink, height, width);
        int longest = box.height > box.width ? box.height : box.width;
        int new_height = scaled(box.height, longest), new_width = scaled(box.width, longest);
        uint8_t *crop = xreallocarray(NULL, (size_t)box.height, (size_t)box.width);
        for (int y = 0; y < box.height; y++)
            memcpy(crop + y * box.width, ink + (box.top + y) * width + box.left,
                   (size_t)box.width);
        digit_resize(crop, box.height, box.width, 1, small, new_height, new_width);
        put(small, new_height, new_width, digit);
        free(crop);
    }
    free(ink);
    return drawn;
}
