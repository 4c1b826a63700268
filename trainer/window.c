#include "trainer/window.h"

/* Windows along one axis, and the padding before the first. */
static size_t place(size_t input, size_t size, size_t stride, bool same, size_t *before)
{
    *before = 0;
    if (!same)
        return input < size ? 0 : (input - size) / stride + 1;
    size_t output = (input + stride - 1) / stride;
    size_t covered = (output - 1) * stride + size;
    *before = covered > input ? (covered - input) / 2 : 0;
    return output;
}

int window_place(struct window *window, struct shape input, size_t size, size_t stride, bool same)
{
    *window = (struct window){
        .input_height = (size_t)input.height,
        .input_width = (size_t)input.width,
        .channels = (size_t)input.channels,
        .size = size,
        .stride = stride,
    };
    window->output_height = place(window->input_height, size, stride, same, &window->top);
    window->output_width = place(window->input_width, size, stride, same, &window->left);
    return window->output_height > 0 && window->output_width > 0 ? 0 : -1;
}

int window_pick(struct window *window, struct shape input, size_t height, size_t width)
{
    size_t most = (size_t)(input.height > input.width ? input.height : input.width);
    for (size_t stride = 1; stride <= most; stride++) {
        window_place(window, input, 1, stride, true);
        if (window->output_height == height && window->output_width == width)
            return 0;
    }
    return -1;
}

static size_t behind(const struct window *window, size_t input, size_t output, size_t before)
{
    size_t covered = (output - 1) * window->stride + window->size;
    return covered > input + before ? covered - input - before : 0;
}

void window_behind(const struct window *window, size_t *bottom, size_t *right)
{
    *bottom = behind(window, window->input_height, window->output_height, window->top);
    *right = behind(window, window->input_width, window->output_width, window->left);
}

static struct span cover(size_t input, size_t size, size_t start, size_t before)
{
    struct span span = {start < before ? before - start : 0, 0, start + size - before};
    span.begin = start + span.skipped - before;
    if (span.end > input)
        span.end = input;
    return span;
}

struct span window_rows(const struct window *window, size_t output_row)
{
    return cover(window->input_height, window->size, output_row * window->stride, window->top);
}

struct span window_columns(const struct window *window, size_t output_column)
{
    return cover(window->input_width, window->size, output_column * window->stride, window->left);
}
