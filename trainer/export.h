/* A trained network as those see it who write it down for other programs: a list of layers
 * in the order of running, with their settings, shapes and weights, and where their inputs
 * come from.  There is no nesting: a residual is its layers, its "shortcut" where that has
 * weights, and an "add".
 *
 * The weights are the ones that count: the best epoch's if the checkpoint has such, else the
 * averaged ones, else the last; fp32, whatever trained them.
 *
 * Activations are [height][width][channels] here and a flattened image is in that order.  What
 * expects [channels][height][width] must either turn the images round before it flattens them
 * or turn round the weights of the dense layer behind.
 *
 * What a layer has in `parameters` and `statistics`:
 *
 *   conv        weights [size][size][input channels][output channels], bias [output channels]
 *   dense       weights [input values][units], bias [units]
 *   batch_norm  gamma, beta; statistics: mean, variance; [channels] each
 *   shortcut    weights [input channels][output channels], without bias
 *
 * and what it computes is said at the head of trainer/layer_<type>.c, of activations in
 * activation.h.  "dropout" does nothing here. */
#ifndef TRAINER_EXPORT_H
#define TRAINER_EXPORT_H

#include "trainer/network.h"
#include "trainer/window.h"

struct export_layer {
    const char *type;         /* as in configurations: "conv", ...; or "shortcut", "add" */
    char name[32];            /* "conv2d_1": the summary's; no two are the same */
    const json_t *settings;   /* complete, as the schema gives them; `shortcut`, `add`: NULL */
    struct shape input, output;
    bool input_flat, output_flat; /* a vector of `channels` values, no image */
    struct window window;     /* of conv, max_pool, avg_pool and a shortcut between images */
    const char *activation;   /* that it is or ends in: "relu", ...; NULL: none */
    float slope;              /* of leaky_relu */
    double epsilon;           /* of batch_norm */
    const float *parameters;
    size_t parameter_count;
    const float *statistics;
    size_t statistic_count;
    int source;               /* the layer whose output comes in, counted from 0; -1: the images */
    int shortcut;             /* of `add`: likewise, the second input; else -1 */
};

struct export_model {
    struct shape input;
    int classes;
    const struct export_layer *layers; /* [count]; the last one's output are the logits, which
                                          may be an image of 1x1 */
    size_t count;
    bool unit_pixels;         /* an ONNX network takes pixels in [0, 1], as the layers and every
                                 other format do; else 0 to 255, and divides them itself.  Set by
                                 who asks for it */
    const json_t *header;     /* the checkpoint's: see checkpoint.h */
    struct network *network;  /* what the layers were read from: for network_predict() */
};

/* From a checkpoint; NULL on failure. */
struct export_model *export_model_load(const char *checkpoint, struct failure *why);
void export_model_free(struct export_model *model);

/* The formats, each in its file, where it is described.  Each replaces `path`, whole or not at
 * all, and only after what it writes was read back and found right.  All but ONNX have a second
 * file that goes beside it. */
int export_onnx(const struct export_model *model, const char *path, struct failure *why);
int export_safetensors(const struct export_model *model, const char *path, struct failure *why);
int export_npz(const struct export_model *model, const char *path, struct failure *why);
int export_c(const struct export_model *model, const char *path, struct failure *why);

/* The two halves of the parameters of conv and dense; of a shortcut the bias is NULL. */
const float *export_weights(const struct export_layer *layer);
const float *export_bias(const struct export_layer *layer);

/* Whether the layer takes an image and gives its values as a vector, row by row, pixel by
 * pixel, channel by channel. */
bool export_flattens_image(const struct export_layer *layer);

#endif
