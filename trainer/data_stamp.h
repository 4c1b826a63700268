/* What a file on the disk is known by, without reading it. */
#ifndef TRAINER_DATA_STAMP_H
#define TRAINER_DATA_STAMP_H

#include "common/text.h"

/* Adds a line for the file `name` of `folder`: its name, size, and the times of its last
 * change, of content and of inode, in nanoseconds; "name missing" where it is not there.
 * The second time also tells of a file replaced by one with an older date. */
void data_stamp_add(struct text *stamps, const char *folder, const char *name);

#endif
