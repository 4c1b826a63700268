/* A square window that moves over an image of [height][width][channels]. */
struct window {
    int height, width, channels;
    int size, stride;
    int top, left;     /* padding before the first row and column */
    int rows, columns; /* how many places it has, down and across */
};

/* The pixel under the cell (i, j) of the window at its place (y, x); NULL in the padding. */
static const float *pixel_under(const struct window *w, const float *image, int y, int x, int i,
                                int j)
{
    int row = y * w->stride + i - w->top, column = x * w->stride + j - w->left;
    if (row < 0 || row >= w->height || column < 0 || column >= w->width)
        return NULL;
    return image + (row * w->width + column) * w->channels;
}
