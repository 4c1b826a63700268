/* What a network is made of: shared by network.c, which builds it, and
 * network_run.c, which runs it.  Nobody else includes this. */
#ifndef TRAINER_NETWORK_PARTS_H
#define TRAINER_NETWORK_PARTS_H

#include "trainer/layer.h"
#include "trainer/pool.h"

/* A batch is worked off in shards of SHARD_IMAGES images; a batch with more than
 * SHARDS_MOST of them in fewer, larger ones, because each has a gradient of its
 * own.  Only the size of the batch decides. */
enum { SHARD_IMAGES = 16, SHARDS_MOST = 16 };

/* What one step of training leaves for its way back. */
struct batch_memory {
    size_t capacity;        /* images */
    float **outputs;        /* [layer] -> [capacity][output_size]; NULL: the input is the output */
    void **kept;            /* [layer] -> [capacity][kept_size] */
    float *flow[2];         /* [capacity][widest]: gradients behind and before a layer */
    float *shard_gradients; /* [SHARDS_MOST - 1][parameter_count]; the first shard's
                               are in the network's own block */
};

struct thread_memory {
    float *scratch;   /* [scratch_size] */
    float *values[2]; /* [SHARD_IMAGES][widest]: a prediction's way through the layers */
    void *kept;       /* [SHARD_IMAGES][kept_most] */
};

struct network {
    struct layer *layers;
    size_t layer_count;
    struct shape input;
    int classes;
    size_t parameter_count;
    float *parameters, *gradients;
    size_t statistic_count;
    float *statistics;
    double label_smoothing;

    size_t lowest;       /* first layer with parameters: gradients go no further down */
    size_t widest;       /* most values of an image that go into or out of a layer */
    size_t scratch_size; /* most of a layer */
    size_t kept_most;
    struct pool *pool;
    struct batch_memory batch;     /* made when the first step needs it */
    struct thread_memory *threads; /* [pool_threads], made when it is first needed */
};

void network_release_memory(struct network *network);

#endif
