/* The engine: runs one study to its end, or to where it is told to stop.
 *
 * Each turn of the loop: what workers said is recorded in one transaction; free
 * workers get their next segments, recorded in the same one; it is committed; only
 * then is anything said to a worker or deleted.  A restart replays the record
 * through the same scheduler and sampler and goes on. */
#ifndef TUNER_TUNER_H
#define TUNER_TUNER_H

#include "db/store.h"
#include "tuner/study.h"

struct tuner_options {
    const char *home;
    const char *trainer;  /* command from the command line, or NULL */
    int workers;          /* 0: as the study says */
    bool fresh;           /* start over under a new name */
    bool any_precision;   /* go on even if this machine trains in another than it began in */
    bool quiet;           /* no progress */
};

/* Runs `study` (its name changes with `fresh`).  EXIT_DONE: finished, its report can
 * be written; EXIT_INTERRUPTED: stopped by a signal, everything recorded; otherwise
 * the failure's code, with `why`. */
enum exit_code tuner_run(struct study *study, const struct tuner_options *options,
                         struct failure *why);

#endif
