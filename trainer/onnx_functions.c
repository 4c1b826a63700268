#include "trainer/onnx_call.h"

#include <math.h>
#include <string.h>

static float *make_like(const struct onnx_call *call, const struct onnx_tensor *tensor,
                        struct failure *why)
{
    return onnx_make(call, tensor->rank, tensor->dims, why);
}

static float real_setting(const struct onnx_call *call, const char *name, float initial)
{
    const struct onnx_setting *setting = onnx_setting(call, name);
    return setting ? setting->real : initial;
}

/* ---- value by value ---- */

static float apply(const char *operator, float alpha, float x)
{
    if (strcmp(operator, "Relu") == 0)
        return x > 0.0f ? x : 0.0f;
    if (strcmp(operator, "LeakyRelu") == 0)
        return x >= 0.0f ? x : alpha * x;
    if (strcmp(operator, "Elu") == 0)
        return x >= 0.0f ? x : alpha * (expf(x) - 1.0f);
    if (strcmp(operator, "Tanh") == 0)
        return tanhf(x);
    if (strcmp(operator, "Sigmoid") == 0)
        return 1.0f / (1.0f + expf(-x));
    return erff(x);
}

int onnx_function(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    float alpha = real_setting(call, "alpha", onnx_is(call, "LeakyRelu") ? 0.01f : 1.0f);
    if (call->input_count != 1)
        return onnx_misfit(call, why);
    float *output = make_like(call, input, why);
    if (!output)
        return -1;
    for (size_t i = 0; i < onnx_size(input); i++)
        output[i] = apply(call->node->operator, alpha, input->values[i]);
    return 0;
}

static float combine(char operator, float a, float b)
{
    return operator == 'A' ? a + b : operator == 'M' ? a * b : a / b;
}

/* The second input is as the first, or a single number for all its values. */
int onnx_arithmetic(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *a = call->inputs[0], *b = call->inputs[1];
    bool fits = call->input_count == 2 &&
                (onnx_size(b) == 1 ||
                 (a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0));
    if (!fits)
        return onnx_misfit(call, why);
    float *output = make_like(call, a, why);
    if (!output)
        return -1;
    size_t step = onnx_size(b) == 1 ? 0 : 1;
    for (size_t i = 0; i < onnx_size(a); i++)
        output[i] = combine(call->node->operator[0], a->values[i], b->values[i * step]);
    return 0;
}

/* ---- vectors ---- */

int onnx_softmax(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    const struct onnx_setting *axis = onnx_setting(call, "axis");
    if (call->input_count != 1 || input->rank != 2 || !axis || axis->integers[0] != 1)
        return onnx_misfit(call, why);
    size_t width = (size_t)input->dims[1];
    float *output = make_like(call, input, why);
    if (!output)
        return -1;
    const float *values = input->values;
    for (int64_t row = 0; row < input->dims[0]; row++, output += width, values += width) {
        float most = values[0];
        double sum = 0.0;
        for (size_t i = 0; i < width; i++)
            most = fmaxf(most, values[i]);
        for (size_t i = 0; i < width; i++)
            sum += exp((double)values[i] - (double)most);
        for (size_t i = 0; i < width; i++)
            output[i] = (float)(exp((double)values[i] - (double)most) / sum);
    }
    return 0;
}

/* x W^T + bias; the bias may be missing. */
int onnx_gemm(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *x = call->inputs[0], *w = call->inputs[1], *bias = call->inputs[2];
    const struct onnx_setting *transposed = onnx_setting(call, "transB");
    if (call->input_count < 2 || call->input_count > 3 || x->rank != 2 || w->rank != 2 ||
        x->dims[1] != w->dims[1] || (bias && onnx_size(bias) != (size_t)w->dims[0]) ||
        !transposed || transposed->integers[0] != 1)
        return onnx_misfit(call, why);
    const int64_t dims[] = {x->dims[0], w->dims[0]};
    size_t inputs = (size_t)w->dims[1], units = (size_t)w->dims[0];
    float *output = onnx_make(call, 2, dims, why);
    if (!output)
        return -1;
    const float *row = x->values;
    for (int64_t image = 0; image < x->dims[0]; image++, row += inputs) {
        for (size_t unit = 0; unit < units; unit++) {
            double sum = bias ? (double)bias->values[unit] : 0.0;
            for (size_t i = 0; i < inputs; i++)
                sum += (double)row[i] * (double)w->values[unit * inputs + i];
            *output++ = (float)sum;
        }
    }
    return 0;
}

int onnx_flatten(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    if (call->input_count != 1 || input->rank == 0 || onnx_setting(call, "axis"))
        return onnx_misfit(call, why);
    const int64_t dims[] = {input->dims[0], (int64_t)onnx_size(input) / input->dims[0]};
    float *output = onnx_make(call, 2, dims, why);
    if (!output)
        return -1;
    memcpy(output, input->values, onnx_size(input) * sizeof(float));
    return 0;
}

/* ---- images ---- */

/* Where output dimension i has its values from in the input: dimension perm[i]. */
int onnx_transpose(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    const struct onnx_setting *perm = onnx_setting(call, "perm");
    size_t strides[ONNX_RANK], stride = 1;
    int64_t dims[ONNX_RANK];
    int taken = 0;
    if (call->input_count != 1 || input->rank != 4 || !perm || perm->count != 4)
        return onnx_misfit(call, why);
    for (size_t i = 4; i-- > 0; stride *= (size_t)input->dims[i])
        strides[i] = stride;
    for (size_t i = 0; i < 4; i++) {
        if (perm->integers[i] < 0 || perm->integers[i] > 3 || taken & 1 << perm->integers[i])
            return onnx_misfit(call, why);
        taken |= 1 << perm->integers[i];
        dims[i] = input->dims[perm->integers[i]];
    }
    float *output = onnx_make(call, 4, dims, why);
    if (!output)
        return -1;
    for (size_t i = 0; i < onnx_size(call->output); i++) {
        size_t left = i, from = 0;
        for (size_t k = 4; k-- > 0; left /= (size_t)dims[k])
            from += left % (size_t)dims[k] * strides[perm->integers[k]];
        output[i] = input->values[from];
    }
    return 0;
}

int onnx_batch_norm(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    double epsilon = (double)real_setting(call, "epsilon", 1e-5f);
    bool fits = call->input_count == 5 && input->rank >= 2;
    for (size_t i = 1; fits && i < 5; i++)
        fits = onnx_size(call->inputs[i]) == (size_t)input->dims[1];
    if (!fits)
        return onnx_misfit(call, why);
    size_t channels = (size_t)input->dims[1];
    size_t pixels = onnx_size(input) / (size_t)input->dims[0] / channels;
    float *output = make_like(call, input, why);
    if (!output)
        return -1;
    for (size_t i = 0; i < onnx_size(input); i++) {
        size_t c = i / pixels % channels;
        double gamma = call->inputs[1]->values[c], beta = call->inputs[2]->values[c];
        double mean = call->inputs[3]->values[c], variance = call->inputs[4]->values[c];
        double x = input->values[i];
        output[i] = (float)((x - mean) / sqrt(variance + epsilon) * gamma + beta);
    }
    return 0;
}
