/* What a submitted study goes on from: its own record, or that of an earlier version; and the
 * name under which it is known here.  Part of the engine's insides (tuner/engine.h). */
#ifndef TUNER_ORIGIN_H
#define TUNER_ORIGIN_H

#include "common/base.h"
#include "tuner/study.h"

struct daemon;

struct origin {
    int64_t id;           /* its row; 0: it is new */
    int64_t extends;      /* the version before a new one; 0: none */
    char *state, *note;   /* as recorded; NULL: none */
};

/* Finds it among the recorded versions of the study, whose name becomes that of the version
 * that goes on, or is new.  Without `extend` settings that differ from those recorded are
 * refused. */
int origin_find(struct daemon *daemon, struct study *study, bool extend, struct origin *origin,
                struct failure *why);
void origin_release(struct origin *origin);

/* Gives the study the first free name: mnist_2 after mnist. */
int origin_start_over(struct daemon *daemon, struct study *study, struct failure *why);
/* Another name, given by the user. */
int origin_rename(struct study *study, const char *name, struct failure *why);

#endif
