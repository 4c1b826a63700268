#include "trainer/floats.h"
#include "trainer/network_parts.h"

#include <stdlib.h>

/* More than that for a thread's predictions is for a single image alone. */
static const size_t PREDICTION_BYTES = (size_t)128 << 20;

size_t network_shards(size_t count, size_t wanted, size_t *images)
{
    *images = wanted;
    if (count > wanted * SHARDS_MOST)
        *images = (count + SHARDS_MOST - 1) / SHARDS_MOST;
    return (count + *images - 1) / *images;
}

static void release_batch(struct network *network)
{
    struct batch_memory *batch = &network->batch;
    for (size_t i = 0; batch->capacity > 0 && i < network->layer_count; i++) {
        free(batch->outputs[i]);
        free(batch->kept[i]);
        free(batch->gathered[i]);
    }
    for (size_t i = 0; batch->capacity > 0 && i < network->gradient_slots; i++)
        free(batch->gradients[i]);
    free(batch->outputs);
    free(batch->kept);
    free(batch->gathered);
    free(batch->shares);
    free(batch->gradients);
    free(batch->shard_gradients);
    for (int i = 0; network->threads && i < pool_threads(network->pool); i++) {
        free(network->threads[i].handed[0]);
        free(network->threads[i].handed[1]);
    }
    *batch = (struct batch_memory){0};
}

static void reserve_layer(struct network *network, const struct layer *layer)
{
    struct batch_memory *batch = &network->batch;
    size_t i = layer->index, count = batch->capacity;
    if (layer->type->forward && !network->routes[i].forgotten)
        batch->outputs[i] = floats_new(count * layer->output_size);
    if (layer->kept_size > 0)
        batch->kept[i] = xmalloc(count * layer->kept_size);
    if (layer->gathered_count > 0)
        batch->gathered[i] = xcalloc(2 * layer->gathered_count, sizeof **batch->gathered);
}

static void reserve_threads(struct network *network)
{
    if (network->threads)
        return;
    int count = pool_threads(network->pool);
    network->threads = xcalloc((size_t)count, sizeof *network->threads);
    for (int i = 0; i < count; i++)
        network->threads[i].scratch = floats_new(network->scratch_size);
    network->arranged = floats_new(network->arranged_size);
}

static size_t count_predicted(const struct network *network)
{
    size_t each = network->output_slots * network->widest * sizeof(float) + network->kept_most;
    size_t fit = each > 0 ? PREDICTION_BYTES / each : SHARD_IMAGES;
    return fit < 1 ? 1 : fit < SHARD_IMAGES ? fit : SHARD_IMAGES;
}

void network_reserve_predictions(struct network *network)
{
    reserve_threads(network);
    network->predicted_images = count_predicted(network);
    size_t images = network->predicted_images;
    for (int i = 0; i < pool_threads(network->pool); i++) {
        struct thread_memory *thread = &network->threads[i];
        if (thread->kept)
            return;
        thread->values = floats_new(network->output_slots * images * network->widest);
        thread->kept = xmalloc(images * network->kept_most + 1);
    }
}

/* Images of a stretch back at once, at most. */
static size_t handed_images(size_t count)
{
    size_t images;
    network_shards(count, SHARD_IMAGES, &images);
    return images < count ? images : count;
}

static void reserve_handed(struct network *network, size_t count)
{
    for (int i = 0; i < pool_threads(network->pool); i++) {
        for (size_t k = 0; k < 2; k++)
            network->threads[i].handed[k] = floats_new(handed_images(count) * network->widest);
    }
}

void network_reserve_batch(struct network *network, size_t count)
{
    struct batch_memory *batch = &network->batch;
    network_reserve_predictions(network);
    if (count <= batch->capacity)
        return;
    release_batch(network);
    size_t shard_images, shards = network_shards(count, SHARD_IMAGES, &shard_images);
    batch->capacity = count;
    batch->outputs = xcalloc(network->layer_count, sizeof *batch->outputs);
    batch->kept = xcalloc(network->layer_count, sizeof *batch->kept);
    batch->gathered = xcalloc(network->layer_count, sizeof *batch->gathered);
    batch->gradients = xcalloc(network->gradient_slots, sizeof *batch->gradients);
    for (size_t i = 0; i < network->layer_count; i++)
        reserve_layer(network, &network->layers[i]);
    for (size_t i = 0; i < network->gradient_slots; i++)
        batch->gradients[i] = floats_new(count * network->widest);
    if (network->gathered_most > 0)
        batch->shares = xcalloc(SHARDS_MOST * network->gathered_most, sizeof *batch->shares);
    batch->shard_gradients = floats_new((shards - 1) * network->parameter_count);
    reserve_handed(network, count);
}

void network_release_memory(struct network *network)
{
    release_batch(network);
    for (int i = 0; network->threads && i < pool_threads(network->pool); i++) {
        struct thread_memory *thread = &network->threads[i];
        free(thread->scratch);
        free(thread->values);
        free(thread->kept);
    }
    free(network->threads);
    network->threads = NULL;
    free(network->arranged);
    network->arranged = NULL;
}

size_t network_batch_bytes(const struct network *network, size_t count)
{
    size_t floats = network->gradient_slots * network->widest;
    size_t kept = 0, threads = (size_t)pool_threads(network->pool);
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        floats += layer->type->forward && !network->routes[i].forgotten ? layer->output_size : 0;
        kept += layer->kept_size;
    }
    size_t shard_images;
    size_t shards = network_shards(count, SHARD_IMAGES, &shard_images);
    size_t handed = threads * 2 * handed_images(count) * network->widest;
    size_t working = threads * network->scratch_size + network->arranged_size;
    return count * (floats * sizeof(float) + kept) +
           ((shards - 1) * network->parameter_count + handed + working) * sizeof(float);
}
