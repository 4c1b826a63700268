/* A trainer that learns nothing and answers at once: it speaks the protocol, its metrics are
 * arithmetic on the trial's parameters, and its checkpoints hold the epoch alone.  For tests
 * that start it thousands of times; tests/fake_trainer.py can misbehave, too. */
#include "common/file.h"
#include "common/protocol.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 1000, CLASSES = 10 };

static void say(json_t *message)
{
    if (message == NULL || protocol_write(STDOUT_FILENO, message) != 0)
        exit(EXIT_FAILED);
    json_decref(message);
}

static json_int_t integer(const json_t *job, const char *name)
{
    return json_integer_value(json_object_get(job, name));
}

/* An answer about the job: its trial and attempt, and more. */
static json_t *about(const json_t *job, const char *type, json_t *more)
{
    json_t *message = json_pack("{s:s, s:O, s:O}", "type", type, "trial",
                                json_object_get(job, "trial"), "attempt",
                                json_object_get(job, "attempt"));
    json_object_update(message, more);
    json_decref(more);
    return message;
}

/* Rises with the epochs, faster or slower as the parameters are. */
static double accuracy(const json_t *job, json_int_t epoch)
{
    const char *name;
    json_t *value;
    double mixed = 0;
    json_object_foreach(json_object_get(job, "parameters"), name, value)
        mixed += sin(json_number_value(value) * 12.9898 * (double)strlen(name));
    return 0.5 + 0.4 * (1 - pow(0.7, (double)epoch)) * sin(mixed) * sin(mixed);
}

static char *checkpoint_of(const json_t *job, json_int_t epoch)
{
    return xasprintf("%s.%lld.%lld", json_string_value(json_object_get(job, "write_checkpoint")),
                     (long long)epoch, (long long)integer(job, "attempt"));
}

static int save(const char *path, json_int_t epoch)
{
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fprintf(file, "%lld\n", (long long)epoch) > 0;
    return file != NULL && fclose(file) == 0 && written ? 0 : -1;
}

/* The epoch that a checkpoint holds, -1 without a whole one. */
static json_int_t restore(const char *path)
{
    char *text = NULL, *end;
    size_t size;
    json_int_t epoch;
    if (path == NULL)
        return 0;
    if (file_read(path, 1 << 10, &text, &size, NULL) != 0)
        return -1;
    epoch = strtoll(text, &end, 10);
    epoch = end > text && *end == '\n' ? epoch : -1;
    free(text);
    return epoch;
}

static void refuse(const json_t *job, const char *text, const char *where, bool retry)
{
    say(about(job, "error", json_pack("{s:s, s:s?, s:b}", "text", text, "where", where, "retry",
                                      retry)));
}

static void run(const json_t *job)
{
    const char *read = json_string_value(json_object_get(job, "read_checkpoint"));
    json_int_t epoch = integer(job, "from_epoch"), last = integer(job, "to_epoch");
    if (restore(read) != epoch) {
        refuse(job, "the checkpoint is damaged", "read_checkpoint", false);
        return;
    }
    while (++epoch <= last) {
        char *path = checkpoint_of(job, epoch);
        double value = accuracy(job, epoch);
        if (save(path, epoch) != 0) {
            refuse(job, "the checkpoint cannot be written", NULL, true);
            free(path);
            return;
        }
        say(about(job, "epoch",
                  json_pack("{s:I, s:{s:f, s:f, s:f, s:f}, s:s, s:f}", "epoch", epoch, "metrics",
                            "train_loss", 1 - value, "train_accuracy", value, "val_loss",
                            1 - value, "val_accuracy", value, "checkpoint", path, "seconds",
                            0.001)));
        free(path);
    }
    say(about(job, "done", json_object()));
}

static json_t *probabilities(int label)
{
    json_t *row = json_array();
    int i;
    for (i = 0; i < CLASSES; i++)
        json_array_append_new(row, json_real(i == label ? 0.91 : 0.01));
    return row;
}

static void evaluate(const json_t *job)
{
    int first, i;
    for (first = 0; first < IMAGES; first += PROTOCOL_PREDICTIONS_MAX) {
        json_t *labels = json_array(), *rows = json_array();
        for (i = first; i < first + PROTOCOL_PREDICTIONS_MAX; i++) {
            json_array_append_new(labels, json_integer(i % CLASSES));
            json_array_append_new(rows, probabilities(i % CLASSES));
        }
        say(about(job, "predictions", json_pack("{s:i, s:o, s:O, s:o}", "first", first, "labels",
                                                labels, "predicted", labels, "probabilities",
                                                rows)));
    }
    say(about(job, "done", json_pack("{s:i, s:f, s:[]}", "images", IMAGES, "loss", 0.05,
                                     "layers")));
}

static void describe(const json_t *job)
{
    json_t *data = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "height", 28, "width", 28,
                             "channels", 1, "classes", CLASSES, "train", 1000, "validation", 100,
                             "test", IMAGES, "checksum", 1);
    say(json_pack("{s:s, s:O, s:o, s:[], s:i, s:i, s:s, s:s}", "type", "described", "id",
                  json_object_get(job, "id"), "data", data, "layers", "parameters", 10, "flops",
                  100, "precision", "fp32", "arithmetic", "none"));
}

static void obey(const char *line, size_t length)
{
    json_t *job = json_loadb(line, length, 0, NULL);
    const char *type = json_string_value(json_object_get(job, "type"));
    if (type == NULL || strcmp(type, "stop") == 0)
        exit(EXIT_DONE);
    if (strcmp(type, "describe") == 0)
        describe(job);
    else if (strcmp(type, "run") == 0)
        run(job);
    else
        evaluate(job);
    json_decref(job);
}

int main(void)
{
    struct line_reader lines = LINE_READER_EMPTY;
    char *line;
    size_t length;
    message_program("quick_trainer");
    say(json_pack("{s:s, s:i, s:s, s:s}", "type", "ready", "version", PROTOCOL_VERSION, "program",
                  "quick 1", "arithmetic", "none"));
    while (line_reader_fill(&lines, STDIN_FILENO) > 0) {
        while (line_reader_next(&lines, &line, &length) == 1)
            obey(line, length);
    }
    line_reader_free(&lines);
    return EXIT_DONE;
}
