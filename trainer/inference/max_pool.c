/* The largest value under the window, of each channel; output [rows][columns][channels]. */
static void max_pool(const struct window *w, const float *input, float *output)
{
    for (int y = 0; y < w->rows; y++) {
        for (int x = 0; x < w->columns; x++, output += w->channels) {
            int seen = 0;
            for (int cell = 0; cell < w->size * w->size; cell++) {
                const float *pixel = pixel_under(w, input, y, x, cell / w->size, cell % w->size);
                for (int c = 0; pixel && c < w->channels; c++) {
                    if (!seen || pixel[c] > output[c])
                        output[c] = pixel[c];
                }
                seen |= pixel != NULL;
            }
        }
    }
}
