/* What a command that looks at a home needs: its database, open for reading, and the study
 * that is meant. */
#ifndef TUNER_VISIT_H
#define TUNER_VISIT_H

#include "db/store.h"

struct visit {
    char *home;
    struct store *store;
    const char *study; /* as the database spells it; owned by `row` */
    json_t *row; /* study, state, sampler, note */
};

/* `home`: the option --home, or NULL; `study` NULL: none is needed.  A home without a
 * database and a study that is not there are bad input.  To be left on failure too. */
int visit_enter(struct visit *visit, const char *home, const char *study, struct failure *why);
void visit_leave(struct visit *visit);

#endif
