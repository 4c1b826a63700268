/* A program that is run on the side, for what would keep the loop waiting: it gets a text on
 * its stdin and answers on its stdout.  It leads a process group of its own and dies with
 * this process. */
#ifndef TUNER_CHILD_H
#define TUNER_CHILD_H

#include "tuner/loop.h"

struct child;

struct child_end {
    /* Called once, when it has ended; the child is freed after the call.  `status` as
     * waitpid() gives it; `output` ends in a zero byte. */
    void (*ended)(void *context, int status, const char *output, size_t length);
    void *context;
};

/* This very program as `tuner ARGUMENTS...` (NULL-terminated, without the program's name). */
struct child *child_start(struct loop *loop, const char *const arguments[], const char *input,
                          size_t size, const struct child_end *end, struct failure *why);
/* Ends it now; `ended` is not called. */
void child_kill(struct child *child);

#endif
