/* Configurations drawn from the space without repetition.
 *
 * Each trial has a generator of its own, so that what it draws depends on nothing but
 * the seed, its number and what was proposed before it.  A draw that repeats is drawn
 * again; when that has failed too often in a finite space, most of what is likely is
 * used up, and the first unused configuration from a random place on is taken. */
#include "tuner/sampler_kind.h"

#include <stdlib.h>

enum {
    REDRAWS_FINITE = 32,
    REDRAWS_ENDLESS = 10000, /* then a space that is finite after all is used up */
    MEMORY_MOST = 1 << 24    /* places of `onward`, 4 bytes each */
};

struct random {
    struct sampler sampler;
    const struct space *space;
    uint64_t seed;
    double size;      /* 0: endless */
    json_t *proposed; /* a set: its keys are the configurations as text */

    /* onward[i] == i, or all from i to onward[i] - 1 are known to be used.  Saves
     * looking at the same used places for each trial of a space that is nearly used
     * up.  Made when first needed; NULL also where the space is too large for it. */
    uint32_t *onward; /* [size + 1] */
};

/* Equal configurations have equal texts, in whatever order their parameters stand. */
static char *canonical(const json_t *configuration)
{
    return json_dumps(configuration, JSON_COMPACT | JSON_SORT_KEYS);
}

static bool is_proposed(const struct random *random, const json_t *configuration)
{
    char *text = canonical(configuration);
    bool found = json_object_get(random->proposed, text) != NULL;

    free(text);
    return found;
}

static void random_recall(struct sampler *sampler, uint32_t trial, const json_t *configuration)
{
    struct random *random = (struct random *)sampler;
    char *text = canonical(configuration);

    (void)trial;
    json_object_set_new(random->proposed, text, json_true());
    free(text);
}

static json_t *draw_unused(const struct random *random, struct rng *rng)
{
    int redraws = random->size > 0 ? REDRAWS_FINITE : REDRAWS_ENDLESS;

    for (int i = 0; i <= redraws; i++) {
        json_t *configuration = space_draw(random->space, rng);

        if (!is_proposed(random, configuration))
            return configuration;
        json_decref(configuration);
    }
    return NULL;
}

/* The first place from `i` on that is not known to be used; shortens the way to it. */
static uint64_t skip_used(struct random *random, uint64_t i)
{
    uint32_t *onward = random->onward;

    if (!onward)
        return i;
    while (onward[i] != i) {
        onward[i] = onward[onward[i]];
        i = onward[i];
    }
    return i;
}

/* The first unused configuration from place `i` up to the end of the space. */
static json_t *first_unused(struct random *random, uint64_t i)
{
    uint64_t size = (uint64_t)random->size;

    while ((i = skip_used(random, i)) < size) {
        json_t *configuration = space_at(random->space, (double)i);

        if (!is_proposed(random, configuration))
            return configuration;
        json_decref(configuration);
        if (random->onward)
            random->onward[i] = (uint32_t)i + 1;
        i++;
    }
    return NULL;
}

static void remember_used(struct random *random)
{
    if (random->onward || random->size > MEMORY_MOST)
        return;
    random->onward = xcalloc((size_t)random->size + 1, sizeof(*random->onward));
    for (uint32_t i = 0; i <= (uint32_t)random->size; i++)
        random->onward[i] = i;
}

static json_t *random_propose(struct sampler *sampler, uint32_t trial)
{
    struct random *random = (struct random *)sampler;
    json_t *configuration;
    struct rng rng;

    rng_init(&rng, random->seed, trial, RNG_SAMPLER, 0);
    configuration = draw_unused(random, &rng);
    if (!configuration && random->size > 0) {
        remember_used(random);
        configuration = first_unused(random, rng_below(&rng, (uint64_t)random->size));
        if (!configuration)
            configuration = first_unused(random, 0);
    }
    if (configuration)
        random_recall(sampler, trial, configuration);
    return configuration;
}

static double random_size(const struct sampler *sampler)
{
    return ((const struct random *)sampler)->size;
}

static void random_free(struct sampler *sampler)
{
    struct random *random = (struct random *)sampler;

    json_decref(random->proposed);
    free(random->onward);
    free(random);
}

struct sampler *sampler_random_new(const struct space *space, uint64_t seed)
{
    static const struct sampler_kind kind = {random_propose, random_recall, random_size,
                                             random_free};
    struct random *random = xcalloc(1, sizeof(*random));

    random->sampler.kind = &kind;
    random->space = space;
    random->seed = seed;
    random->size = space_size(space);
    random->proposed = json_object();
    return &random->sampler;
}
