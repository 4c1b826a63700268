/* What the tuner says to a worker: one JSON object a line, read when the worker
 * waits for work, and looked at between batches while it works. */
#ifndef TRAINER_INBOX_H
#define TRAINER_INBOX_H

#include "common/protocol.h"

struct inbox {
    int fd;
    struct line_reader reader;
    json_t *waiting;      /* array of messages that came in during work */
    bool stopped;         /* the tuner said `stop`; what comes after it is not looked at */
    bool ended;           /* no more can come: the end of the stream, or a fault */
    struct failure fault; /* a line that is no message */
};

void inbox_init(struct inbox *inbox, int fd);
void inbox_release(struct inbox *inbox);

/* Waits for the next message, which the caller releases.  NULL: there is none to come
 * (see stopped, ended and fault). */
json_t *inbox_next(struct inbox *inbox);

/* Takes in what has come, without waiting. */
void inbox_look(struct inbox *inbox);

#endif
