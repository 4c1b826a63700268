/* What may be asked of the daemon over its control socket (docs/control.md): from the bytes
 * of a line to a checked request, and from there to the answer. */
#ifndef TUNER_REQUESTS_H
#define TUNER_REQUESTS_H

#include "tuner/daemon.h"

enum request_type {
    REQUEST_SUBMIT,
    REQUEST_STATUS,
    REQUEST_WATCH,
    REQUEST_PAUSE,
    REQUEST_RESUME,
    REQUEST_STOP,
    REQUEST_CANCEL,
    REQUEST_SET,
    REQUEST_ASK,
    REQUEST_TELL
};

/* Strings and objects point into `body`. */
struct request {
    enum request_type type;
    json_t *body;                 /* owned */
    const char *study;            /* a valid name; NULL: all of them */
    struct submission submission; /* SUBMIT */
};

/* Reads one line (without its newline): every field that the request needs is there, each is
 * of its type and in its range, and there is no other.  A usage failure otherwise. */
int request_parse(const char *line, size_t length, struct request *request, struct failure *why);
void request_release(struct request *request);

/* Does what is asked; the answer is a new reference. */
json_t *request_answer(const struct request *request, struct daemon *daemon);
/* The answer that says what is wrong. */
json_t *request_refusal(const struct failure *why);

#endif
