/* What every kind of sampler provides.  A sampler embeds `struct sampler` as its
 * first member; sampler.c passes each call on.  Nobody else includes this. */
#ifndef TUNER_SAMPLER_KIND_H
#define TUNER_SAMPLER_KIND_H

#include "tuner/sampler.h"

struct sampler_kind {
    json_t *(*propose)(struct sampler *sampler, uint32_t trial);
    void (*recall)(struct sampler *sampler, uint32_t trial, const json_t *configuration);
    double (*size)(const struct sampler *sampler);
    void (*free)(struct sampler *sampler);
};

struct sampler {
    const struct sampler_kind *kind;
};

struct sampler *sampler_random_new(const struct space *space, uint64_t seed);
struct sampler *sampler_grid_new(const struct space *space, int points);

#endif
