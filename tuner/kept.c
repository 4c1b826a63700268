#include "tuner/kept.h"

#include <stdlib.h>

void kept_free(struct kept *kept)
{
    free(kept->trials);
    *kept = (struct kept){.maximize = kept->maximize};
}

static bool is_worse(const struct kept *kept, const struct trial *a, const struct trial *b)
{
    if (value_better(b->value, a->value, kept->maximize))
        return true;
    return !value_better(a->value, b->value, kept->maximize) && a->number > b->number;
}

/* `trial` goes to place `at` or, where it is worse, further up. */
static void rise(struct kept *kept, int at, struct trial *trial)
{
    int parent;
    for (; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (!is_worse(kept, trial, kept->trials[parent]))
            break;
        kept->trials[at] = kept->trials[parent];
    }
    kept->trials[at] = trial;
}

/* The place `at` is free: the last one goes there or, where it is better, further down. */
static void fill(struct kept *kept, int at)
{
    struct trial *last = kept->trials[--kept->count];
    int child;
    if (at == kept->count)
        return;
    for (; (child = 2 * at + 1) < kept->count; at = child) {
        if (child + 1 < kept->count &&
            is_worse(kept, kept->trials[child + 1], kept->trials[child]))
            child++;
        if (!is_worse(kept, kept->trials[child], last))
            break;
        kept->trials[at] = kept->trials[child];
    }
    rise(kept, at, last);
}

void kept_add(struct kept *kept, struct trial *trial)
{
    if (kept->count == kept->capacity) {
        kept->capacity = kept->capacity * 2 + 8;
        kept->trials = xreallocarray(kept->trials, (size_t)kept->capacity,
                                     sizeof(struct trial *));
    }
    rise(kept, kept->count++, trial);
}

struct trial *kept_take_worst(struct kept *kept)
{
    struct trial *worst = kept->count > 0 ? kept->trials[0] : NULL;
    if (worst != NULL)
        fill(kept, 0);
    return worst;
}

void kept_remove(struct kept *kept, const struct trial *trial)
{
    int at = 0;
    while (at < kept->count && kept->trials[at] != trial)
        at++;
    if (at < kept->count)
        fill(kept, at);
}
