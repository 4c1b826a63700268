/* What a user sees while a study runs, on stderr: on a terminal a table that is
 * drawn anew in its place, elsewhere one line for each finished segment. */
#ifndef TUNER_PROGRESS_H
#define TUNER_PROGRESS_H

#include "tuner/trial.h"

struct progress;

/* One worker's row in the table. */
struct progress_row {
    const struct trial *trial;  /* NULL: idle */
    const char *activity;       /* "training", "final training", "final evaluation", "starting" */
    int epoch, to_epoch;        /* ended, and where the segment ends */
};

struct progress_state {
    const char *study;
    const char *metric;
    const struct progress_row *rows;
    int row_count;
    int64_t epochs_done, epochs_planned;   /* of the whole plan, final training included */
    int trials_ended, trials_planned, trials_failed;
    const struct trial *best;              /* NULL: none yet */
    bool stopping;
};

struct progress *progress_new(bool quiet);
/* Removes the table from the screen; what was said above it stays. */
void progress_free(struct progress *progress);
/* Whether the table is shown and old enough to be drawn anew. */
bool progress_due(const struct progress *progress);
void progress_draw(struct progress *progress, const struct progress_state *state);
/* A line that stays, above the table. */
void progress_line(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
