/* What one window of a pool covers of an image: shared by the kernels that work on windows, and
 * by nobody else.  Sixteen channels go side by side, for which lanes.h has the reasons. */
#ifndef TRAINER_PATCH_H
#define TRAINER_PATCH_H

#include "trainer/lanes.h"
#include "trainer/window.h"

/* As positions within the image. */
struct patch {
    size_t first;         /* the first pixel's first channel */
    size_t rows, columns; /* pixels */
    size_t step;          /* from one row to the next */
};

/* Position within the image of a pixel's first channel. */
static inline size_t pixel_at(const struct window *window, size_t y, size_t x)
{
    return (y * window->input_width + x) * window->channels;
}

static inline struct patch patch_at(const struct window *window, struct span rows, size_t x)
{
    struct span columns = window_columns(window, x);
    return (struct patch){
        .first = pixel_at(window, rows.begin, columns.begin),
        .rows = rows.end - rows.begin,
        .columns = columns.end - columns.begin,
        .step = window->input_width * window->channels,
    };
}

/* Most pools have windows of 2 x 2, for which a compiler that knows it leaves no loop over a
 * window's pixels. */
static inline bool is_two_by_two(const struct patch *patch)
{
    return patch->rows == 2 && patch->columns == 2;
}

/* Whether no two windows meet, and what they leave of the image lies to the right and below: then
 * each pixel is set once. */
static inline bool are_tiles(const struct window *window)
{
    return window->stride == window->size && window->top == 0 && window->left == 0;
}

#define INLINE static inline __attribute__((always_inline))

static const lanes_int counting = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

#endif
