/* How the files study*.c share the work on one study; not for others. */
#ifndef TUNER_STUDY_PARTS_H
#define TUNER_STUDY_PARTS_H

#include "tuner/study.h"

/* Each reads its keys from study->document into the study, defaults filled in. */
int study_read_data(struct study *study, struct failure *why);
int study_read_objective(struct study *study, struct failure *why);
int study_read_search(struct study *study, struct failure *why);

/* Nothing in a complete `training` watches validation images where there are none; the
 * failure's place is a path, for study_fail_at(). */
int study_check_monitors(const struct study *study, const json_t *training, struct failure *why);

/* The objective is one that the data give; ... */
int study_check_objective(const struct study *study, struct failure *why);
/* ... every parameter is used and every $name is one; ... */
int study_check_names(const struct study *study, struct failure *why);
/* ... and the configurations at the edges of the space and in its middle are right. */
int study_check_edges(const struct study *study, struct failure *why);

/* The fingerprint of a study that has been read; new reference. */
json_t *study_fingerprint(const struct study *study, struct failure *why);

#endif
