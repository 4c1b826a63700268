/* Going on in the background: for a daemon that is started from a terminal. */
#ifndef TUNER_DETACH_H
#define TUNER_DETACH_H

#include "common/base.h"

struct detached {
    long pid;  /* of the process in the background */
    int pipe;  /* there: where it says that it is ready; -1 once said */
};

/* Returns twice.  0: this is the process in the background, in a session of its own, with
 * its stdout and stderr appended to the file `log`; it must call detach_ready() or
 * detach_failed().  1: this is the caller, and the other is ready.  -1: the caller, and the
 * other has ended with the failure that it said; or it could not be started. */
int detach(const char *log, struct detached *detached, struct failure *why);

void detach_ready(struct detached *detached);
void detach_failed(struct detached *detached, const struct failure *why);

/* Opens `log` again as stderr and stdout, after it was moved away. */
int detach_reopen(const char *log, struct failure *why);

#endif
