/* The operators that onnx_run.h runs, each by its definition in "ONNX Operators" (onnx.ai); what
 * export_onnx.c does not write is not there.  A new one is a function and a row in the table of
 * onnx_call.c. */
#ifndef TRAINER_ONNX_CALL_H
#define TRAINER_ONNX_CALL_H

#include "trainer/onnx_read.h"

/* A node with the values that it is given, and the one that it is to make. */
struct onnx_call {
    const struct onnx_node *node;
    const struct onnx_tensor *inputs[ONNX_INPUTS]; /* [input_count], at least 1; then NULL */
    size_t input_count;
    struct onnx_tensor *output; /* dims and values are to be set; the caller frees the values */
};

/* Runs it; -1 for an operator that is not known, and for inputs that do not fit it. */
int onnx_call(const struct onnx_call *call, struct failure *why);

/* ---- for the operators ---- */

bool onnx_is(const struct onnx_call *call, const char *operator);
/* The attribute of that name, or NULL. */
const struct onnx_setting *onnx_setting(const struct onnx_call *call, const char *name);
int onnx_misfit(const struct onnx_call *call, struct failure *why);
/* Gives the output its shape; its values, which are 0; NULL: they are too many. */
float *onnx_make(const struct onnx_call *call, size_t rank, const int64_t *dims,
                 struct failure *why);

/* Value by value: of one input, of two, and in a row of classes. */
int onnx_function(const struct onnx_call *call, struct failure *why);
int onnx_arithmetic(const struct onnx_call *call, struct failure *why);
int onnx_softmax(const struct onnx_call *call, struct failure *why);
int onnx_batch_norm(const struct onnx_call *call, struct failure *why);
int onnx_gemm(const struct onnx_call *call, struct failure *why);
int onnx_flatten(const struct onnx_call *call, struct failure *why);
int onnx_transpose(const struct onnx_call *call, struct failure *why);
/* Of images [batch][channels][height][width]. */
int onnx_conv(const struct onnx_call *call, struct failure *why);
int onnx_pool(const struct onnx_call *call, struct failure *why);
int onnx_global_pool(const struct onnx_call *call, struct failure *why);

#endif
