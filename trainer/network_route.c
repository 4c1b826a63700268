#include "trainer/network_parts.h"

#include <stdlib.h>

/* Slots that are taken and given back as a pass over the layers goes on. */
struct slots {
    bool *taken;
    size_t count; /* that were ever needed */
};

static size_t take_slot(struct slots *slots)
{
    size_t slot = 0;
    while (slots->taken[slot])
        slot++;
    slots->taken[slot] = true;
    if (slot >= slots->count)
        slots->count = slot + 1;
    return slot;
}

static void give_back(struct slots *slots, size_t slot)
{
    slots->taken[slot] = false;
}

/* Never more slots than values are taken, and one to leave a gradient in. */
static struct slots slots_new(const struct network *network)
{
    return (struct slots){xcalloc(network->layer_count + 2, sizeof(bool)), 0};
}

/* ---- what is asked of the layers ---- */

bool network_is_heavy(const struct network *network, size_t index)
{
    return network->layers[index].parameter_count > LIGHT_PARAMETERS;
}

bool network_has_own_shards(const struct network *network, size_t index)
{
    return network->layers[index].shard_images > 0;
}

/* The only layer that reads a layer's output; NOTHING where there is not just one. */
static size_t only_reader(const struct network *network, size_t index)
{
    size_t value = index + 1, reader = NOTHING, readers = value == network->logits;
    for (size_t i = index + 1; i < network->layer_count; i++) {
        const struct route *route = &network->routes[i];
        if (network->layers[i].type->forward && route->source == value) {
            reader = i;
            readers++;
        }
        if (route->shortcut == value)
            readers++;
    }
    return readers == 1 ? reader : NOTHING;
}

/* ---- forward ---- */

/* The last layer that reads each value; the logits are read after all. */
static size_t *find_last_readers(const struct network *network)
{
    size_t *readers = xcalloc(network->layer_count + 1, sizeof *readers);
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct route *route = &network->routes[i];
        readers[route->source] = i;
        if (route->shortcut != NOTHING)
            readers[route->shortcut] = i;
    }
    readers[network->logits] = network->layer_count;
    return readers;
}

static void route_outputs(struct network *network)
{
    struct slots slots = slots_new(network);
    size_t *last_reader = find_last_readers(network);
    for (size_t i = 0; i < network->layer_count; i++) {
        struct route *route = &network->routes[i];
        if (!network->layers[i].type->forward)
            continue;
        route->output = take_slot(&slots);
        const size_t inputs[] = {route->source, route->shortcut};
        for (size_t k = 0; k < ARRAY_LENGTH(inputs); k++) {
            size_t value = inputs[k];
            if (value != 0 && value != NOTHING && last_reader[value] == i)
                give_back(&slots, network->routes[value - 1].output);
        }
    }
    network->output_slots = slots.count;
    free(last_reader);
    free(slots.taken);
}

/* ---- backward ---- */

static bool is_trained(const struct network *network, size_t value)
{
    return value != 0 && value != NOTHING && network->routes[value - 1].trained;
}

static void find_trained(struct network *network)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        struct route *route = &network->routes[i];
        route->trained = network->layers[i].parameter_count > 0 ||
                         is_trained(network, route->source) ||
                         is_trained(network, route->shortcut);
    }
}

size_t network_next_back(const struct network *network, size_t index)
{
    while (index-- > 0) {
        if (network->layers[index].type->forward && network->routes[index].trained)
            return index;
    }
    return NOTHING;
}

/* Where a layer's gradient comes from the one behind it alone, the two go back together: without
 * waiting for a shard that is worked off block by block, nor for a sum over the batch, but where
 * the same can be had again after it. */
static bool can_hand(const struct network *network, size_t index, size_t before)
{
    const struct layer_type *type = network->layers[index].type;
    const struct layer_type *before_type = network->layers[before].type;
    return only_reader(network, before) == index && type->backward && before_type->backward &&
           (!before_type->gather_back || type->repeats) && !network_is_heavy(network, index) &&
           !network_has_own_shards(network, index) && !network_has_own_shards(network, before);
}

/* What goes back twice must find its own gradient again: nobody hands it that. */
static void route_handed(struct network *network)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        struct route *route = &network->routes[i];
        size_t before = network_next_back(network, i);
        if (before == NOTHING || network->routes[before].repeats)
            continue;
        route->hands = can_hand(network, i, before);
        route->repeats = route->hands && network->layers[before].type->gather_back;
    }
}

/* The gradient of a value begins with the last layer that reads it, which comes first on the
 * way back; `of` has the slots of those that have begun. */
static void route_layer_back(struct network *network, size_t index, struct slots *slots,
                             size_t *of)
{
    struct route *route = &network->routes[index];
    size_t own = of[index + 1], source = route->source, shortcut = route->shortcut;
    route->gradient = own;
    if (is_trained(network, shortcut)) {
        route->shortcut_begins = of[shortcut] == NOTHING;
        if (route->shortcut_begins)
            of[shortcut] = take_slot(slots);
        route->shortcut_gradient = of[shortcut];
    }
    if (is_trained(network, source)) {
        bool elsewhere = network->layers[index].type->backward && !route->hands;
        route->passed = elsewhere ? take_slot(slots) : own;
        if (of[source] == NOTHING)
            of[source] = route->passed;
        else
            give_back(slots, route->passed);
        route->source_gradient = of[source];
    }
    if (own != route->source_gradient)
        give_back(slots, own);
}

/* The loss leaves its gradient in the first slot. */
static void route_gradients(struct network *network)
{
    struct slots slots = slots_new(network);
    size_t *of = xcalloc(network->layer_count + 1, sizeof *of);
    for (size_t value = 0; value <= network->layer_count; value++)
        of[value] = NOTHING;
    of[network->logits] = take_slot(&slots);
    for (size_t i = network->layer_count; i-- > 0;) {
        struct route *route = &network->routes[i];
        route->passed = route->source_gradient = route->shortcut_gradient = NOTHING;
        if (network->layers[i].type->forward && route->trained)
            route_layer_back(network, i, &slots, of);
    }
    network->gradient_slots = slots.count;
    free(of);
    free(slots.taken);
}

/* ---- what need not be kept, nor done twice ---- */

static bool in_one_stretch(const struct network *network, size_t first, size_t last)
{
    bool one = !network_has_own_shards(network, first);
    for (size_t i = first + 1; one && i <= last; i++)
        one = !network->layers[i].type->gather && !network_has_own_shards(network, i);
    return one;
}

static void route_relu(struct network *network)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        size_t reader = layer->ends_in_relu ? only_reader(network, i) : NOTHING;
        if (reader == NOTHING || !network->layers[reader].type->stops_relu)
            continue;
        network->routes[i].relu_stopped = true;
        network->routes[reader].stops_relu = true;
    }
}

static void route_forgotten(struct network *network)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        struct route *route = &network->routes[i];
        bool looks_back = !layer->forgets_output && !route->relu_stopped;
        size_t reader = layer->type->forward && !looks_back ? only_reader(network, i) : NOTHING;
        route->forgotten = reader != NOTHING && network->layers[reader].forgets_input &&
                           in_one_stretch(network, i, reader);
    }
}

/* Where a layer has one reader, and both can do with it. */
static void route_bf16(struct network *network)
{
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct layer *layer = &network->layers[i];
        struct route *route = &network->routes[i];
        bool source = route->source > 0 && network->routes[route->source - 1].bf16;
        bool gives = layer->type->forward && layer->bf16_output && (source || !layer->bf16_passes);
        size_t reader = gives ? only_reader(network, i) : NOTHING;
        route->bf16 = reader != NOTHING && network->layers[reader].bf16_input;
    }
}

void network_route(struct network *network)
{
    find_trained(network);
    route_relu(network);
    route_bf16(network);
    route_forgotten(network);
    route_outputs(network);
    route_handed(network);
    route_gradients(network);
}
