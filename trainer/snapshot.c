#include "trainer/snapshot.h"

#include "trainer/floats.h"
#include "trainer/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct snapshot *snapshot_new(struct network *network)
{
    struct snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    snapshot->parameters = floats_new(network_parameter_count(network));
    snapshot->statistics = floats_new(network_statistic_count(network));
    snapshot_take(snapshot, network);
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->parameters);
    free(snapshot->statistics);
    free(snapshot);
}

static void copy(size_t count, const float *from, float *to)
{
    if (count > 0)
        memcpy(to, from, count * sizeof *to);
}

void snapshot_take(struct snapshot *snapshot, struct network *network)
{
    copy(network_parameter_count(network), network_parameters(network), snapshot->parameters);
    copy(network_statistic_count(network), network_statistics(network), snapshot->statistics);
}

VECTOR_VERSIONS
static void approach(size_t count, float share, const float *restrict goal,
                     float *restrict values)
{
    for (size_t i = 0; i < count; i++)
        values[i] += share * (goal[i] - values[i]);
}

void snapshot_average(struct snapshot *average, struct network *network, double decay,
                      uint64_t step)
{
    double t = (double)step;
    float share = (float)(1.0 - fmin(decay, (1.0 + t) / (10.0 + t)));
    approach(network_parameter_count(network), share, network_parameters(network),
             average->parameters);
    approach(network_statistic_count(network), share, network_statistics(network),
             average->statistics);
}

void snapshot_swap(struct snapshot *snapshot, struct network *network)
{
    network_swap_weights(network, &snapshot->parameters, &snapshot->statistics);
}
