#include "trainer/floats.h"
#include "trainer/kernels.h"
#include "trainer/loss.h"
#include "trainer/network_parts.h"

#include <stdlib.h>
#include <string.h>

/* Parameters whose gradients are added up in one piece of work. */
enum { SUM_BLOCK = 16384 };

/* ---- memory ---- */

static void release_batch(struct network *network)
{
    struct batch_memory *batch = &network->batch;
    for (size_t i = 0; batch->capacity > 0 && i < network->layer_count; i++) {
        free(batch->outputs[i]);
        free(batch->kept[i]);
    }
    free(batch->outputs);
    free(batch->kept);
    free(batch->flow[0]);
    free(batch->flow[1]);
    free(batch->shard_gradients);
    *batch = (struct batch_memory){0};
}

static size_t shards_of(size_t count, size_t *images)
{
    *images = SHARD_IMAGES;
    if (count > (size_t)SHARD_IMAGES * SHARDS_MOST)
        *images = (count + SHARDS_MOST - 1) / SHARDS_MOST;
    return (count + *images - 1) / *images;
}

static void reserve_batch(struct network *network, size_t count)
{
    struct batch_memory *batch = &network->batch;
    if (count <= batch->capacity)
        return;
    release_batch(network);
    size_t shard_images;
    batch->capacity = count;
    batch->outputs = xcalloc(network->layer_count, sizeof *batch->outputs);
    batch->kept = xcalloc(network->layer_count, sizeof *batch->kept);
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        if (layer->type->forward)
            batch->outputs[i] = floats_new(count * layer->output_size);
        if (layer->kept_size > 0)
            batch->kept[i] = xmalloc(count * layer->kept_size);
    }
    batch->flow[0] = floats_new(count * network->widest);
    batch->flow[1] = floats_new(count * network->widest);
    batch->shard_gradients =
        floats_new((shards_of(count, &shard_images) - 1) * network->parameter_count);
}

static void reserve_threads(struct network *network)
{
    if (network->threads)
        return;
    int count = pool_threads(network->pool);
    network->threads = xcalloc((size_t)count, sizeof *network->threads);
    for (int i = 0; i < count; i++)
        network->threads[i].scratch = floats_new(network->scratch_size);
}

static void reserve_predictions(struct network *network)
{
    reserve_threads(network);
    for (int i = 0; i < pool_threads(network->pool); i++) {
        struct thread_memory *thread = &network->threads[i];
        if (thread->kept)
            return;
        thread->values[0] = floats_new(SHARD_IMAGES * network->widest);
        thread->values[1] = floats_new(SHARD_IMAGES * network->widest);
        thread->kept = xmalloc(SHARD_IMAGES * network->kept_most + 1);
    }
}

void network_release_memory(struct network *network)
{
    release_batch(network);
    for (int i = 0; network->threads && i < pool_threads(network->pool); i++) {
        struct thread_memory *thread = &network->threads[i];
        free(thread->scratch);
        free(thread->values[0]);
        free(thread->values[1]);
        free(thread->kept);
    }
    free(network->threads);
    network->threads = NULL;
}

size_t network_batch_bytes(const struct network *network, size_t count)
{
    size_t floats = 2 * network->widest;
    size_t kept = 0;
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        floats += layer->type->forward ? layer->output_size : 0;
        kept += layer->kept_size;
    }
    size_t shard_images;
    size_t shards = shards_of(count, &shard_images);
    return count * (floats * sizeof(float) + kept) +
           (shards - 1) * network->parameter_count * sizeof(float);
}

/* ---- a training step ---- */

struct step {
    struct network *network;
    const struct layer *layer; /* whose turn it is */
    struct pass batch;         /* its pass over the whole batch */
    size_t shard_images, shard_count;
    const uint16_t *labels;
    const float *logits;
    struct loss_sum sums[SHARDS_MOST];
};

/* The images of one shard: how many, and *first. */
static size_t shard_range(const struct step *step, size_t shard, size_t *first)
{
    *first = shard * step->shard_images;
    size_t left = step->batch.count - *first;
    return left < step->shard_images ? left : step->shard_images;
}

/* The share that one shard has of the layer's pass. */
static struct pass shard_pass(const struct step *step, size_t shard, int thread)
{
    const struct network *network = step->network;
    const struct layer *layer = step->layer;
    const struct pass *batch = &step->batch;
    struct pass pass = *batch;
    size_t first;
    pass.count = shard_range(step, shard, &first);
    pass.first = first;
    pass.input = batch->input + first * layer->input_size;
    pass.output = batch->output + first * layer->output_size;
    if (batch->kept)
        pass.kept = (char *)batch->kept + first * layer->kept_size;
    if (batch->output_gradient)
        pass.output_gradient = batch->output_gradient + first * layer->output_size;
    if (batch->input_gradient)
        pass.input_gradient = batch->input_gradient + first * layer->input_size;
    pass.parameters = network->parameters + layer->parameter_offset;
    pass.parameter_gradient = shard == 0 ? network->gradients
                                         : network->batch.shard_gradients +
                                               (shard - 1) * network->parameter_count;
    pass.parameter_gradient += layer->parameter_offset;
    pass.scratch = network->threads[thread].scratch;
    return pass;
}

static void forward_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    struct pass pass = shard_pass(step, shard, thread);
    step->layer->type->forward(step->layer, &pass);
}

static void backward_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    struct pass pass = shard_pass(step, shard, thread);
    step->layer->type->backward(step->layer, &pass);
}

/* The gradient of the mean over the batch, so that shards need only be added up. */
static void loss_shard(void *context, size_t shard, int thread)
{
    (void)thread;
    struct step *step = context;
    size_t classes = (size_t)step->network->classes;
    size_t first;
    size_t count = shard_range(step, shard, &first);
    loss_add_smoothed(count, classes, step->logits + first * classes, step->labels + first,
                      step->network->label_smoothing, &step->sums[shard],
                      1.0f / (float)step->batch.count,
                      step->network->batch.flow[0] + first * classes);
}

static void sum_block(void *context, size_t block, int thread)
{
    (void)thread;
    const struct step *step = context;
    const struct network *network = step->network;
    size_t first = block * SUM_BLOCK;
    size_t left = network->parameter_count - first;
    size_t count = left < SUM_BLOCK ? left : SUM_BLOCK;
    for (size_t shard = 1; shard < step->shard_count; shard++)
        kernel_add(count,
                   network->batch.shard_gradients + (shard - 1) * network->parameter_count + first,
                   network->gradients + first);
}

/* What comes into a layer: the output of the nearest one below that has its own. */
static const float *layer_input(const struct network *network, size_t index, const float *images)
{
    while (index > 0) {
        if (network->batch.outputs[--index])
            return network->batch.outputs[index];
    }
    return images;
}

static void begin_layer(struct step *step, size_t index, const float *images)
{
    struct network *network = step->network;
    step->layer = &network->layers[index];
    step->batch.input = layer_input(network, index, images);
    step->batch.output = network->batch.outputs[index];
    step->batch.kept = network->batch.kept[index];
}

static void run_forward(struct step *step, const float *images)
{
    struct network *network = step->network;
    for (size_t i = 0; i < network->layer_count; i++) {
        if (!network->layers[i].type->forward)
            continue;
        begin_layer(step, i, images);
        pool_run(network->pool, forward_shard, step, step->shard_count);
    }
    step->logits = layer_input(network, network->layer_count, images);
}

static void run_backward(struct step *step, const float *images)
{
    struct network *network = step->network;
    float *behind = network->batch.flow[0];
    float *before = network->batch.flow[1];
    for (size_t i = network->layer_count; i-- > network->lowest;) {
        if (!network->layers[i].type->backward)
            continue;
        begin_layer(step, i, images);
        step->batch.output_gradient = behind;
        step->batch.input_gradient = i > network->lowest ? before : NULL;
        pool_run(network->pool, backward_shard, step, step->shard_count);
        float *swap = behind;
        behind = before;
        before = swap;
    }
}

void network_gradient(struct network *network, const float *images, const uint16_t *labels,
                      size_t count, uint64_t seed, uint32_t trial, uint64_t step_number,
                      double *loss, size_t *correct)
{
    reserve_threads(network);
    reserve_batch(network, count);
    struct step step = {
        .network = network,
        .batch = {.count = count,
                  .training = true,
                  .seed = seed,
                  .trial = trial,
                  .step = step_number,
                  .layer_count = network->layer_count},
        .labels = labels,
    };
    step.shard_count = shards_of(count, &step.shard_images);
    run_forward(&step, images);
    pool_run(network->pool, loss_shard, &step, step.shard_count);
    run_backward(&step, images);
    pool_run(network->pool, sum_block, &step,
             (network->parameter_count + SUM_BLOCK - 1) / SUM_BLOCK);

    *loss = 0.0;
    *correct = 0;
    for (size_t i = 0; i < step.shard_count; i++) {
        *loss += step.sums[i].loss / (double)count;
        *correct += step.sums[i].correct;
    }
}

/* ---- predictions ---- */

struct prediction {
    struct network *network;
    const float *images;
    size_t count;
    float *logits;
};

/* Takes a few images through all layers at once, in the thread's own memory. */
static void predict_shard(void *context, size_t shard, int thread)
{
    const struct prediction *prediction = context;
    const struct network *network = prediction->network;
    const struct thread_memory *memory = &network->threads[thread];
    size_t first = shard * SHARD_IMAGES;
    size_t left = prediction->count - first;
    struct pass pass = {
        .first = first,
        .count = left < SHARD_IMAGES ? left : SHARD_IMAGES,
        .input = prediction->images + first * shape_size(network->input),
        .kept = memory->kept,
        .scratch = memory->scratch,
        .layer_count = network->layer_count,
    };
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        if (!layer->type->forward)
            continue;
        pass.output = memory->values[pass.input == memory->values[0]];
        pass.parameters = network->parameters + layer->parameter_offset;
        layer->type->forward(layer, &pass);
        pass.input = pass.output;
    }
    size_t classes = (size_t)network->classes;
    memcpy(prediction->logits + first * classes, pass.input,
           pass.count * classes * sizeof(float));
}

void network_predict(struct network *network, const float *images, size_t count, float *logits)
{
    reserve_predictions(network);
    struct prediction prediction = {network, images, count, logits};
    pool_run(network->pool, predict_shard, &prediction,
             (count + SHARD_IMAGES - 1) / SHARD_IMAGES);
}
