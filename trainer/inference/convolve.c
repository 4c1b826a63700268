/* weights [size][size][channels][filters], bias [filters] or NULL;
 * output [rows][columns][filters] */
static void convolve(const struct window *w, int filters, const float *weights, const float *bias,
                     const float *input, float *restrict output)
{
    for (int y = 0; y < w->rows; y++) {
        for (int x = 0; x < w->columns; x++, output += filters) {
            for (int f = 0; f < filters; f++)
                output[f] = bias ? bias[f] : 0.0f;
            for (int cell = 0; cell < w->size * w->size; cell++) {
                const float *pixel = pixel_under(w, input, y, x, cell / w->size, cell % w->size);
                const float *weight = weights + cell * w->channels * filters;
                for (int c = 0; pixel && c < w->channels; c++, weight += filters) {
                    for (int f = 0; f < filters; f++)
                        output[f] += pixel[c] * weight[f];
                }
            }
        }
    }
}
