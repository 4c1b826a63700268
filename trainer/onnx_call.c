#include "trainer/onnx_call.h"

#include <string.h>

const struct onnx_setting *onnx_setting(const struct onnx_call *call, const char *name)
{
    const struct onnx_node *node = call->node;
    for (size_t i = 0; i < node->setting_count; i++) {
        if (strcmp(node->settings[i].name, name) == 0)
            return &node->settings[i];
    }
    return NULL;
}

bool onnx_is(const struct onnx_call *call, const char *operator)
{
    return strcmp(call->node->operator, operator) == 0;
}

int onnx_misfit(const struct onnx_call *call, struct failure *why)
{
    return fail_input(why, "%s of '%s' has inputs or settings that do not fit it",
                      call->node->operator, call->node->output);
}

float *onnx_make(const struct onnx_call *call, size_t rank, const int64_t *dims,
                 struct failure *why)
{
    struct onnx_tensor *output = call->output;
    output->rank = rank;
    memcpy(output->dims, dims, rank * sizeof *dims);
    if (onnx_is_too_large(output)) {
        fail_input(why, "%s of '%s' makes a value that is too large", call->node->operator,
                   call->node->output);
        return NULL;
    }
    output->values = xcalloc(onnx_size(output), sizeof *output->values);
    return output->values;
}

static const struct {
    const char *name;
    int (*run)(const struct onnx_call *call, struct failure *why);
} operators[] = {
    {"Relu", onnx_function},       {"LeakyRelu", onnx_function},
    {"Elu", onnx_function},        {"Tanh", onnx_function},
    {"Sigmoid", onnx_function},    {"Erf", onnx_function},
    {"Add", onnx_arithmetic},      {"Mul", onnx_arithmetic},
    {"Div", onnx_arithmetic},      {"Softmax", onnx_softmax},
    {"Gemm", onnx_gemm},
    {"Flatten", onnx_flatten},     {"Transpose", onnx_transpose},
    {"MaxPool", onnx_pool},        {"AveragePool", onnx_pool},
    {"Conv", onnx_conv},           {"GlobalAveragePool", onnx_global_pool},
    {"BatchNormalization", onnx_batch_norm},
};

int onnx_call(const struct onnx_call *call, struct failure *why)
{
    for (size_t i = 0; i < ARRAY_LENGTH(operators); i++) {
        if (onnx_is(call, operators[i].name))
            return operators[i].run(call, why);
    }
    return fail_input(why, "the operator %s of '%s' is not known", call->node->operator,
                      call->node->output);
}
