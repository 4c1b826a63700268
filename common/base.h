/* What every file of the tuner and the trainer stands on: failures, memory,
 * clocks, messages to people.
 *
 * Two kinds of failure.  Running out of memory ends the program at once, here.
 * An expected failure (bad input, a full disk) returns -1 or NULL and leaves in
 * a `struct failure` a text that names the file, the value and the remedy;
 * only main() turns it into a message and an exit code. */
#ifndef COMMON_BASE_H
#define COMMON_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of both programs, as documented in --help (after sysexits.h). */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_BAD_USAGE = 64,
    EXIT_BAD_INPUT = 65,
    EXIT_OUT_OF_MEMORY = 71,
    EXIT_INTERRUPTED = 130
};

/* A failure on its way to whoever can show it.  Start from FAILURE_NONE (all
 * zero); release with failure_clear().  A function that takes one may be given
 * NULL by a caller who does not want to know why. */
struct failure {
    enum exit_code code; /* EXIT_DONE while nothing has failed */
    char *text;          /* the message, without a final newline */
    char *where;         /* path of the value at fault, such as "model[3].kernel", or NULL */
};
#define FAILURE_NONE {EXIT_DONE, NULL, NULL}

/* Each returns -1, so that a function may end with `return fail(why, ...)`.
 * A later failure does not replace an earlier one: the first cause is kept. */
int fail(struct failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fail_input(struct failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fail_usage(struct failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bad input at a known place inside a configuration; sets `where` too. */
int fail_at(struct failure *why, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text of a failure that has happened; returns -1. */
int fail_prefix(struct failure *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void failure_clear(struct failure *why);

/* Memory: never NULL; the program ends with a message and
 * EXIT_OUT_OF_MEMORY when there is none. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
/* count * size, checked for overflow. */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Monotonic time, for durations and timeouts. */
int64_t clock_ms(void);
double clock_seconds(void);
/* Wall-clock time in milliseconds since 1970 UTC, for the record only. */
int64_t clock_wall_ms(void);

/* In a text for people: what would steer a terminal becomes '?'; lines stay lines. */
void make_visible(char *text);
/* Messages for people go to stderr as "<program>: text".  The name is set once
 * by main(). */
void message_program(const char *name);
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
