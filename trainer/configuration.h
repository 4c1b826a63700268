/* One configuration to train, as a file says it:
 *
 *   {"model": [...], "training": {...}, "data": {"dataset": "mnist", ...},
 *    "seed": "42", "trial": 0, "epochs": 9}
 *
 * Only `model` and `training` must be there.  Checked strictly: an unknown key is
 * bad input that names the nearest right one. */
#ifndef TRAINER_CONFIGURATION_H
#define TRAINER_CONFIGURATION_H

#include "common/base.h"

#include <jansson.h>

struct configuration {
    json_t *model;    /* complete, as schema_check_model() gives it */
    json_t *training; /* complete, as schema_check_training() gives it */
    json_t *data;     /* as written; {} when absent */
    uint64_t seed;    /* 0 when absent */
    uint32_t trial;   /* 0 when absent */
    int64_t epochs;   /* of `epochs`, else of training.epochs, else 0 */
};

/* Reads a file; "-" is stdin. */
struct configuration *configuration_read(const char *path, struct failure *why);
void configuration_free(struct configuration *configuration);

/* Whether a file holds JSON, so that it is a configuration and no saved network.  A
 * pipe is taken for a configuration, unread. */
bool configuration_is(const char *path);

/* What --data says: a data set's name or a folder instead of what `data` names (NULL:
 * as `data` says), with this seed; its other settings stay.  Found on this machine,
 * MNIST fetched if need be: complete for dataset_load().  A new reference or NULL. */
json_t *configuration_data(const json_t *data, const char *dataset, uint64_t seed,
                           struct failure *why);

#endif
