/* One layer of a network: its shapes, and how it runs forward and backward.
 *
 * A layer holds no activations and no weights: those are the network's, and reach
 * it through a `struct pass`.  So any number of threads may run one layer at once,
 * each over its own images.
 *
 * A new layer is: a row in common/schema.c, a file layer_x.c with its type, a row
 * in the table of layer.c, a gradient test in tests/test_layer_x.c. */
#ifndef TRAINER_LAYER_H
#define TRAINER_LAYER_H

#include "common/rng.h"
#include "trainer/network.h"

struct layer;
struct window;

/* A layer's share of a step: some images of a batch.  Every pointer is at the first
 * of them, and is NULL or without meaning where the comment says so. */
struct pass {
    size_t first, count;         /* images, `first` counted within the batch */
    size_t batch_count;          /* images of the whole batch */
    bool training;               /* dropout drops */
    enum precision precision;    /* fp32 unless in training */
    const float *input;          /* [count][input_size] */
    const float *shortcut;       /* [count][input_size], the second input of `add` alone */
    float *output;               /* [count][output_size] */
    void *kept;                  /* [count][kept_size] bytes from forward to backward */
    const float *parameters;     /* [parameter_count] */
    float *arranged;             /* [arranged_size], what arrange() has made of them */
    const float *statistics;     /* [statistic_count] */
    const double *gathered;      /* [gathered_count], over the whole batch; training only */
    const double *gathered_back; /* likewise; backward only */
    float *scratch;              /* [scratch_size], the thread's own */
    float *output_gradient;      /* [count][output_size]; backward only, which may spoil it */
    bool relu_stopped;           /* it is 0 already where relu, this layer's end, gave 0 */
    bool stops_relu;             /* so must be the input's gradient where the input is 0 */
    float *input_gradient;       /* [count][input_size], to be set; NULL: not wanted */
    /* Instead of the four with such names, which are NULL then, where two layers have agreed on
     * it (bf16_input, bf16_output below): values rounded to bf16. */
    const uint16_t *bf16_input;
    uint16_t *bf16_output, *bf16_output_gradient, *bf16_input_gradient;
    float *parameter_gradient;   /* [parameter_count], to be set; backward only */
    uint64_t seed, step;         /* what is drawn depends on these, */
    uint32_t trial;              /* the layer and the image alone */
    size_t layer_count;          /* of the network */
};

struct layer_type {
    const char *name;  /* in configurations: "conv" */
    const char *label; /* in summaries, numbered: "conv2d" makes "conv2d_1" */

    /* Completes a layer whose type, index and input are set: its output, sizes and
     * plan.  `settings` is complete; what does not fit fails at `where` or below it. */
    int (*prepare)(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why);
    /* Whether the layer does from now on what `next` does, too, which alone reads its output: its
     * output_size and kept_size have become those of both, and `next` runs nothing.  NULL: never. */
    bool (*join)(struct layer *layer, struct layer *next);
    /* NULL for a layer without parameters. */
    void (*initialize)(const struct layer *layer, struct rng *rng, float *parameters);
    /* NULL for a layer without statistics. */
    void (*reset)(const struct layer *layer, float *statistics);
    /* Sets what the passes of a step, or of a prediction, want of the parameters beforehand: once
     * for all images.  Those of the pass are none.  NULL where there is nothing to arrange. */
    void (*arrange)(const struct layer *layer, const struct pass *pass);
    /* forward NULL: the layer's output is its input.  backward NULL: so are its gradients. */
    void (*forward)(const struct layer *layer, const struct pass *pass);
    void (*backward)(const struct layer *layer, const struct pass *pass);
    /* Whether backward does so where pass->stops_relu says: it has the values at hand then, and
     * the layer before need not go over them again. */
    bool stops_relu;
    /* Whether backward may as well be called twice: it has no parameters, spoils nothing and takes
     * no longer than writing what it gives to memory, and reading it again. */
    bool repeats;

    /* For a layer whose result depends on the whole batch, in training: what the images of a
     * pass add to its sums.  Those of the whole batch are then in the passes of forward and
     * of backward.  NULL where there is nothing to gather. */
    void (*gather)(const struct layer *layer, const struct pass *pass,
                   double *share /* [gathered_count], to be added to */);
    void (*gather_back)(const struct layer *layer, const struct pass *pass,
                        double *share /* [gathered_count], to be added to */);
    /* Then takes the whole batch's sums into the statistics, once; NULL likewise. */
    void (*settle)(const struct layer *layer, const struct pass *batch, float *statistics);
};

struct layer {
    const struct layer_type *type;
    json_t *settings; /* that it was made of, or NULL */
    size_t index;     /* in the network, from 0 */
    struct shape input, output;
    bool input_flat, output_flat;   /* a vector of `channels` values, no image */
    size_t input_size, output_size; /* values of one image, as it runs */
    size_t parameter_count;
    size_t parameter_offset;        /* within the network's block */
    size_t statistic_count;
    size_t statistic_offset;        /* likewise */
    size_t arranged_size;           /* floats for all threads */
    size_t arranged_offset;         /* likewise */
    size_t gathered_count;          /* sums over the batch, forward and backward each */
    size_t shard_images;            /* in a step, worked on at once; 0: SHARD_IMAGES */
    bool ends_in_relu;              /* backward has to stop the gradient where the output is 0,
                                     * unless pass->relu_stopped, and needs the output for no
                                     * more than that */
    bool forgets_input, forgets_output; /* backward does not look at them */
    bool bf16_input, bf16_output;   /* a pass in bf16 may have its input, or its output, and their
                                     * gradients, in bf16, */
    bool bf16_passes;               /* the latter only if the former is */
    size_t kept_size;               /* bytes for one image */
    size_t scratch_size;            /* floats for one thread */
    double flops;                   /* forward, per image */
    void *plan;                     /* what the type worked out; one block, or NULL */
};

/* NULL for a name that is no layer's. */
const struct layer_type *layer_type_find(const char *name);

/* Completes a layer whose index, input and input_flat are set, and whose type is too or is
 * named by `settings`.  -1 with nothing to release when it does not fit. */
int layer_prepare(struct layer *layer, const json_t *settings, const char *where,
                  struct failure *why);
void layer_release(struct layer *layer);

/* ---- for the layers ---- */

size_t shape_size(struct shape shape);
/* Sets an image or a vector as the layer's output. */
void layer_output_image(struct layer *layer, size_t height, size_t width, size_t channels);
void layer_output_vector(struct layer *layer, size_t values);
void layer_output_as_input(struct layer *layer);
/* A failure at `where` unless the input is an image. */
int layer_needs_image(const struct layer *layer, const char *where, struct failure *why);

/* That of a pool, but for global_avg_pool. */
const struct window *layer_pool_window(const struct layer *layer);

size_t setting_size(const json_t *settings, const char *name);
double setting_number(const json_t *settings, const char *name);
bool setting_is(const json_t *settings, const char *name, const char *word);
const char *setting_word(const json_t *settings, const char *name);

/* ---- the types, each in its file or with its like ---- */

extern const struct layer_type layer_conv;
extern const struct layer_type layer_max_pool;
extern const struct layer_type layer_max_pool_joined; /* the layer before it does it */
extern const struct layer_type layer_avg_pool;
extern const struct layer_type layer_global_avg_pool;
extern const struct layer_type layer_dropout;
extern const struct layer_type layer_flatten;
extern const struct layer_type layer_dense;
extern const struct layer_type layer_relu;
extern const struct layer_type layer_leaky_relu;
extern const struct layer_type layer_elu;
extern const struct layer_type layer_tanh;
extern const struct layer_type layer_sigmoid;
extern const struct layer_type layer_gelu;
extern const struct layer_type layer_batch_norm;

/* What a residual is made of beside its own layers; no configuration names them. */
extern const struct layer_type layer_shortcut_conv;
extern const struct layer_type layer_shortcut_dense;
extern const struct layer_type layer_add;

#endif
