/* The protocol between tuner and trainer: JSON lines over the worker's stdin and
 * stdout, described for implementers in docs/protocol.md.  This file knows the
 * form of the messages; what they cause is up to tuner/ and trainer/. */
#ifndef COMMON_PROTOCOL_H
#define COMMON_PROTOCOL_H

#include "common/base.h"

#include <jansson.h>

enum {
    PROTOCOL_VERSION = 1,
    PROTOCOL_LINE_MAX = 1 << 20,          /* bytes of a line, its newline included */
    PROTOCOL_PREDICTIONS_MAX = 500,       /* images in one `predictions` message */
    PROTOCOL_PREDICTIONS_BYTES = 512 << 10,
    PROTOCOL_THREADS_MAX = 1024           /* that a job may be told to use */
};

/* ---- What the worker says ---- */

enum message_type {
    MESSAGE_READY,       /* version, program, arithmetic */
    MESSAGE_DESCRIBED,   /* id, precision, arithmetic; body has data and, if asked, layers,
                          * parameters, flops, images_per_s */
    MESSAGE_EPOCH,       /* trial, attempt, epoch, metrics, checkpoint, seconds, arithmetic */
    MESSAGE_DONE,        /* trial, attempt, stopped_early, arithmetic */
    MESSAGE_PREDICTIONS, /* trial, attempt, first, labels, predicted, probabilities, images */
    MESSAGE_ERROR        /* trial and attempt, or id; text, where, retry */
};

/* A checked message: every field that its type requires is there and in range.
 * Strings and arrays point into `body`. */
struct message {
    enum message_type type;
    json_t *body;            /* the whole object; owned */
    int64_t id;              /* DESCRIBED, ERROR that answers `describe`; else -1 */
    int64_t trial;           /* EPOCH, DONE, PREDICTIONS, ERROR; else -1 */
    int64_t attempt;
    int64_t epoch;           /* EPOCH: counted from 1 */
    json_t *metrics;         /* EPOCH: object name -> number, or null for one that is not finite */
    const char *checkpoint;  /* EPOCH: path, or NULL */
    double seconds;          /* EPOCH: how long it took, or 0 */
    bool stopped_early;      /* DONE: no further epoch of the trial would be trained */
    const char *program;     /* READY */
    const char *arithmetic;  /* READY: instruction set and precision, "avx2+winograd+Haswell fp32";
                                DESCRIBED, EPOCH, DONE: of this training, or NULL: as READY says */
    const char *precision;   /* DESCRIBED: of this training, "fp32"; or NULL */
    const char *text;        /* ERROR: what went wrong and the remedy */
    const char *where;       /* ERROR: path of the value at fault, or NULL */
    bool retry;              /* ERROR: whether trying again can help */
    int64_t first;           /* PREDICTIONS: index of the first image */
    json_t *labels;          /* PREDICTIONS: array of class numbers */
    json_t *predicted;       /* PREDICTIONS: as many class numbers */
    json_t *probabilities;   /* PREDICTIONS: as many arrays of one number per class */
    json_t *images;          /* PREDICTIONS: array of {"image","pixels"}, images of this message
                                and their bytes in base64; NULL: none */
};

/* Reads one line (without its newline).  Anything that is not exactly a message
 * of the protocol is a failure that says what was wrong and shows the line's
 * beginning.  Unknown fields are allowed, for later versions. */
int message_parse(const char *line, size_t length, struct message *message, struct failure *why);
void message_release(struct message *message);

/* ---- Lines ---- */

/* Cuts a stream of bytes into lines. */
struct line_reader {
    char *bytes;
    size_t start, end, capacity;
    size_t searched; /* before it there is no newline, from `start` on */
    size_t longest;  /* bytes of a line, its newline included; 0: PROTOCOL_LINE_MAX */
};
#define LINE_READER_EMPTY {NULL, 0, 0, 0, 0, 0}

/* Reads once from `fd`: bytes read, 0 at the end, -1 with errno (EAGAIN: nothing now). */
long line_reader_fill(struct line_reader *reader, int fd);
/* The next whole line, zero-terminated in place of its newline; valid until the
 * next fill.  1: a line; 0: none yet; -1: the line is longer than the longest. */
int line_reader_next(struct line_reader *reader, char **line, size_t *length);
void line_reader_free(struct line_reader *reader);

/* Writes `object` as one line to a blocking descriptor; -1 with errno. */
int protocol_write(int fd, const json_t *object);
/* `object` as a line with its newline; the caller frees it. */
char *protocol_line(const json_t *object, size_t *length);

#endif
