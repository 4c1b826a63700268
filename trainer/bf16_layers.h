/* What layers do to values in bf16 in a step of training, where they hand them on so (layer.h): the
 * loops, for AVX-512 with BF16.  They do as the kernels of such names in kernels.h, if nothing else
 * is said, and round what they give; sums are made in fp32 or double. */
#ifndef TRAINER_BF16_LAYERS_H
#define TRAINER_BF16_LAYERS_H

#include "trainer/bf16_values.h"
#include "trainer/kernels.h"

struct bf16_layers {
    /* With an `output`, relu's, the gradient becomes 0 where that is not above 0. */
    void (*bias_backward)(size_t rows, size_t width, const uint16_t *output /* [rows][width] */,
                          uint16_t *gradient /* [rows][width] */,
                          float *bias_gradient /* [width] */);
    void (*relu)(size_t count, const uint16_t *input, const struct bf16_target *output);
    /* Without an `output`, the gradient is copied. */
    void (*relu_backward)(size_t count, const struct bf16_values *output /* or NULL */,
                          const struct bf16_values *output_gradient, uint16_t *input_gradient);

    void (*drop)(size_t count, const uint8_t *kept, float scale, const struct bf16_values *input,
                 const struct bf16_target *output);

    /* For windows that do not meet (bf16.h): `chosen` counts the pixels of a window, row by row,
     * where it meets the image. */
    void (*max_pool)(const struct window *window, const float *direction /* [channels], or NULL */,
                     const uint16_t *image /* [input_height][input_width][channels] */,
                     const struct bf16_target *output /* [output_height][output_width][channels] */,
                     uint16_t *chosen /* likewise */);
    void (*max_pool_backward)(const struct window *window, const uint16_t *chosen,
                              const struct bf16_values *output, /* of relu, likewise; or NULL */
                              const struct bf16_values *gradient, uint16_t *image);

    const struct bf16_norm *norm;
};

/* What batch_norm does, likewise; bf16_norm.c. */
struct bf16_norm {
    void (*moments)(size_t rows, size_t channels, const uint16_t *x /* [rows][channels] */,
                    double *sums /* [channels] */, double *squares /* [channels] */);
    void (*normalize)(size_t rows, size_t channels, const float *mean, const float *scale,
                      const float *offset, const uint16_t *x, const struct bf16_target *y);
    void (*normalize_moments)(size_t rows, size_t channels, const float *mean, const uint16_t *x,
                              const struct bf16_values *dy, double *sums, double *products);
    void (*normalize_backward)(size_t rows, size_t channels, const struct normalized *norm,
                               const uint16_t *x, const struct bf16_values *dy, uint16_t *dx);
    void (*normalize_pool_backward)(const struct window *window, const struct normalized *norm,
                                    const uint16_t *chosen, const struct bf16_values *dy,
                                    const uint16_t *image, uint16_t *dx);
};

extern const struct bf16_layers bf16_layers;
extern const struct bf16_norm bf16_norm;

#endif
