/* A model that a study has trained, as a file that a trainer reads: the final one, which lies in
 * the database, or the newest checkpoint of a trial. */
#ifndef TUNER_TRAINED_MODEL_H
#define TUNER_TRAINED_MODEL_H

#include "tuner/visit.h"

struct trained_model {
    char *path;
    int descriptor; /* of the file in memory that the path leads to; -1: it is on disk */
};

/* `trial` below 0: the final model.  Programs that this one runs can open the path, too. */
int trained_model_open(struct trained_model *model, const struct visit *visit, int64_t trial,
                       struct failure *why);
/* The final model as it lies in the database, to be freed; NULL: a failure that says why there is
 * none. */
void *trained_model_final(const struct visit *visit, size_t *size, struct failure *why);
void trained_model_close(struct trained_model *model);

#endif
