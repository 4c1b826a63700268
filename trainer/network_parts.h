/* What a network is made of: shared by the files that build, wire and run it.  Nobody
 * else includes this.
 *
 *   network.c          from a model to a network; what it says of itself
 *   network_build.c    the model's layers, one list without any nesting
 *   network_route.c    who needs what of whom, and where it lies meanwhile
 *   network_memory.c   what batches and threads work in
 *   network_run.c      a step of training, and its way forward (network_step.h)
 *   network_pass.c     a layer's share of it
 *   network_back.c     its way back
 *   network_predict.c  predictions
 *
 * A residual becomes its layers, one for the shortcut where that changes the shape, and an
 * `add`.  So a layer has not always its predecessor's output as its input.  Values are
 * numbered: 0 is the images, n the output of layer n - 1.  A layer that runs nothing has
 * no value of its own: what comes in goes on under its number. */
#ifndef TRAINER_NETWORK_PARTS_H
#define TRAINER_NETWORK_PARTS_H

#include "trainer/layer.h"
#include "trainer/pool.h"

/* A batch is worked off in shards of SHARD_IMAGES images, or as many as a layer asks for; a
 * batch with more than SHARDS_MOST of them in fewer, larger ones, because each has a gradient
 * of its own.  Only the size of the batch decides. */
enum { SHARD_IMAGES = 16, SHARDS_MOST = 16 };

#define NOTHING SIZE_MAX /* no value, no slot */

/* How a layer hangs together with the others.  Slots are blocks of [images][widest], used
 * again when what they held is no longer needed. */
struct route {
    size_t source;   /* the value that comes in */
    size_t shortcut; /* the other one that comes into an `add`; else NOTHING */
    int source_layer, shortcut_layer; /* whose outputs the two are, -1: the images; a layer that
                                       * runs nothing is one here */
    bool trained;    /* it or a layer before it has parameters: its gradient is needed */

    size_t output;   /* slot of its output in a prediction, and where it is forgotten */
    bool forgotten;  /* nobody but the next layers of its stretch reads its output */
    bool stops_relu, relu_stopped; /* as in struct pass */
    bool bf16;       /* in a step in bf16, its output and the gradient of that are */

    size_t gradient; /* slot of its output's gradient, complete when its turn comes; where
                      * that is needed */
    size_t passed;   /* slot in which the gradient of the source is left; may be the same.
                      * NOTHING: not needed */
    size_t source_gradient;   /* slot in which that belongs: another one if layers behind
                               * have put theirs there, to which it is added */
    size_t shortcut_gradient; /* likewise of the shortcut; or NOTHING */
    bool shortcut_begins;     /* nobody has put anything there */
    bool hands;               /* the gradient of the source goes to the layer before alone, in
                               * memory of the thread's own, and not into a slot */
    bool repeats;             /* and that layer gathers: this one goes back for that, and again */
};

/* What one step of training leaves for its way back. */
struct batch_memory {
    size_t capacity;        /* images */
    float **outputs;        /* [layer] -> [capacity][output_size]; NULL: the input is the output,
                             * or the output is forgotten */
    void **kept;            /* [layer] -> [capacity][kept_size] */
    double **gathered;      /* [layer] -> forward [gathered_count], backward [gathered_count] */
    double *shares;         /* [SHARDS_MOST][gathered_most]: each shard's, before they are added */
    float **gradients;      /* [gradient_slots] -> [capacity][widest] */
    float *shard_gradients; /* [SHARDS_MOST - 1][parameter_count]; the first shard's
                               are in the network's own block */
};

struct thread_memory {
    float *scratch; /* [scratch_size] */
    float *values;  /* [output_slots][predicted_images][widest]: a prediction's way, and what a
                     * step forgets */
    float *handed[2]; /* [a shard's images][widest]: gradients from one layer to the next */
    void *kept;     /* [predicted_images][kept_most] */
};

struct network {
    struct layer *layers;
    struct route *routes; /* [layer_count] */
    size_t layer_count;
    size_t logits;        /* the value that comes out */
    struct shape input;
    int classes;
    size_t parameter_count;
    float *parameters, *gradients;
    size_t statistic_count;
    float *statistics;
    double label_smoothing;
    enum precision precision; /* of a step */

    size_t output_slots, gradient_slots;
    size_t predicted_images; /* that a thread takes through all layers at once in a prediction:
                              * SHARD_IMAGES, or fewer where their values are many */
    size_t widest;        /* most values of an image that go into or out of a layer */
    size_t scratch_size;  /* most of a layer */
    size_t arranged_size; /* of all layers */
    size_t kept_most;
    size_t gathered_most;
    struct pool *pool;
    struct batch_memory batch;     /* made when the first step needs it */
    struct thread_memory *threads; /* [pool_threads], made when it is first needed, */
    float *arranged;               /* and [arranged_size] with it */
};

/* Sets layers, sources and shortcuts, and adds up what the layers need. */
int network_build(struct network *network, const json_t *model, struct failure *why);
/* Completes the routes of a network that is built. */
void network_route(struct network *network);

/* The gradient of a layer's parameters is set by one pass.  Where they are so few, by one for each
 * block of images, which is then added up; else by one for a whole shard. */
enum { LIGHT_PARAMETERS = 1024 };
bool network_is_heavy(const struct network *network, size_t index);
/* A layer that asks for shards of its own size is alone in its stretch (network_run.c). */
bool network_has_own_shards(const struct network *network, size_t index);
/* The next layer on the way back from behind `index` that has something to do; NOTHING: none. */
size_t network_next_back(const struct network *network, size_t index);

/* How many shards of `wanted` images, or more, a batch of `count` has, and the *images of
 * each but the last. */
size_t network_shards(size_t count, size_t wanted, size_t *images);
/* Has every layer arrange its parameters, as the passes that follow want them. */
void network_arrange(struct network *network, const struct pass *common);
void network_reserve_batch(struct network *network, size_t count);
void network_reserve_predictions(struct network *network);
void network_release_memory(struct network *network);

#endif
