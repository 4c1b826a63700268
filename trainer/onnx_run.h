/* Runs the graph of an ONNX file, plainly: each operator by the definition that ONNX's
 * documentation gives of it (onnx.ai, "ONNX Operators"), one after the other.  It shares no
 * code with the network, so that the two tell of each other's faults. */
#ifndef TRAINER_ONNX_RUN_H
#define TRAINER_ONNX_RUN_H

#include "trainer/onnx_read.h"

/* Feeds [count][input_dims] numbers to the graph's one input; copies the value `output`, which
 * must be [count][something]. */
int onnx_run(const struct onnx_graph *graph, const float *input, size_t count,
             const char *output, size_t classes, float *values, struct failure *why);

#endif
