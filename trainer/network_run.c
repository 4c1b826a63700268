#include "trainer/kernels.h"
#include "trainer/loss.h"
#include "trainer/network_parts.h"

#include <string.h>

/* A step goes through the layers in stretches, and so back: a shard takes all layers of a stretch
 * before the next one begins, so that what one layer leaves is still in a near cache when the next
 * comes to it.  Where a layer wants to know something of the whole batch, the stretch ends with
 * each shard's share of that.  What nobody asks for later is left in memory of the thread's own,
 * again and again the same, instead of the batch's. */

/* Parameters whose gradients are added up in one piece of work. */
enum { SUM_BLOCK = 16384 };

/* Images that go through a stretch together: a layer's values of so many are small enough for
 * a second-level cache. */
enum { BLOCK_IMAGES = 4 };

struct step {
    struct network *network;
    struct pass common;       /* what the passes of all layers share, over the whole batch */
    bool back;                /* the direction */
    size_t begin, end;        /* the stretch: layers from `begin` to before `end` */
    size_t gathering;         /* the layer that is gathered for behind it, or NOTHING */
    size_t shard_images, shard_count;
    size_t block_images;
    size_t sum_offset, sum_count; /* parameters whose gradients are added up */
    const float *images;
    const uint16_t *labels;
    struct loss_sum sums[SHARDS_MOST];
};

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

/* ---- a layer's pass ---- */

static const float *find_value(const struct step *step, size_t value)
{
    return value == 0 ? step->images : step->network->batch.outputs[value - 1];
}

/* Over the whole batch. */
static struct pass pass_of(const struct step *step, size_t index)
{
    const struct network *network = step->network;
    const struct batch_memory *memory = &network->batch;
    const struct layer *layer = &network->layers[index];
    const struct route *route = &network->routes[index];
    struct pass pass = step->common;
    pass.input = find_value(step, route->source);
    pass.shortcut = route->shortcut != NOTHING ? find_value(step, route->shortcut) : NULL;
    pass.output = memory->outputs[index];
    pass.kept = memory->kept[index];
    pass.parameters = network->parameters + layer->parameter_offset;
    pass.statistics = network->statistics + layer->statistic_offset;
    pass.arranged = network->arranged + layer->arranged_offset;
    pass.gathered = memory->gathered[index];
    pass.gathered_back = pass.gathered ? pass.gathered + layer->gathered_count : NULL;
    pass.relu_stopped = route->relu_stopped;
    pass.stops_relu = route->stops_relu;
    if (step->back) {
        pass.output_gradient = memory->gradients[route->gradient];
        pass.input_gradient = route->passed != NOTHING ? memory->gradients[route->passed] : NULL;
    }
    return pass;
}

/* The images of one shard: how many, and *first. */
static size_t shard_range(const struct step *step, size_t shard, size_t *first)
{
    *first = shard * step->shard_images;
    size_t left = step->common.count - *first;
    return left < step->shard_images ? left : step->shard_images;
}

/* Some images of a batch, as a layer gets them. */
struct part {
    size_t shard, first, count;
    bool begins; /* its shard */
    int thread;
};

/* What a layer leaves for the next of its stretch alone; NULL for the images and other values. */
static float *find_forgotten(const struct network *network, size_t value, int thread)
{
    const struct route *route = value > 0 ? &network->routes[value - 1] : NULL;
    if (!route || !route->forgotten)
        return NULL;
    return network->threads[thread].values +
           route->output * network->predicted_images * network->widest;
}

static struct pass part_of(const struct step *step, size_t index, const struct part *part)
{
    const struct network *network = step->network;
    const struct layer *layer = &network->layers[index];
    struct pass pass = pass_of(step, index);
    pass.first = part->first;
    pass.count = part->count;
    if (pass.input)
        pass.input += part->first * layer->input_size;
    if (pass.output)
        pass.output += part->first * layer->output_size;
    if (pass.shortcut)
        pass.shortcut += part->first * layer->input_size;
    if (pass.kept)
        pass.kept = (char *)pass.kept + part->first * layer->kept_size;
    if (pass.output_gradient)
        pass.output_gradient += part->first * layer->output_size;
    if (pass.input_gradient)
        pass.input_gradient += part->first * layer->input_size;
    pass.parameter_gradient = part->shard == 0 ? network->gradients
                                               : network->batch.shard_gradients +
                                                     (part->shard - 1) * network->parameter_count;
    pass.parameter_gradient += layer->parameter_offset;
    pass.scratch = network->threads[part->thread].scratch;
    float *input = find_forgotten(network, network->routes[index].source, part->thread);
    float *output = find_forgotten(network, index + 1, part->thread);
    pass.input = input ? input : pass.input;
    pass.output = output ? output : pass.output;
    return pass;
}

/* ---- a stretch ---- */

static void forward_part(const struct step *step, const struct part *part)
{
    for (size_t i = step->begin; i < step->end; i++) {
        const struct layer *layer = &step->network->layers[i];
        if (!layer->type->forward)
            continue;
        struct pass pass = part_of(step, i, part);
        layer->type->forward(layer, &pass);
    }
}

static void backward_part(const struct step *step, const struct part *part);

static void gather_part(const struct step *step, const struct part *part)
{
    const struct layer *layer = &step->network->layers[step->gathering];
    struct pass pass = part_of(step, step->gathering, part);
    if (step->back && step->begin < step->end && step->network->routes[step->begin].repeats)
        pass.output_gradient = step->network->threads[part->thread].handed[0];
    double *share = step->network->batch.shares + part->shard * layer->gathered_count;
    (step->back ? layer->type->gather_back : layer->type->gather)(layer, &pass, share);
}

static void run_shard(void *context, size_t shard, int thread)
{
    const struct step *step = context;
    struct part part = {.shard = shard, .thread = thread};
    size_t first, count = shard_range(step, shard, &first);
    for (size_t done = 0; done < count; done += part.count) {
        part.first = first + done;
        part.begins = done == 0;
        part.count = count - done < step->block_images ? count - done : step->block_images;
        if (!step->back)
            forward_part(step, &part);
        else if (step->begin < step->end)
            backward_part(step, &part);
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

static void run_stretch(struct step *step, size_t begin, size_t end, size_t gathering)
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
    struct pass batch = pass_of(step, index);
    layer->type->settle(layer, &batch, step->network->statistics + layer->statistic_offset);
}

static void run_forward(struct step *step)
{
    const struct network *network = step->network;
    size_t end;
    for (size_t begin = 0; begin < network->layer_count; begin = end) {
        if (gathers(network, begin) && (begin == 0 || network_has_own_shards(network, begin - 1)))
            run_stretch(step, begin, begin, begin);
        settle(step, begin);
        end = stretch_end(network, begin);
        bool gathering = gathers(network, end) && !network_has_own_shards(network, end - 1);
        run_stretch(step, begin, end, gathering ? end : NOTHING);
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
                      1.0f / (float)step->common.count,
                      network->batch.gradients[0] + first * classes);
}

static void run_loss(struct step *step)
{
    step->shard_count = network_shards(step->common.count, SHARD_IMAGES, &step->shard_images);
    pool_run(step->network->pool, loss_shard, step, step->shard_count);
}

/* ---- backward ---- */

/* The gradients that do not lie where they belong already: an `add` has two inputs, and what
 * has several readers gets the sum of what they pass back. */
static void hand_on(const struct network *network, const struct layer *layer,
                    const struct pass *pass)
{
    const struct route *route = &network->routes[layer->index];
    float *const *gradients = network->batch.gradients;
    size_t begin = pass->first * layer->input_size;
    size_t count = pass->count * layer->input_size;
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

static void backward_layer(const struct step *step, const struct part *part,
                           const struct layer *layer, struct pass *pass)
{
    float own[LIGHT_PARAMETERS], *sum = pass->parameter_gradient;
    bool adds = layer->parameter_count > 0 && !part->begins;
    pass->parameter_gradient = adds ? own : sum;
    if (layer->type->backward)
        layer->type->backward(layer, pass);
    if (adds)
        kernel_add(layer->parameter_count, own, sum);
    hand_on(step->network, layer, pass);
}

static void backward_part(const struct step *step, const struct part *part)
{
    const struct network *network = step->network;
    float *const *handed = network->threads[part->thread].handed, *gradient = NULL;
    size_t index = NOTHING, next = step->end - 1;
    for (size_t turn = 0; index != step->begin; turn++) {
        index = next;
        next = network_next_back(network, index);
        struct pass pass = part_of(step, index, part);
        if (gradient)
            pass.output_gradient = gradient;
        gradient = handed[turn % 2];
        if (network->routes[index].hands)
            pass.input_gradient = gradient;
        backward_layer(step, part, &network->layers[index], &pass);
    }
}

/* The shards' gradients of some parameters, added to the first one's. */
static void sum_block(void *context, size_t block, int thread)
{
    (void)thread;
    const struct step *step = context;
    const struct network *network = step->network;
    size_t first = step->sum_offset + block * SUM_BLOCK;
    size_t left = step->sum_count - block * SUM_BLOCK;
    size_t count = left < SUM_BLOCK ? left : SUM_BLOCK;
    for (size_t shard = 1; shard < step->shard_count; shard++)
        kernel_add(count,
                   network->batch.shard_gradients + (shard - 1) * network->parameter_count + first,
                   network->gradients + first);
}

static bool gathers_back(const struct network *network, size_t index)
{
    return index != NOTHING && network->layers[index].type->gather_back;
}

/* The last layer of the stretch that begins at a layer on the way back. */
static size_t stretch_end_back(const struct network *network, size_t index)
{
    while (network->routes[index].hands)
        index = network_next_back(network, index);
    return index;
}

/* Of the stretch's layers, which follow one another in the network's block. */
static void sum_shards(struct step *step)
{
    const struct layer *first = &step->network->layers[step->begin];
    const struct layer *last = &step->network->layers[step->end - 1];
    step->sum_offset = first->parameter_offset;
    step->sum_count = last->parameter_offset + last->parameter_count - first->parameter_offset;
    if (step->shard_count > 1)
        pool_run(step->network->pool, sum_block, step,
                 (step->sum_count + SUM_BLOCK - 1) / SUM_BLOCK);
}

static void run_backward(struct step *step)
{
    struct network *network = step->network;
    size_t index = network_next_back(network, network->layer_count), next;
    step->back = true;
    if (gathers_back(network, index))
        run_stretch(step, index, index, index);
    for (; index != NOTHING; index = next) {
        if (network->routes[index].repeats)
            run_stretch(step, index, index + 1, network_next_back(network, index));
        size_t begin = stretch_end_back(network, index);
        next = network_next_back(network, begin);
        bool gathering = gathers_back(network, next);
        bool alone = network_has_own_shards(network, index);
        run_stretch(step, begin, index + 1, gathering && !alone ? next : NOTHING);
        sum_shards(step);
        if (gathering && alone)
            run_stretch(step, next, next, next);
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
    run_backward(&step);

    *loss = 0.0;
    *correct = 0;
    for (size_t i = 0; i < SHARDS_MOST; i++) {
        *loss += step.sums[i].loss / (double)count;
        *correct += step.sums[i].correct;
    }
}
