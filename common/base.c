#include "common/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Set once by main(), before any thread is started. */
static const char *program_name = "tuner";

/* ---- failures ---- */

static int record(struct failure *why, enum exit_code code, const char *where,
                  const char *format, va_list arguments)
{
    if (why && why->code == EXIT_DONE) {
        why->code = code;
        why->text = xvasprintf(format, arguments);
        why->where = where ? xstrdup(where) : NULL;
    }
    return -1;
}

int fail(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(why, EXIT_FAILED, NULL, format, arguments);
    va_end(arguments);
    return -1;
}

int fail_input(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(why, EXIT_BAD_INPUT, NULL, format, arguments);
    va_end(arguments);
    return -1;
}

int fail_usage(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(why, EXIT_BAD_USAGE, NULL, format, arguments);
    va_end(arguments);
    return -1;
}

int fail_at(struct failure *why, const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(why, EXIT_BAD_INPUT, where, format, arguments);
    va_end(arguments);
    return -1;
}

int fail_prefix(struct failure *why, const char *format, ...)
{
    if (!why || why->code == EXIT_DONE)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    char *prefix = xvasprintf(format, arguments);
    va_end(arguments);
    char *text = xasprintf("%s: %s", prefix, why->text);
    free(prefix);
    free(why->text);
    why->text = text;
    return -1;
}

void failure_clear(struct failure *why)
{
    if (!why)
        return;
    free(why->text);
    free(why->where);
    *why = (struct failure)FAILURE_NONE;
}

/* ---- memory ---- */

static void out_of_memory(size_t size)
{
    fprintf(stderr, "%s: out of memory (%zu bytes were asked for)\n", program_name, size);
    exit(EXIT_OUT_OF_MEMORY);
}

void *xmalloc(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        out_of_memory(count * size);
    return memory;
}

void *xrealloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory(SIZE_MAX);
    return xrealloc(old, count * size);
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length)
{
    length = strnlen(text, length);
    char *copy = xmalloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *xasprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    return text;
}

char *xvasprintf(const char *format, va_list arguments)
{
    char *text;
    int length = vasprintf(&text, format, arguments);
    if (length < 0)
        out_of_memory(strlen(format));
    return text;
}

/* ---- clocks ---- */

static struct timespec clock_read(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now;
}

static int64_t milliseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
    return milliseconds(clock_read(CLOCK_MONOTONIC));
}

double clock_seconds(void)
{
    struct timespec now = clock_read(CLOCK_MONOTONIC);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int64_t clock_wall_ms(void)
{
    return milliseconds(clock_read(CLOCK_REALTIME));
}

/* ---- messages ---- */

void message_program(const char *name)
{
    program_name = name;
}

void make_visible(char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') || *text == 0x7f)
            *text = '?';
    }
}

void message(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    make_visible(text);
    /* One call, so that lines of several processes on one terminal do not mix. */
    fprintf(stderr, "%s: %s\n", program_name, text);
    free(text);
}
