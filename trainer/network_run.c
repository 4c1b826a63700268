#include "trainer/network_step.h"

#include <string.h>

/* Images that go through a stretch together: a layer's values of so many are small enough for
 * a second-level cache. */
enum { BLOCK_IMAGES = 4 };

/* ---- before the passes ---- */

struct arranging {
    const struct network *network;
    const struct pass *common;
};

static void arrange_layer(void *context, size_t index, int thread)
{
    (void)thread;
    const struct arranging *arranging = context;
    const struct network *network = arranging->network;
    const struct layer *layer = &network->layers[index];
    struct pass pass = *arranging->common;
    pass.parameters = network->parameters + layer->parameter_offset;
    pass.arranged = network->arranged + layer->arranged_offset;
    if (layer->type->arrange)
        layer->type->arrange(layer, &pass);
}

void network_arrange(struct network *network, const struct pass *common)
{
    struct arranging arranging = {network, common};
    if (network->arranged_size > 0)
        pool_run(network->pool, arrange_layer, &arranging, network->layer_count);
}

/* ---- a stretch ---- */

size_t network_shard_range(const struct step *step, size_t shard, size_t *first)
{
    *first = shard * step->shard_images;
    size_t left = step->common.count - *first;
    return left < step->shard_images ? left : step->shard_images;
}

static void forward_part(const struct step *step, const struct part *part)
{
    for (size_t i = step->begin; i < step->end; i++) {
        const struct layer *layer = &step->network->layers[i];
        if (!layer->type->forward)
            continue;
        struct pass pass = network_part_of(step, i, part);
        network_name_bf16(step, i, &pass);
        layer->type->forward(layer, &pass);
    }
}

static void gather_part(const struct step *step, const struct part *part)
{
    const struct layer *layer = &step->network->layers[step->gathering];
    struct pass pass = network_part_of(step, step->gathering, part);
    if (step->back && step->begin < step->end && step->network->routes[step->begin].repeats)
        pass.output_gradient = step->network->threads[part->thread].handed[0];
    network_name_bf16(step, step->gathering, &pass);
    double *share = step->network->batch.shares + part->shard * layer->gathered_count;
    (step->back ? layer->type->gather_back : layer->type->gather)(layer, &pass, share);
}

static void run_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    struct part part = {.shard = shard, .thread = thread};
    size_t first, count = network_shard_range(step, shard, &first);
    for (size_t done = 0; done < count; done += part.count) {
        part.first = first + done;
        part.begins = done == 0;
        part.count = count - done < step->block_images ? count - done : step->block_images;
        if (!step->back)
            forward_part(step, &part);
        else if (step->begin < step->end)
            network_part_back(step, &part);
        if (step->gathering != NOTHING)
            gather_part(step, &part);
    }
}

/* What the layer wants to know of the whole batch: the shards' shares, added in their order. */
static void add_shares(const struct step *step)
{
    const struct batch_memory *memory = &step->network->batch;
    size_t count = step->network->layers[step->gathering].gathered_count;
    double *sums = memory->gathered[step->gathering] + (step->back ? count : 0);
    memset(sums, 0, count * sizeof *sums);
    for (size_t shard = 0; shard < step->shard_count; shard++) {
        for (size_t i = 0; i < count; i++)
            sums[i] += memory->shares[shard * count + i];
    }
}

/* What a thread has memory of its own for, too. */
static size_t block_images(const struct network *network)
{
    return network->predicted_images < BLOCK_IMAGES ? network->predicted_images : BLOCK_IMAGES;
}

void network_run_stretch(struct step *step, size_t begin, size_t end, size_t gathering)
{
    struct network *network = step->network;
    size_t own = begin < end ? network->layers[begin].shard_images : 0;
    bool whole = own > 0 || (step->back && begin < end && network_is_heavy(network, begin));
    step->begin = begin;
    step->end = end;
    step->gathering = gathering;
    step->shard_count = network_shards(step->common.count, own ? own : SHARD_IMAGES,
                                       &step->shard_images);
    step->block_images = whole ? step->shard_images : block_images(network);
    if (gathering != NOTHING)
        memset(network->batch.shares, 0, step->shard_count *
               network->layers[gathering].gathered_count * sizeof *network->batch.shares);
    pool_run(network->pool, run_shard, step, step->shard_count);
    if (gathering != NOTHING)
        add_shares(step);
}

/* ---- forward ---- */

/* Where the stretch that begins at a layer ends. */
static size_t stretch_end(const struct network *network, size_t begin)
{
    size_t end = begin + 1;
    while (end < network->layer_count && !network->layers[end].type->gather &&
           !network_has_own_shards(network, begin) && !network_has_own_shards(network, end))
        end++;
    return end;
}

static bool gathers(const struct network *network, size_t index)
{
    return index < network->layer_count && network->layers[index].type->gather;
}

static void settle(const struct step *step, size_t index)
{
    const struct layer *layer = &step->network->layers[index];
    if (!layer->type->settle)
        return;
    struct pass batch = network_pass_of(step, index);
    layer->type->settle(layer, &batch, step->network->statistics + layer->statistic_offset);
}

static void run_forward(struct step *step)
{
    const struct network *network = step->network;
    size_t end;
    for (size_t begin = 0; begin < network->layer_count; begin = end) {
        if (gathers(network, begin) && (begin == 0 || network_has_own_shards(network, begin - 1)))
            network_run_stretch(step, begin, begin, begin);
        settle(step, begin);
        end = stretch_end(network, begin);
        bool gathering = gathers(network, end) && !network_has_own_shards(network, end - 1);
        network_run_stretch(step, begin, end, gathering ? end : NOTHING);
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
    size_t count = network_shard_range(step, shard, &first);
    const float *logits = network_find_value(step, network->logits);
    loss_add_smoothed(count, classes, logits + first * classes, step->labels + first,
                      network->label_smoothing, &step->sums[shard],
                      1.0f / (float)step->common.count,
                      network->batch.gradients[0] + first * classes);
}

static void run_loss(struct step *step)
{
    step->shard_count = network_shards(step->common.count, SHARD_IMAGES, &step->shard_images);
    pool_run(step->network->pool, loss_shard, step, step->shard_count);
}

/* ---- the whole ---- */

void network_gradient(struct network *network, const float *images, const uint16_t *labels,
                      size_t count, uint64_t seed, uint32_t trial, uint64_t step_number,
                      double *loss, size_t *correct)
{
    network_reserve_batch(network, count);
    struct step step = {
        .network = network,
        .common = {.count = count,
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
    network_arrange(network, &step.common);
    run_forward(&step);
    run_loss(&step);
    network_run_backward(&step);

    *loss = 0.0;
    *correct = 0;
    for (size_t i = 0; i < SHARDS_MOST; i++) {
        *loss += step.sums[i].loss / (double)count;
        *correct += step.sums[i].correct;
    }
}
