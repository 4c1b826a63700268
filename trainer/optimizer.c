#include "trainer/optimizer.h"

#include "common/base.h"
#include "common/member.h"
#include "trainer/floats.h"
#include "trainer/kernels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct optimizer_type {
    const char *name;
    size_t vectors;
    bool decays_itself; /* weight_decay is the step's affair, not the gradient's */
    void (*step)(struct optimizer *optimizer, double learning_rate, uint64_t step,
                 const float *gradients, float *parameters);
};

struct optimizer {
    const struct optimizer_type *type;
    size_t count;
    float *vectors[OPTIMIZER_VECTORS_MOST];
    double momentum, rho, beta1, beta2, epsilon;
    double weight_decay, clip_norm;
};

VECTOR_VERSIONS
static void descend(size_t count, float rate, const float *restrict g, float *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] -= rate * g[i];
}

static void step_sgd(struct optimizer *optimizer, double learning_rate, uint64_t step,
                     const float *gradients, float *parameters)
{
    (void)step;
    descend(optimizer->count, (float)learning_rate, gradients, parameters);
}

VECTOR_VERSIONS
static void descend_momentum(size_t count, float rate, float momentum, const float *restrict g,
                             float *restrict v, float *restrict w)
{
    for (size_t i = 0; i < count; i++) {
        v[i] = momentum * v[i] - rate * g[i];
        w[i] += v[i];
    }
}

static void step_momentum(struct optimizer *optimizer, double learning_rate, uint64_t step,
                          const float *gradients, float *parameters)
{
    (void)step;
    descend_momentum(optimizer->count, (float)learning_rate, (float)optimizer->momentum,
                     gradients, optimizer->vectors[0], parameters);
}

VECTOR_VERSIONS
static void descend_nesterov(size_t count, float rate, float momentum, const float *restrict g,
                             float *restrict v, float *restrict w)
{
    for (size_t i = 0; i < count; i++) {
        v[i] = momentum * v[i] - rate * g[i];
        w[i] += momentum * v[i] - rate * g[i];
    }
}

static void step_nesterov(struct optimizer *optimizer, double learning_rate, uint64_t step,
                          const float *gradients, float *parameters)
{
    (void)step;
    descend_nesterov(optimizer->count, (float)learning_rate, (float)optimizer->momentum,
                     gradients, optimizer->vectors[0], parameters);
}

VECTOR_VERSIONS
static void descend_rmsprop(size_t count, float rate, float rho, float rest, float epsilon,
                            const float *restrict g, float *restrict v, float *restrict w)
{
    for (size_t i = 0; i < count; i++) {
        v[i] = rho * v[i] + rest * (g[i] * g[i]);
        w[i] -= rate * g[i] / sqrtf(v[i] + epsilon);
    }
}

static void step_rmsprop(struct optimizer *optimizer, double learning_rate, uint64_t step,
                         const float *gradients, float *parameters)
{
    (void)step;
    descend_rmsprop(optimizer->count, (float)learning_rate, (float)optimizer->rho,
                    (float)(1.0 - optimizer->rho), (float)optimizer->epsilon, gradients,
                    optimizer->vectors[0], parameters);
}

/* `rate` has the correction for the first steps in it already. */
VECTOR_VERSIONS
static void descend_adam(size_t count, float rate, float rest1, float rest2, float epsilon,
                         const float *restrict g, float *restrict m, float *restrict v,
                         float *restrict w)
{
    for (size_t i = 0; i < count; i++) {
        m[i] += rest1 * (g[i] - m[i]);
        v[i] += rest2 * (g[i] * g[i] - v[i]);
        w[i] -= rate * m[i] / (sqrtf(v[i]) + epsilon);
    }
}

static void step_adam(struct optimizer *optimizer, double learning_rate, uint64_t step,
                      const float *gradients, float *parameters)
{
    double t = (double)step;
    double rate = learning_rate * sqrt(1.0 - pow(optimizer->beta2, t)) /
                  (1.0 - pow(optimizer->beta1, t));
    descend_adam(optimizer->count, (float)rate, (float)(1.0 - optimizer->beta1),
                 (float)(1.0 - optimizer->beta2), (float)optimizer->epsilon, gradients,
                 optimizer->vectors[0], optimizer->vectors[1], parameters);
}

static void step_adamw(struct optimizer *optimizer, double learning_rate, uint64_t step,
                       const float *gradients, float *parameters)
{
    kernel_scale(optimizer->count, (float)(1.0 - learning_rate * optimizer->weight_decay),
                 parameters);
    step_adam(optimizer, learning_rate, step, gradients, parameters);
}

/* ---- what goes before ---- */

/* The factor that makes the gradient no longer than `most`. */
static float clip_factor(size_t count, double most, const float *gradients)
{
    double length = sqrt(kernel_sum_of_squares(count, gradients));
    return length <= most ? 1.0f : (float)(most / length);
}

/* What is off costs nothing and changes no bit. */
static void shape_gradients(const struct optimizer *optimizer, float *gradients,
                            const float *parameters)
{
    size_t count = optimizer->count;
    if (optimizer->clip_norm > 0.0)
        kernel_scale(count, clip_factor(count, optimizer->clip_norm, gradients), gradients);
    if (optimizer->weight_decay > 0.0 && !optimizer->type->decays_itself)
        kernel_add_scaled(count, (float)optimizer->weight_decay, parameters, gradients);
}

/* ---- the optimizer ---- */

static const struct optimizer_type sgd = {"sgd", 0, false, step_sgd};
static const struct optimizer_type sgd_momentum = {"sgd", 1, false, step_momentum};
static const struct optimizer_type sgd_nesterov = {"sgd", 1, false, step_nesterov};
static const struct optimizer_type others[] = {
    {"rmsprop", 1, false, step_rmsprop},
    {"adam", 2, false, step_adam},
    {"adamw", 2, true, step_adamw},
};

static const struct optimizer_type *find_type(const json_t *settings)
{
    const char *name = json_string_value(json_object_get(settings, "type"));
    for (size_t i = 0; name && i < ARRAY_LENGTH(others); i++) {
        if (strcmp(name, others[i].name) == 0)
            return &others[i];
    }
    if (!(member_number(settings, "momentum") > 0.0))
        return &sgd;
    return json_is_true(json_object_get(settings, "nesterov")) ? &sgd_nesterov : &sgd_momentum;
}

struct optimizer *optimizer_new(const json_t *settings, size_t count)
{
    struct optimizer *optimizer = xcalloc(1, sizeof *optimizer);
    /* An epsilon that floats cannot hold would become 0, and 0/0 where a gradient is 0. */
    *optimizer = (struct optimizer){
        .type = find_type(settings),
        .count = count,
        .momentum = member_number(settings, "momentum"),
        .rho = member_number(settings, "rho"),
        .beta1 = member_number(settings, "beta1"),
        .beta2 = member_number(settings, "beta2"),
        .epsilon = fmax(member_number(settings, "epsilon"), FLT_MIN),
        .weight_decay = member_number(settings, "weight_decay"),
        .clip_norm = member_number(settings, "clip_norm"),
    };
    for (size_t i = 0; i < optimizer->type->vectors; i++)
        optimizer->vectors[i] = floats_zero(count);
    return optimizer;
}

void optimizer_free(struct optimizer *optimizer)
{
    if (!optimizer)
        return;
    for (size_t i = 0; i < OPTIMIZER_VECTORS_MOST; i++)
        free(optimizer->vectors[i]);
    free(optimizer);
}

void optimizer_step(struct optimizer *optimizer, double learning_rate, uint64_t step,
                    float *gradients, float *parameters)
{
    shape_gradients(optimizer, gradients, parameters);
    optimizer->type->step(optimizer, learning_rate, step, gradients, parameters);
}

size_t optimizer_vector_count(const struct optimizer *optimizer)
{
    return optimizer->type->vectors;
}

float *optimizer_vector(const struct optimizer *optimizer, size_t index)
{
    return optimizer->vectors[index];
}
