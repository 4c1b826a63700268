/* Writes an ONNX file (onnx.ai, "Open Neural Network Exchange Intermediate Representation
 * Specification"): a graph of nodes, each an operator that takes values by name and names the
 * one that it makes, and of the constants among these values.
 *
 * Nodes are added in the order of running.  Numbers are float32. */
#ifndef TRAINER_ONNX_WRITE_H
#define TRAINER_ONNX_WRITE_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ONNX_IR_VERSION = 7, ONNX_OPSET = 13 };

struct onnx_writer {
    struct text graph;
};

/* A constant; `dims` are its `rank` sizes, the last one's index runs fastest. */
void onnx_add_constant(struct onnx_writer *writer, const char *name, const int64_t *dims,
                       size_t rank, const float *values);

struct onnx_attribute {
    const char *name; /* NULL ends a list */
    bool is_real;     /* a single `real`; else a single `integer` where there are no `integers` */
    float real;
    int64_t integer;
    const int64_t *integers;
    size_t count;
};

/* A node, named as its output; `inputs` end with NULL, and so do attributes, which may be NULL. */
void onnx_add_node(struct onnx_writer *writer, const char *operator, const char *const *inputs,
                   const char *output, const struct onnx_attribute *attributes);

/* What comes in or goes out: float32 of [batch] and the sizes.  Inputs come first. */
void onnx_add_input(struct onnx_writer *writer, const char *name, const int64_t *dims,
                    size_t rank, const char *description);
void onnx_add_output(struct onnx_writer *writer, const char *name, const int64_t *dims,
                     size_t rank, const char *description);

/* The file with the graph of that name, and releases the writer; the caller releases the text. */
struct text onnx_finish(struct onnx_writer *writer, const char *name, const char *producer,
                        const char *version);

#endif
