/* Members ranked by value, best first, while values keep arriving.
 *
 * A treap with subtree sizes: insertion, the rank of a member and the member at a
 * rank take O(log n) each, in expectation over the priorities, which are a hash of
 * the member's number and so the same in every run.  A sorted array would be plainer,
 * but moves half of it at each insertion; a heap cannot tell ranks.
 *
 * Equal values rank by number; NaN ranks after every other value. */
#ifndef TUNER_RANKING_H
#define TUNER_RANKING_H

#include <stdbool.h>

struct ranked {
    double value;
    int better, worse; /* subtrees, -1: none */
    int size;          /* of the subtree below and with this member; 0: not inserted */
};

struct ranking {
    struct ranked *members; /* by number */
    int root;
    bool maximize;
};

/* For members numbered 0 .. capacity - 1, none of them ranked yet. */
void ranking_init(struct ranking *ranking, int capacity, bool maximize);
void ranking_release(struct ranking *ranking);

/* Ranks a member that is not ranked yet. */
void ranking_insert(struct ranking *ranking, int member, double value);
/* The rank of a ranked member, from 1. */
int ranking_of(const struct ranking *ranking, int member);
/* The member at `rank`, from 1 to the number of members ranked. */
int ranking_at(const struct ranking *ranking, int rank);

#endif
