/* A trainer that answers at once, for measuring what the tuner itself can do: it speaks the
 * protocol, trains nothing, and makes checkpoints in the final training only (everywhere of
 * $FAKE_BYTES, if that is set).  A trial's value is a hash of its seed and number, so that
 * equal studies have equal results.  $FAKE_MS: how long an epoch takes. */
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

static long setting(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* The path of a new checkpoint, to be freed; NULL: there is none of that epoch. */
static char *write_checkpoint(const json_t *message, int64_t epoch)
{
    const char *prefix = json_string_value(json_object_get(message, "write_checkpoint"));
    int64_t attempt = json_integer_value(json_object_get(message, "attempt"));
    size_t length = strlen(prefix), bytes = (size_t)setting("FAKE_BYTES");
    bool final = length > 6 && strcmp(prefix + length - 6, "/final") == 0;
    char *path, *content;
    FILE *file;
    if (!final && bytes == 0)
        return NULL;
    path = xasprintf("%s.%lld.%lld", prefix, (long long)epoch, (long long)attempt);
    content = xcalloc(bytes + 1, 1);
    file = fopen(path, "w");
    if (file == NULL || fwrite(content, bytes + 1, 1, file) != 1 || fclose(file) != 0)
        _exit(2);
    free(content);
    return path;
}

static void run(const json_t *message)
{
    int64_t trial = json_integer_value(json_object_get(message, "trial"));
    int64_t attempt = json_integer_value(json_object_get(message, "attempt"));
    int64_t epoch = json_integer_value(json_object_get(message, "from_epoch"));
    int64_t last = json_integer_value(json_object_get(message, "to_epoch"));
    while (++epoch <= last) {
        char *checkpoint = write_checkpoint(message, epoch);
        usleep((useconds_t)(1000 * setting("FAKE_MS")));
        say(json_pack("{s:s, s:I, s:I, s:I, s:{s:f}, s:s?, s:f}", "type", "epoch", "trial",
                      (json_int_t)trial, "attempt", (json_int_t)attempt, "epoch",
                      (json_int_t)epoch, "metrics", "val_accuracy",
                      value_of(message, trial, epoch), "checkpoint", checkpoint, "seconds", 0.0));
        free(checkpoint);
    }
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

/* Ten images of two classes, one of them taken for the other. */
static void evaluate(const json_t *message)
{
    json_t *trial = json_object_get(message, "trial"), *probabilities = json_array();
    json_t *attempt = json_object_get(message, "attempt");
    int i;
    for (i = 0; i < 10; i++)
        json_array_append_new(probabilities, json_pack("[f, f]", 0.75, 0.25));
    say(json_pack("{s:s, s:O, s:O, s:i, s:[i,i,i,i,i,i,i,i,i,i], s:[i,i,i,i,i,i,i,i,i,i], s:o}",
                  "type", "predictions", "trial", trial, "attempt", attempt, "first", 0, "labels",
                  0, 0, 0, 0, 0, 0, 0, 0, 0, 1, "predicted", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                  "probabilities", probabilities));
    say(json_pack("{s:s, s:O, s:O, s:i, s:f, s:[]}", "type", "done", "trial", trial, "attempt",
                  attempt, "images", 10, "loss", 0.5, "layers"));
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
        evaluate(message);
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
