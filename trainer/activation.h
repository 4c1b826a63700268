/* Activations: y = f(x), value by value, for the layers that are nothing else and for
 * those that end in one (`activation:` of conv and dense).
 *
 *   relu        max(x, 0)
 *   leaky_relu  x where x > 0, else slope x
 *   elu         x where x > 0, else exp(x) - 1          (Clevert et al. 2016, alpha = 1)
 *   tanh        tanh(x)
 *   sigmoid     1 / (1 + exp(-x))
 *   gelu        x Phi(x), with the normal distribution Phi(x) = (1 + erf(x / sqrt 2)) / 2:
 *               the exact form, not the one by tanh     (Hendrycks & Gimpel 2016)
 *
 * What is not a number stays so: a diverged network must be seen to have diverged.
 * A new activation is a row in the table of activation.c, a word and a layer in
 * common/schema.c, and a type in layer_activation.c. */
#ifndef TRAINER_ACTIVATION_H
#define TRAINER_ACTIVATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct activation_type {
    const char *name;
    bool from_input; /* the derivative is worked out from x; the others have it from y */
    /* y = f(x); may be in place */
    void (*forward)(size_t count, float slope, const float *x /* [count] */,
                    float *y /* [count] */);
    /* dx = f'(x) dy, with `value` x or y as from_input says; dx may be dy */
    void (*backward)(size_t count, float slope, const float *value /* [count] */,
                     const float *dy /* [count] */, float *dx /* [count] */);
};

/* As a layer has it. */
struct activation {
    const struct activation_type *type; /* NULL: none, y = x */
    float slope;                        /* of leaky_relu */
};

/* The activation of that name; `settings` may have a `slope`.  "none" has no type. */
struct activation activation_read(const char *name, const json_t *settings);

/* Bytes that a layer must keep for each value from forward to backward when it writes
 * y over x: those of x where the derivative needs it, else 0. */
size_t activation_kept_size(const struct activation *activation);

bool activation_is_relu(const struct activation *activation);

/* values = f(values), for values that have their bias, and went through relu where it is that,
 * already. */
void activation_behind_bias(const struct activation *activation, size_t count,
                            float *values /* [count] */,
                            float *kept /* [count]; unused where nothing is kept */);

/* values = f(values + bias) in each row. */
void activation_bias(const struct activation *activation, size_t rows, size_t width,
                     const float *bias /* [width] */, float *values /* [rows][width] */,
                     float *kept /* [rows][width]; unused where nothing is kept */);

/* The gradient back through activation_bias(), in place; then its sum over the rows is
 * added to `bias_gradient`. */
void activation_bias_backward(const struct activation *activation, size_t rows, size_t width,
                              const float *output /* [rows][width] */,
                              const float *kept /* [rows][width] */,
                              float *gradient /* [rows][width] */,
                              float *bias_gradient /* [width] */);

#endif
