/* What a row of a study's record says, checked before it is relied on: the database may be damaged,
 * or somebody may have edited it.  Part of the engine's insides (tuner/engine.h). */
#ifndef TUNER_RECORDED_H
#define TUNER_RECORDED_H

#include "tuner/run.h"

/* Of epochs and attempts: far above what there is, and far below what an int cannot hold. */
enum { RECORDED_MOST = 1000000000 };

/* The number that a row of a view has under that name, which must lie within both bounds; if it
 * does not, `low`, and run->broken says which row is damaged and what to do. */
int recorded_number(struct run *run, const char *view, const json_t *row, const char *name, int low,
                    int high);
/* The run's trial that it names; NULL, and likewise, if there is none. */
struct trial *recorded_trial(struct run *run, const char *view, const json_t *row);
/* Of a trial that is to be trained: likewise, unless its parameters and configuration are there. */
void recorded_check_trial(struct run *run, const struct trial *trial);

#endif
