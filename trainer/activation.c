#include "trainer/activation.h"

#include "common/base.h"
#include "trainer/elementary.h"
#include "trainer/kernels.h"

#include <string.h>

static const float NORMAL_PEAK = 0.39894228f; /* 1 / sqrt(2 pi) */
static const double SLOPE = 0.01;             /* of leaky_relu where no setting says */

/* ---- the functions ---- */

static void relu(size_t count, float slope, const float *x, float *y)
{
    (void)slope;
    kernel_relu(count, x, y);
}

static void relu_backward(size_t count, float slope, const float *y, const float *dy, float *dx)
{
    (void)slope;
    kernel_relu_backward(count, y, dy, dx);
}

VECTOR_VERSIONS
static void leaky_relu(size_t count, float slope, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] > 0.0f ? x[i] : slope * x[i];
}

VECTOR_VERSIONS
static void leaky_relu_backward(size_t count, float slope, const float *y, const float *dy,
                                float *dx)
{
    for (size_t i = 0; i < count; i++)
        dx[i] = y[i] > 0.0f ? dy[i] : slope * dy[i];
}

VECTOR_VERSIONS
static void elu(size_t count, float slope, const float *x, float *y)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] > 0.0f ? x[i] : fast_expm1(x[i]);
}

VECTOR_VERSIONS
static void elu_backward(size_t count, float slope, const float *y, const float *dy, float *dx)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        dx[i] = y[i] > 0.0f ? dy[i] : (y[i] + 1.0f) * dy[i];
}

VECTOR_VERSIONS
static void hyperbolic(size_t count, float slope, const float *x, float *y)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        y[i] = fast_tanh(x[i]);
}

VECTOR_VERSIONS
static void hyperbolic_backward(size_t count, float slope, const float *y, const float *dy,
                                float *dx)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        dx[i] = (1.0f - y[i] * y[i]) * dy[i];
}

VECTOR_VERSIONS
static void sigmoid(size_t count, float slope, const float *x, float *y)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        y[i] = fast_sigmoid(x[i]);
}

VECTOR_VERSIONS
static void sigmoid_backward(size_t count, float slope, const float *y, const float *dy,
                             float *dx)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        dx[i] = y[i] * (1.0f - y[i]) * dy[i];
}

VECTOR_VERSIONS
static void gelu(size_t count, float slope, const float *x, float *y)
{
    (void)slope;
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] * fast_normal_share(x[i]);
}

VECTOR_VERSIONS
static void gelu_backward(size_t count, float slope, const float *x, const float *dy, float *dx)
{
    (void)slope;
    for (size_t i = 0; i < count; i++) {
        float density = NORMAL_PEAK * fast_exp(-0.5f * x[i] * x[i]);
        dx[i] = (fast_normal_share(x[i]) + x[i] * density) * dy[i];
    }
}

/* A slope is at least 0, so that leaky_relu's y is above 0 exactly where x is. */
static const struct activation_type types[] = {
    {"relu", false, relu, relu_backward},
    {"leaky_relu", false, leaky_relu, leaky_relu_backward},
    {"elu", false, elu, elu_backward},
    {"tanh", false, hyperbolic, hyperbolic_backward},
    {"sigmoid", false, sigmoid, sigmoid_backward},
    {"gelu", true, gelu, gelu_backward},
};

struct activation activation_read(const char *name, const json_t *settings)
{
    const json_t *slope = json_object_get(settings, "slope");
    struct activation activation = {NULL, (float)(slope ? json_number_value(slope) : SLOPE)};
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (name && strcmp(types[i].name, name) == 0)
            activation.type = &types[i];
    }
    return activation;
}

/* ---- behind a bias ---- */

size_t activation_kept_size(const struct activation *activation)
{
    return activation->type && activation->type->from_input ? sizeof(float) : 0;
}

bool activation_is_relu(const struct activation *activation)
{
    return activation->type && activation->type->forward == relu;
}

/* relu is done in one pass with the bias: most layers end so. */
void activation_behind_bias(const struct activation *activation, size_t count, float *values,
                            float *kept)
{
    const struct activation_type *type = activation->type;
    if (!type || activation_is_relu(activation))
        return;
    if (type->from_input)
        memcpy(kept, values, count * sizeof *kept);
    type->forward(count, activation->slope, values, values);
}

void activation_bias(const struct activation *activation, size_t rows, size_t width,
                     const float *bias, float *values, float *kept)
{
    kernel_bias(rows, width, bias, activation_is_relu(activation), values);
    activation_behind_bias(activation, rows * width, values, kept);
}

void activation_bias_backward(const struct activation *activation, size_t rows, size_t width,
                              const float *output, const float *kept, float *gradient,
                              float *bias_gradient)
{
    const struct activation_type *type = activation->type;
    if (type && !activation_is_relu(activation))
        type->backward(rows * width, activation->slope, type->from_input ? kept : output,
                       gradient, gradient);
    kernel_bias_backward(rows, width, output, activation_is_relu(activation), gradient,
                         bias_gradient);
}
