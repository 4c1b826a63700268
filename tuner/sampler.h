/* Samplers propose configurations.  Pure: space, seed and earlier proposals in,
 * configuration out; no clock, no descriptor, no SQL. */
#ifndef TUNER_SAMPLER_H
#define TUNER_SAMPLER_H

#include "tuner/study.h"

struct sampler;

/* `space` outlives the sampler. */
struct sampler *sampler_new(enum sampler_type type, const struct space *space, uint64_t seed,
                            int points);
void sampler_free(struct sampler *sampler);

/* The configuration of trial number `trial`; trials are proposed in order, 0, 1, 2...
 * A configuration that was proposed before is never proposed again.  NULL when the
 * space is used up.  New reference. */
json_t *sampler_propose(struct sampler *sampler, uint32_t trial);
/* Takes over what an earlier run recorded for `trial`, in the same order. */
void sampler_recall(struct sampler *sampler, uint32_t trial, const json_t *configuration);
/* How many different configurations can be proposed, or 0 for unboundedly many. */
double sampler_size(const struct sampler *sampler);

#endif
