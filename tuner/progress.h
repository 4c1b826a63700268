/* What a user sees while a study runs, on stderr: on a terminal a table that is
 * drawn anew in its place and fits the screen, elsewhere one line for each finished segment. */
#ifndef TUNER_PROGRESS_H
#define TUNER_PROGRESS_H

#include "common/base.h"

#include <jansson.h>

struct progress;

struct progress *progress_new(bool quiet);
/* Removes the table from the screen; what was said above it stays. */
void progress_free(struct progress *progress);
/* Whether the table is shown and old enough to be drawn anew. */
bool progress_due(const struct progress *progress);
/* `status` is daemon_status(), of the first study in it. */
void progress_draw(struct progress *progress, const json_t *status);
/* A line that stays, above the table. */
void progress_line(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
