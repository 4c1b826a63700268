/* One layer of a network as nodes of an ONNX graph, and as the constants that they need.  Images
 * are [batch, channels, height, width] there, vectors [batch, values].
 *
 * An image is turned to [height, width, channels] before it is flattened, which is the order
 * that the dense layer's weights are in. */
#ifndef TRAINER_ONNX_LAYER_H
#define TRAINER_ONNX_LAYER_H

#include "trainer/export.h"
#include "trainer/onnx_write.h"

/* Adds what makes the value `output` of `input`, and of `shortcut` where the layer is an `add`.
 * Constants and values between are named after the layer: "conv2d_1.bias".  "dropout" has no
 * nodes: what would be its input is to be named instead of its output. */
int onnx_add_layer(struct onnx_writer *writer, const struct export_layer *layer,
                   const char *input, const char *shortcut, const char *output,
                   struct failure *why);

#endif
