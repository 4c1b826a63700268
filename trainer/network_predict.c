#include "trainer/network_parts.h"

#include <string.h>

struct prediction {
    struct network *network;
    const float *images;
    size_t count;
    float *logits;
};

/* A slot of a thread's values. */
static float *slot(const struct network *network, const struct thread_memory *memory, size_t index)
{
    return memory->values + index * network->predicted_images * network->widest;
}

/* Where a value lies while a thread takes its images, from `images` on, through the layers. */
static const float *find_value(const struct network *network, const struct thread_memory *memory,
                               size_t value, const float *images)
{
    if (value == 0)
        return images;
    return slot(network, memory, network->routes[value - 1].output);
}

/* Takes a few images through all layers at once, in the thread's own memory. */
static void predict_shard(void *context, size_t shard, int thread)
{
    const struct prediction *prediction = context;
    const struct network *network = prediction->network;
    const struct thread_memory *memory = &network->threads[thread];
    size_t most = network->predicted_images, first = shard * most;
    size_t left = prediction->count - first;
    const float *images = prediction->images + first * shape_size(network->input);
    struct pass pass = {
        .first = first,
        .count = left < most ? left : most,
        .batch_count = prediction->count,
        .kept = memory->kept,
        .scratch = memory->scratch,
        .layer_count = network->layer_count,
    };
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        const struct route *route = &network->routes[i];
        if (!layer->type->forward)
            continue;
        pass.input = find_value(network, memory, route->source, images);
        pass.shortcut = route->shortcut != NOTHING
                            ? find_value(network, memory, route->shortcut, images)
                            : NULL;
        pass.output = slot(network, memory, route->output);
        pass.parameters = network->parameters + layer->parameter_offset;
        pass.statistics = network->statistics + layer->statistic_offset;
        pass.arranged = network->arranged + layer->arranged_offset;
        layer->type->forward(layer, &pass);
    }
    size_t classes = (size_t)network->classes;
    memcpy(prediction->logits + first * classes,
           find_value(network, memory, network->logits, images),
           pass.count * classes * sizeof(float));
}

void network_predict(struct network *network, const float *images, size_t count, float *logits)
{
    network_reserve_predictions(network);
    network_arrange(network, &(struct pass){.count = count});
    struct prediction prediction = {network, images, count, logits};
    size_t most = network->predicted_images;
    pool_run(network->pool, predict_shard, &prediction, (count + most - 1) / most);
}
