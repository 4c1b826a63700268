#include "trainer/kernels.h"
#include "trainer/loss.h"
#include "trainer/network_parts.h"

#include <string.h>

/* Parameters whose gradients are added up in one piece of work. */
enum { SUM_BLOCK = 16384 };

struct step {
    struct network *network;
    const struct layer *layer; /* whose turn it is, */
    const struct route *route; /* where its values and gradients are, */
    struct pass batch;         /* its pass over the whole batch */
    bool back;                 /* and its direction */
    size_t shard_images, shard_count;
    const float *images;
    const uint16_t *labels;
    struct loss_sum sums[SHARDS_MOST];
};

/* ---- a layer's turn ---- */

static const float *find_value(const struct step *step, size_t value)
{
    return value == 0 ? step->images : step->network->batch.outputs[value - 1];
}

static void begin_layer(struct step *step, size_t index)
{
    struct network *network = step->network;
    const struct batch_memory *memory = &network->batch;
    const struct layer *layer = &network->layers[index];
    const struct route *route = &network->routes[index];
    struct pass *batch = &step->batch;
    step->layer = layer;
    step->route = route;
    step->shard_count =
        network_shards(batch->count, layer->shard_images ? layer->shard_images : SHARD_IMAGES,
                       &step->shard_images);
    batch->input = find_value(step, route->source);
    batch->shortcut = route->shortcut != NOTHING ? find_value(step, route->shortcut) : NULL;
    batch->output = memory->outputs[index];
    batch->kept = memory->kept[index];
    batch->parameters = network->parameters + layer->parameter_offset;
    batch->statistics = network->statistics + layer->statistic_offset;
    batch->gathered = memory->gathered[index];
    batch->gathered_back = batch->gathered ? batch->gathered + layer->gathered_count : NULL;
    if (step->back) {
        batch->output_gradient = memory->gradients[route->gradient];
        batch->input_gradient =
            route->passed != NOTHING ? memory->gradients[route->passed] : NULL;
    }
}

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
    if (batch->shortcut)
        pass.shortcut = batch->shortcut + first * layer->input_size;
    if (batch->kept)
        pass.kept = (char *)batch->kept + first * layer->kept_size;
    if (batch->output_gradient)
        pass.output_gradient = batch->output_gradient + first * layer->output_size;
    if (batch->input_gradient)
        pass.input_gradient = batch->input_gradient + first * layer->input_size;
    pass.parameter_gradient = shard == 0 ? network->gradients
                                         : network->batch.shard_gradients +
                                               (shard - 1) * network->parameter_count;
    pass.parameter_gradient += layer->parameter_offset;
    pass.scratch = network->threads[thread].scratch;
    return pass;
}

static void gather_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    const struct layer *layer = step->layer;
    struct pass pass = shard_pass(step, shard, thread);
    double *share = step->network->batch.shares + shard * layer->gathered_count;
    (step->back ? layer->type->gather_back : layer->type->gather)(layer, &pass, share);
}

/* What the layer wants to know of the whole batch: the shards' shares, added in their order. */
static void gather(struct step *step)
{
    const struct batch_memory *memory = &step->network->batch;
    size_t count = step->layer->gathered_count;
    double *sums = memory->gathered[step->layer->index] + (step->back ? count : 0);
    pool_run(step->network->pool, gather_shard, step, step->shard_count);
    memset(sums, 0, count * sizeof *sums);
    for (size_t shard = 0; shard < step->shard_count; shard++) {
        for (size_t i = 0; i < count; i++)
            sums[i] += memory->shares[shard * count + i];
    }
}

/* ---- forward ---- */

static void forward_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    struct pass pass = shard_pass(step, shard, thread);
    step->layer->type->forward(step->layer, &pass);
}

static void run_forward(struct step *step)
{
    struct network *network = step->network;
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        if (!layer->type->forward)
            continue;
        begin_layer(step, i);
        if (layer->type->gather)
            gather(step);
        if (layer->type->settle)
            layer->type->settle(layer, &step->batch,
                                network->statistics + layer->statistic_offset);
        pool_run(network->pool, forward_shard, step, step->shard_count);
    }
}

/* ---- the loss ---- */

/* Its gradient is that of the mean over the batch, so that shards need only be added up. */
static void loss_shard(void *context, size_t shard, int thread)
{
    (void)thread;
    struct step *step = context;
    const struct network *network = step->network;
    size_t classes = (size_t)network->classes;
    size_t first;
    size_t count = shard_range(step, shard, &first);
    const float *logits = find_value(step, network->logits);
    loss_add_smoothed(count, classes, logits + first * classes, step->labels + first,
                      network->label_smoothing, &step->sums[shard],
                      1.0f / (float)step->batch.count,
                      network->batch.gradients[0] + first * classes);
}

static void run_loss(struct step *step)
{
    step->shard_count = network_shards(step->batch.count, SHARD_IMAGES, &step->shard_images);
    pool_run(step->network->pool, loss_shard, step, step->shard_count);
}

/* ---- backward ---- */

/* The gradients that do not lie where they belong already: an `add` has two inputs, and what
 * has several readers gets the sum of what they pass back. */
static void hand_on(const struct step *step, const struct pass *pass)
{
    const struct route *route = step->route;
    float *const *gradients = step->network->batch.gradients;
    size_t begin = pass->first * step->layer->input_size;
    size_t count = pass->count * step->layer->input_size;
    if (route->shortcut_gradient != NOTHING) {
        float *shortcut = gradients[route->shortcut_gradient] + begin;
        if (route->shortcut_begins)
            memcpy(shortcut, pass->output_gradient, count * sizeof *shortcut);
        else
            kernel_add(count, pass->output_gradient, shortcut);
    }
    if (route->passed != route->source_gradient)
        kernel_add(count, pass->input_gradient, gradients[route->source_gradient] + begin);
}

static void backward_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    struct pass pass = shard_pass(step, shard, thread);
    if (step->layer->type->backward)
        step->layer->type->backward(step->layer, &pass);
    hand_on(step, &pass);
}

/* The shards' gradients of a layer's parameters, added to the first one's. */
static void sum_block(void *context, size_t block, int thread)
{
    (void)thread;
    const struct step *step = context;
    const struct network *network = step->network;
    size_t first = step->layer->parameter_offset + block * SUM_BLOCK;
    size_t left = step->layer->parameter_count - block * SUM_BLOCK;
    size_t count = left < SUM_BLOCK ? left : SUM_BLOCK;
    for (size_t shard = 1; shard < step->shard_count; shard++)
        kernel_add(count,
                   network->batch.shard_gradients + (shard - 1) * network->parameter_count + first,
                   network->gradients + first);
}

static void run_backward(struct step *step)
{
    struct network *network = step->network;
    step->back = true;
    for (size_t i = network->layer_count; i-- > 0;) {
        if (!network->layers[i].type->forward || !network->routes[i].trained)
            continue;
        begin_layer(step, i);
        if (network->layers[i].type->gather_back)
            gather(step);
        pool_run(network->pool, backward_shard, step, step->shard_count);
        if (step->shard_count > 1)
            pool_run(network->pool, sum_block, step,
                     (step->layer->parameter_count + SUM_BLOCK - 1) / SUM_BLOCK);
    }
}

/* ---- the whole ---- */

void network_gradient(struct network *network, const float *images, const uint16_t *labels,
                      size_t count, uint64_t seed, uint32_t trial, uint64_t step_number,
                      double *loss, size_t *correct)
{
    network_reserve_batch(network, count);
    struct step step = {
        .network = network,
        .batch = {.count = count,
                  .batch_count = count,
                  .training = true,
                  .precision = network->precision,
                  .seed = seed,
                  .trial = trial,
                  .step = step_number,
                  .layer_count = network->layer_count},
        .images = images,
        .labels = labels,
    };
    run_forward(&step);
    run_loss(&step);
    run_backward(&step);

    *loss = 0.0;
    *correct = 0;
    for (size_t i = 0; i < SHARDS_MOST; i++) {
        *loss += step.sums[i].loss / (double)count;
        *correct += step.sums[i].correct;
    }
}
