#include "tuner/ranking.h"

#include "common/base.h"

#include <math.h>
#include <stdlib.h>

enum { NONE = -1 };

void ranking_init(struct ranking *ranking, int capacity, bool maximize)
{
    ranking->members = xcalloc((size_t)capacity, sizeof(*ranking->members));
    ranking->root = NONE;
    ranking->maximize = maximize;
}

void ranking_release(struct ranking *ranking)
{
    free(ranking->members);
    ranking->members = NULL;
}

/* Scatters the numbers: neighbours must not get neighbouring priorities. */
static uint32_t priority(int member)
{
    uint32_t hash = ((uint32_t)member + 1) * 0x9E3779B1u;

    hash = (hash ^ hash >> 15) * 0x9E3779B1u;
    return hash ^ hash >> 13;
}

static bool ranks_before(const struct ranking *ranking, int a, int b)
{
    double value_a = ranking->members[a].value, value_b = ranking->members[b].value;

    if (isnan(value_a) != isnan(value_b))
        return isnan(value_b);
    if (isnan(value_a) || value_a == value_b)
        return a < b;
    return ranking->maximize ? value_a > value_b : value_a < value_b;
}

static int size_of(const struct ranking *ranking, int tree)
{
    return tree == NONE ? 0 : ranking->members[tree].size;
}

static void count(struct ranking *ranking, int tree)
{
    struct ranked *top = &ranking->members[tree];

    top->size = 1 + size_of(ranking, top->better) + size_of(ranking, top->worse);
}

/* Parts a tree at `member`, which is not in it. */
static void split(struct ranking *ranking, int tree, int member, int *better, int *worse)
{
    if (tree == NONE) {
        *better = NONE;
        *worse = NONE;
        return;
    }
    struct ranked *top = &ranking->members[tree];

    if (ranks_before(ranking, tree, member)) {
        *better = tree;
        split(ranking, top->worse, member, &top->worse, worse);
    } else {
        *worse = tree;
        split(ranking, top->better, member, better, &top->better);
    }
    count(ranking, tree);
}

void ranking_insert(struct ranking *ranking, int member, double value)
{
    struct ranked *new = &ranking->members[member];
    int *link = &ranking->root;

    *new = (struct ranked){.value = value, .better = NONE, .worse = NONE};
    while (*link != NONE && priority(*link) >= priority(member)) {
        struct ranked *top = &ranking->members[*link];

        top->size++;
        link = ranks_before(ranking, member, *link) ? &top->better : &top->worse;
    }
    split(ranking, *link, member, &new->better, &new->worse);
    *link = member;
    count(ranking, member);
}

int ranking_of(const struct ranking *ranking, int member)
{
    int rank = 1, at = ranking->root;

    while (at != member) {
        const struct ranked *top = &ranking->members[at];

        if (ranks_before(ranking, member, at)) {
            at = top->better;
        } else {
            rank += size_of(ranking, top->better) + 1;
            at = top->worse;
        }
    }
    return rank + size_of(ranking, ranking->members[member].better);
}

int ranking_at(const struct ranking *ranking, int rank)
{
    int at = ranking->root;

    for (;;) {
        const struct ranked *top = &ranking->members[at];
        int before = size_of(ranking, top->better);

        if (rank == before + 1)
            return at;
        if (rank <= before) {
            at = top->better;
        } else {
            rank -= before + 1;
            at = top->worse;
        }
    }
}
