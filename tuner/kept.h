/* The completed trials of a study whose checkpoints are kept: as many as `keep` says, and
 * whenever there is one too many, the worst is known at once.  A binary heap with the worst
 * on top. */
#ifndef TUNER_KEPT_H
#define TUNER_KEPT_H

#include "tuner/trial.h"

struct kept {
    struct trial **trials;
    int count, capacity;
    bool maximize;
};

void kept_free(struct kept *kept);
void kept_add(struct kept *kept, struct trial *trial);
/* Takes the worst, by value and of equals the one with the highest number; NULL: none. */
struct trial *kept_take_worst(struct kept *kept);
/* Takes that one out, if it is there. */
void kept_remove(struct kept *kept, const struct trial *trial);

#endif
