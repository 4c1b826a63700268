/* A trained network from its file, and the data set that a command shows it. */
#ifndef TRAINER_TRAINED_H
#define TRAINER_TRAINED_H

#include "common/options.h"
#include "trainer/data.h"
#include "trainer/network.h"

struct trained_request {
    const char *model; /* a checkpoint */
    const char *data;  /* as --data says, or NULL for none */
    const char *seed;  /* of synthetic data, as text; NULL: the one that was trained with */
    int64_t threads;
    bool transpose;      /* the data set's IDX files hold images column by column, ... */
    int64_t first_label; /* ... and class 0 has this label; 0: as their names tell */
};

/* The options that set seed, threads, transpose and first_label; --data is the command's. */
enum { TRAINED_RULES = 4 };
void trained_rules(struct trained_request *request, struct option_rule rules[TRAINED_RULES]);

struct trained {
    struct network *network;
    struct dataset *dataset; /* fits the network; NULL when none was asked for */
};

/* Start from all zero, and release in any case. */
int trained_load(const struct trained_request *request, struct trained *trained,
                 struct failure *why);
void trained_release(struct trained *trained);

#endif
