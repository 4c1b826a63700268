/* A network: a list of layers, one block of parameters, one of gradients.
 *
 * The list has no nesting: a residual appears as its layers one by one, then its
 * "shortcut" where that has weights, then an "add" of the two.
 *
 * Activations are NHWC: [image][height][width][channels].  The last layer's
 * output is one logit per class; softmax and cross-entropy are in loss.h.
 *
 * Threads split a batch into shards of a fixed number of images, each with a
 * gradient of its own, added in the shards' order: the same bits for every
 * number of threads. */
#ifndef TRAINER_NETWORK_H
#define TRAINER_NETWORK_H

#include "common/base.h"
#include "trainer/precision.h"

#include <jansson.h>

struct shape {
    int height, width, channels;
};

struct network;

struct layer_summary {
    char name[32];          /* "conv2d_1", numbered as they come */
    const char *type;       /* "conv"; also of a "shortcut" between images */
    struct shape output;
    bool flat;              /* output is a vector of `channels` values */
    size_t parameters;
    double flops;           /* forward, per image; multiply and add count as two */
};

/* Builds the network of a checked model for images of `input`.  A layer that
 * does not fit fails with `where` = "model[i]" or "model[i].setting", within a
 * residual "model[i].layers[j]".  The last layer must give `classes` values. */
struct network *network_new(const json_t *model, struct shape input, int classes, int threads,
                            struct failure *why);
void network_free(struct network *network);
/* How many parameters and statistics that network would have; it takes no memory for them. */
int network_count(const json_t *model, struct shape input, int classes, size_t *parameters,
                  size_t *statistics, struct failure *why);

/* How a layer was made and hangs together with the others. */
struct layer_detail {
    const json_t *settings; /* complete; of a shortcut those of layer_shortcut.c, of `add` NULL */
    struct shape input;
    bool input_flat;
    bool beside;            /* a residual's shortcut, which has weights */
    int source;             /* the layer whose output comes in, -1: the images */
    int shortcut;           /* likewise, the second input of an `add` */
    const float *parameters, *statistics;
    size_t statistic_count;
};

size_t network_layer_count(const struct network *network);
void network_layer(const struct network *network, size_t index, struct layer_summary *summary);
void network_layer_detail(const struct network *network, size_t index,
                          struct layer_detail *detail);
double network_flops(const struct network *network); /* forward, per image */
int network_classes(const struct network *network);
struct shape network_input(const struct network *network);

/* The flat vectors, [network_parameter_count] each. */
size_t network_parameter_count(const struct network *network);
float *network_parameters(struct network *network);
float *network_gradients(struct network *network);

/* What training keeps beside the parameters, to predict with: batch_norm's running means and
 * variances.  No optimizer sees them; a checkpoint has them.  [network_statistic_count],
 * NULL or not when that is 0. */
size_t network_statistic_count(const struct network *network);
float *network_statistics(struct network *network);

/* Exchanges the blocks of parameters and statistics for the caller's of the same lengths,
 * to predict with other weights; from floats_new(), for who holds a block frees it. */
void network_swap_weights(struct network *network, float **parameters, float **statistics);

/* Memory that training on batches of `count` images takes, beside the parameters and
 * their gradients. */
size_t network_batch_bytes(const struct network *network, size_t count);

/* Draws initial weights (He or Glorot, as each layer says); biases are 0.  Statistics are
 * as before any training. */
void network_initialize(struct network *network, uint64_t seed, uint32_t trial);

/* Label smoothing of the loss that network_gradient() works with, see loss.h; 0 at first. */
void network_smooth_labels(struct network *network, double smoothing);

/* What network_gradient() computes in; fp32 at first.  network_predict() is fp32 always. */
void network_set_precision(struct network *network, enum precision precision);

/* One training step's gradients (`count` at least 1): mean loss over the batch in
 * *loss, its gradient in network_gradients(), how many images were right in *correct.
 * The statistics take the batch in.
 * (seed, trial, step) decide what dropout drops. */
void network_gradient(struct network *network,
                      const float *images /* [count][height][width][channels] */,
                      const uint16_t *labels /* [count] */, size_t count,
                      uint64_t seed, uint32_t trial, uint64_t step,
                      double *loss, size_t *correct);

/* Logits without dropout and by the statistics: each image's own, whatever the others.  Any
 * count, worked off in pieces. */
void network_predict(struct network *network,
                     const float *images /* [count][height][width][channels] */, size_t count,
                     float *logits /* [count][classes] */);

#endif
