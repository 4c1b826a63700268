#include "tuner/sampler_kind.h"

struct sampler *sampler_new(enum sampler_type type, const struct space *space, uint64_t seed,
                            int points)
{
    switch (type) {
    case SAMPLER_RANDOM:
        return sampler_random_new(space, seed);
    case SAMPLER_GRID:
        return sampler_grid_new(space, points);
    }
    return NULL; /* no such type */
}

void sampler_free(struct sampler *sampler)
{
    if (sampler)
        sampler->kind->free(sampler);
}

json_t *sampler_propose(struct sampler *sampler, uint32_t trial)
{
    return sampler->kind->propose(sampler, trial);
}

void sampler_recall(struct sampler *sampler, uint32_t trial, const json_t *configuration)
{
    sampler->kind->recall(sampler, trial, configuration);
}

double sampler_size(const struct sampler *sampler)
{
    return sampler->kind->size(sampler);
}
