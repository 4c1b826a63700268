/* Reads an ONNX file of the kind that onnx_write.h writes: one graph of nodes with one output
 * each, constants and one input, all float32. */
#ifndef TRAINER_ONNX_READ_H
#define TRAINER_ONNX_READ_H

#include "common/base.h"

enum { ONNX_RANK = 4, ONNX_INPUTS = 5, ONNX_ATTRIBUTES = 4 }; /* at most */

struct onnx_tensor {
    char *name;
    size_t rank;
    int64_t dims[ONNX_RANK]; /* each at least 1 */
    float *values;           /* [product of dims], the last index runs fastest */
};

struct onnx_setting {
    char *name;
    float real;                   /* 0 where it has integers: */
    int64_t integers[ONNX_RANK];
    size_t count;                 /* of integers; 0: it is a real */
};

struct onnx_node {
    char *operator;
    char *inputs[ONNX_INPUTS];
    size_t input_count;
    char *output;
    struct onnx_setting settings[ONNX_ATTRIBUTES];
    size_t setting_count;
};

struct onnx_graph {
    struct onnx_node *nodes; /* in the file's order */
    size_t node_count;
    struct onnx_tensor *constants;
    size_t constant_count;
    char *input;
    int64_t input_dims[ONNX_RANK - 1]; /* without [batch] */
};

/* NULL on failure: what is damaged, or is another kind of file. */
struct onnx_graph *onnx_read(const void *bytes, size_t size, struct failure *why);
void onnx_graph_free(struct onnx_graph *graph);

size_t onnx_size(const struct onnx_tensor *tensor); /* the product of dims */
/* Whether a value of these dims, each at least 1, is far above any network's. */
bool onnx_is_too_large(const struct onnx_tensor *tensor);

#endif
