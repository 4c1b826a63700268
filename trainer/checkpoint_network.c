#include "trainer/checkpoint.h"

#include "common/schema.h"

#include <string.h>

static int header_int(const json_t *value)
{
    return (int)json_integer_value(value);
}

static struct network *build_network(const struct checkpoint *checkpoint, int threads,
                                     struct failure *why)
{
    const json_t *input = json_object_get(checkpoint->header, "input");
    struct shape shape = {
        header_int(json_array_get(input, 0)),
        header_int(json_array_get(input, 1)),
        header_int(json_array_get(input, 2)),
    };
    json_t *model = schema_check_model(json_object_get(checkpoint->header, "model"), why);
    if (!model)
        return NULL;
    int classes = header_int(json_object_get(checkpoint->header, "classes"));
    struct network *network = network_new(model, shape, classes, threads, why);
    json_decref(model);
    return network;
}

/* Copies a vector to the network's block of `count` numbers; false if it has another
 * length.  What is empty is not in the file. */
static bool load_vector(const struct checkpoint *checkpoint, const char *name, size_t count,
                        float *values)
{
    const struct checkpoint_vector *vector = checkpoint_find(checkpoint, name);
    if ((vector ? vector->length : 0) != count)
        return false;
    if (vector)
        memcpy(values, vector->values, count * sizeof *values);
    return true;
}

static bool load_weights(const struct checkpoint *checkpoint, struct network *network)
{
    static const struct {
        const char *parameters, *statistics;
    } kinds[] = {
        {"best_parameters", "best_statistics"},
        {"ema_parameters", "ema_statistics"},
        {"parameters", "statistics"},
    };
    size_t kind = 0;
    while (kind < ARRAY_LENGTH(kinds) - 1 && !checkpoint_find(checkpoint, kinds[kind].parameters))
        kind++;
    return load_vector(checkpoint, kinds[kind].parameters, network_parameter_count(network),
                       network_parameters(network)) &&
           load_vector(checkpoint, kinds[kind].statistics, network_statistic_count(network),
                       network_statistics(network));
}

struct network *checkpoint_load_network(const char *path, int threads, json_t **header,
                                        struct failure *why)
{
    struct checkpoint checkpoint;
    if (checkpoint_read(path, &checkpoint, why) < 0)
        return NULL;
    struct network *network = build_network(&checkpoint, threads, why);
    if (!network) {
        fail_prefix(why, "%s", path);
    } else if (!load_weights(&checkpoint, network)) {
        checkpoint_damaged(why, path, "its weights are not as many as its model has");
        network_free(network);
        network = NULL;
    } else if (header) {
        *header = json_incref(checkpoint.header);
    }
    checkpoint_release(&checkpoint);
    return network;
}
