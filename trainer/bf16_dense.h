/* Dense products in bf16: y = x W + b, dW = x^T dy, dx = dy W^T.  They are convolutions
 * (bf16_conv.h) with a window of size 1, each image of a batch being a pixel. */
#ifndef TRAINER_BF16_DENSE_H
#define TRAINER_BF16_DENSE_H

#include "trainer/bf16_kernels.h"

struct bf16_dense {
    const struct bf16_kernels *kernels; /* NULL: not for use */
    size_t inputs, units;
};

/* Leaves it without kernels where there are none or where they would need absurd amounts of
 * memory. */
void bf16_dense_plan(struct bf16_dense *dense, const struct bf16_kernels *kernels, size_t inputs,
                     size_t units);

/* Values of packed weights: for y, and for dx. */
size_t bf16_dense_packed_size(const struct bf16_dense *dense);
size_t bf16_dense_turned_size(const struct bf16_dense *dense);
void bf16_dense_pack(const struct bf16_dense *dense, const float *weights /* [inputs][units] */,
                     uint16_t *packed /* [packed_size] */);
void bf16_dense_pack_turned(const struct bf16_dense *dense, const float *weights,
                            uint16_t *turned /* [turned_size] */);

/* Floats of scratch that each function below may use, for any number of images. */
size_t bf16_dense_scratch_size(const struct bf16_dense *dense);

/* With `relu`, y = max(y, 0) after that. */
void bf16_dense_forward(const struct bf16_dense *dense, size_t count,
                        const struct bf16_values *x /* [count][inputs] */, const uint16_t *packed,
                        const float *bias /* [units] */, bool relu, float *scratch,
                        float *y /* [count][units] */);

void bf16_dense_backward(const struct bf16_dense *dense, size_t count,
                         const struct bf16_values *x /* [count][inputs] */,
                         const uint16_t *turned, const float *y_gradient /* [count][units] */,
                         float *scratch, float *weight_gradient /* [inputs][units], to be set */,
                         const struct bf16_target *x_gradient /* [count][inputs]; or NULL */);

#endif
