#include "trainer/checkpoint.h"

#include "common/schema.h"

#include <string.h>

static int header_int(const json_t *value)
{
    return (int)json_integer_value(value);
}

/* The vectors that count. */
struct weights_found {
    const struct checkpoint_vector *parameters, *statistics; /* NULL: empty */
};

static struct weights_found find_weights(const struct checkpoint *checkpoint)
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
    return (struct weights_found){checkpoint_find(checkpoint, kinds[kind].parameters),
                                  checkpoint_find(checkpoint, kinds[kind].statistics)};
}

static size_t length_of(const struct checkpoint_vector *vector)
{
    return vector ? vector->length : 0;
}

static void copy(float *values, const struct checkpoint_vector *vector)
{
    if (vector)
        memcpy(values, vector->values, vector->length * sizeof *values);
}

/* Counts first: a model takes no memory for more weights than the file has. */
static struct network *build(const char *path, const struct checkpoint *checkpoint,
                             const json_t *model, int threads, struct failure *why)
{
    const json_t *input = json_object_get(checkpoint->header, "input");
    const struct weights_found weights = find_weights(checkpoint);
    int classes = header_int(json_object_get(checkpoint->header, "classes"));
    struct shape shape = {
        header_int(json_array_get(input, 0)),
        header_int(json_array_get(input, 1)),
        header_int(json_array_get(input, 2)),
    };
    size_t parameters = 0, statistics = 0;
    if (network_count(model, shape, classes, &parameters, &statistics, why) < 0) {
        fail_prefix(why, "%s", path);
        return NULL;
    }
    if (length_of(weights.parameters) != parameters || length_of(weights.statistics) != statistics) {
        checkpoint_damaged(why, path, "its weights are not as many as its model has");
        return NULL;
    }
    struct network *network = network_new(model, shape, classes, threads, why);
    if (network) {
        copy(network_parameters(network), weights.parameters);
        copy(network_statistics(network), weights.statistics);
    }
    return network;
}

struct network *checkpoint_load_network(const char *path, int threads, json_t **header,
                                        struct failure *why)
{
    struct checkpoint checkpoint;
    struct network *network = NULL;
    if (checkpoint_read(path, &checkpoint, why) < 0)
        return NULL;
    json_t *model = schema_check_model(json_object_get(checkpoint.header, "model"), why);
    if (model)
        network = build(path, &checkpoint, model, threads, why);
    else
        fail_prefix(why, "%s", path);
    if (network && header)
        *header = json_incref(checkpoint.header);
    json_decref(model);
    checkpoint_release(&checkpoint);
    return network;
}
