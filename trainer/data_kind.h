/* The kinds of data sets: how the images of each are loaded, and what they are made of. */
#ifndef TRAINER_DATA_KIND_H
#define TRAINER_DATA_KIND_H

#include "trainer/data.h"

/* Loads the images that `data` (see dataset_load) names, before any split.  On failure the
 * caller releases what was loaded. */
int data_kind_load(const json_t *data, uint64_t seed, struct dataset *dataset,
                   struct failure *why);

/* What the images of `data` are made of, as text: equal texts, equal images.  Its first line
 * has the kind and all settings that the images follow from, with the absolute path; then
 * comes a line for each file that is read (data_stamp.h).  NULL where it cannot be told,
 * as of files that are not there; the caller frees it. */
char *data_kind_sources(const json_t *data);

#endif
