/* What a study's search settings come to: its plan, and how many workers run it. */
#ifndef TUNER_STUDY_PLAN_H
#define TUNER_STUDY_PLAN_H

#include "tuner/plan.h"
#include "tuner/study.h"

/* `space_size` is sampler_size(): a study does not plan more trials than there are
 * configurations, when that is known. */
int study_plan(const struct study *study, double space_size, struct plan *plan,
               struct failure *why);
/* `asked` when positive, else what the study says, else one per core. */
int study_workers(const struct study *study, int asked);

#endif
