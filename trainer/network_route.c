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
        route->passed = network->layers[index].type->backward ? take_slot(slots) : own;
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

void network_route(struct network *network)
{
    find_trained(network);
    route_outputs(network);
    route_gradients(network);
}
