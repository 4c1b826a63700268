/* Giving a study file to the daemon of a home. */
#ifndef TUNER_HAND_IN_H
#define TUNER_HAND_IN_H

#include "tuner/client.h"

struct hand_in {
    const char *file;
    const char *name;    /* another name than the file's, or NULL */
    int priority;
    bool fresh, extend, any_precision;
};

/* Checks the file here first, so that its errors are those of `tuner check`, and sends it.
 * What the study is called, which the caller frees; NULL on failure. */
char *study_hand_in(struct client *client, const struct hand_in *hand_in, struct failure *why);

#endif
