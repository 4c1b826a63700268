/* A trainer that answers at once, for measuring what the tuner itself can do: it speaks the
 * protocol, trains nothing and makes no checkpoints.  A trial's value is a hash of its
 * seed and number, so that equal studies have equal results. */
#include "common/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(json_t *message)
{
    if (protocol_write(STDOUT_FILENO, message) != 0)
        _exit(1);
    json_decref(message);
}

static double value_of(const json_t *message, int64_t trial, int64_t epoch)
{
    const char *seed = json_string_value(json_object_get(message, "seed"));
    uint64_t hash = strtoull(seed != NULL ? seed : "0", NULL, 10) * 1000003u + (uint64_t)trial;
    hash = (hash ^ hash >> 31) * 0x9E3779B97F4A7C15u;
    hash = (hash ^ hash >> 29) * 0xBF58476D1CE4E5B9u;
    return (double)(hash >> 12) / (double)((uint64_t)1 << 52) * 0.9 + 0.001 * (double)epoch;
}

static void run(const json_t *message)
{
    int64_t trial = json_integer_value(json_object_get(message, "trial"));
    int64_t attempt = json_integer_value(json_object_get(message, "attempt"));
    int64_t epoch = json_integer_value(json_object_get(message, "from_epoch"));
    int64_t last = json_integer_value(json_object_get(message, "to_epoch"));
    while (++epoch <= last)
        say(json_pack("{s:s, s:I, s:I, s:I, s:{s:f}, s:n, s:f}", "type", "epoch", "trial",
                      (json_int_t)trial, "attempt", (json_int_t)attempt, "epoch",
                      (json_int_t)epoch, "metrics", "val_accuracy",
                      value_of(message, trial, epoch), "checkpoint", "seconds", 0.0));
    say(json_pack("{s:s, s:I, s:I}", "type", "done", "trial", (json_int_t)trial, "attempt",
                  (json_int_t)attempt));
}

static void describe(const json_t *message)
{
    say(json_pack("{s:s, s:O, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:[], s:i, s:i, s:i}",
                  "type", "described", "id", json_object_get(message, "id"), "data", "height", 1,
                  "width", 1, "channels", 1, "classes", 2, "train", 10, "validation", 10, "test",
                  10, "checksum", 1, "layers", "parameters", 1, "flops", 1, "images_per_s", 1));
}

static void refuse(const json_t *message)
{
    say(json_pack("{s:s, s:O, s:O, s:s, s:n, s:b}", "type", "error", "trial",
                  json_object_get(message, "trial"), "attempt",
                  json_object_get(message, "attempt"), "text", "there is nothing to evaluate",
                  "where", "retry", 0));
}

static void answer(const char *line, size_t length)
{
    json_t *message = json_loadb(line, length, 0, NULL);
    const char *type = json_string_value(json_object_get(message, "type"));
    if (type == NULL || strcmp(type, "stop") == 0)
        _exit(0);
    if (strcmp(type, "describe") == 0)
        describe(message);
    else if (strcmp(type, "run") == 0)
        run(message);
    else
        refuse(message);
    json_decref(message);
}

int main(void)
{
    struct line_reader reader = LINE_READER_EMPTY;
    char *line;
    size_t length;
    say(json_pack("{s:s, s:i, s:s, s:s}", "type", "ready", "version", PROTOCOL_VERSION, "program",
                  "fake 2", "arithmetic", "none"));
    while (line_reader_fill(&reader, STDIN_FILENO) > 0) {
        while (line_reader_next(&reader, &line, &length) == 1)
            answer(line, length);
    }
    return 0;
}
