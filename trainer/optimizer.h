/* Optimizers: what a step does to the parameters, seen as one flat vector.
 *
 * The formulas, and where epsilon stands in them, are those of Keras 3
 * (keras/src/optimizers/sgd.py, rmsprop.py, adam.py); w are the parameters, g the
 * gradient, r the step's learning rate, t the step counted from 1:
 *
 *   sgd      w -= r g; with momentum: v = momentum v - r g;  w += v
 *   rmsprop  v = rho v + (1 - rho) g^2;  w -= r g / sqrt(v + epsilon)
 *   adam     m += (1 - beta1) (g - m);  v += (1 - beta2) (g^2 - v)
 *            w -= r sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)
 *   adamw    w -= r weight_decay w;  then as adam
 *                                    (Loshchilov & Hutter 2019, decoupled weight decay)
 *   sgd with momentum and nesterov: v as above;  w += momentum v - r g
 *
 * Before that, clip_norm (0: off) shortens the whole gradient to that length if it is
 * longer: g *= clip_norm / max(|g|, clip_norm).  Then the weight_decay of all but adamw
 * adds its L2 term: g += weight_decay w.  Both go over all parameters, biases too, as in
 * PyTorch (torch.optim; Keras's decay leaves none out either, unless it is told to).
 *
 * State vectors begin as 0. */
#ifndef TRAINER_OPTIMIZER_H
#define TRAINER_OPTIMIZER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct optimizer;

/* Of `training.optimizer`, complete as the schema gives it, for `count` parameters. */
struct optimizer *optimizer_new(const json_t *settings, size_t count);
void optimizer_free(struct optimizer *optimizer);

void optimizer_step(struct optimizer *optimizer, double learning_rate,
                    uint64_t step /* from 1 */, float *gradients /* [count], may be spoiled */,
                    float *parameters /* [count] */);

/* The vectors that a training must keep to go on exactly: v, or m and v, or none. */
enum { OPTIMIZER_VECTORS_MOST = 2 };
size_t optimizer_vector_count(const struct optimizer *optimizer);
float *optimizer_vector(const struct optimizer *optimizer, size_t index); /* [count] */

#endif
