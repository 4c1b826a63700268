/* The trainer as a worker of a tuner: answers the messages of docs/protocol.md one
 * after another until it is told to stop or their stream ends. */
#ifndef TRAINER_WORKER_H
#define TRAINER_WORKER_H

#include "common/base.h"

/* Serves `in`, answering on `out`.  -1: a message could not be understood or an
 * answer not be written.  What goes wrong with a job is answered, not returned. */
int worker_serve(int in, int out, struct failure *why);

#endif
