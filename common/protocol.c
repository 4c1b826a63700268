#include "common/protocol.h"

#include "common/base64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_BYTES = 60, NESTING_CLASSES_MAX = 1000, READ_BYTES = 64 << 10 };

/* ---- fields ---- */

static int field_integer(const json_t *body, const char *name, int64_t *value, struct failure *why)
{
    const json_t *field = json_object_get(body, name);
    if (!json_is_integer(field) || json_integer_value(field) < 0)
        return fail(why, "field \"%s\" must be a whole number from 0", name);
    *value = json_integer_value(field);
    return 0;
}

static int field_string(const json_t *body, const char *name, bool required, const char **value,
                        struct failure *why)
{
    const json_t *field = json_object_get(body, name);
    *value = json_string_value(field);
    if (*value != NULL || (!required && (field == NULL || json_is_null(field))))
        return 0;
    return fail(why, "field \"%s\" must be a string", name);
}

static int read_attempt(struct message *message, struct failure *why)
{
    if (field_integer(message->body, "trial", &message->trial, why) != 0)
        return -1;
    return field_integer(message->body, "attempt", &message->attempt, why);
}

static int read_metrics(struct message *message, struct failure *why)
{
    const char *name;
    json_t *value;
    message->metrics = json_object_get(message->body, "metrics");
    if (!json_is_object(message->metrics))
        return fail(why, "field \"metrics\" must be an object");
    json_object_foreach(message->metrics, name, value) {
        if (!json_is_number(value) && !json_is_null(value))
            return fail(why, "metric \"%s\" must be a number or null", name);
    }
    return 0;
}

/* ---- one function for each type of message ---- */

static int read_ready(struct message *message, struct failure *why)
{
    int64_t version = 0;
    if (field_integer(message->body, "version", &version, why) != 0)
        return -1;
    if (version != PROTOCOL_VERSION)
        return fail(why, "the worker speaks protocol version %lld, this tuner speaks %d",
                    (long long)version, PROTOCOL_VERSION);
    if (field_string(message->body, "program", true, &message->program, why) != 0)
        return -1;
    return field_string(message->body, "arithmetic", true, &message->arithmetic, why);
}

static int read_described(struct message *message, struct failure *why)
{
    if (field_integer(message->body, "id", &message->id, why) != 0)
        return -1;
    if (!json_is_object(json_object_get(message->body, "data")))
        return fail(why, "field \"data\" must be an object");
    if (field_string(message->body, "precision", false, &message->precision, why) != 0)
        return -1;
    return field_string(message->body, "arithmetic", false, &message->arithmetic, why);
}

static int read_epoch(struct message *message, struct failure *why)
{
    const json_t *seconds = json_object_get(message->body, "seconds");
    if (read_attempt(message, why) != 0 || read_metrics(message, why) != 0 ||
        field_integer(message->body, "epoch", &message->epoch, why) != 0 ||
        field_string(message->body, "checkpoint", false, &message->checkpoint, why) != 0 ||
        field_string(message->body, "arithmetic", false, &message->arithmetic, why) != 0)
        return -1;
    message->seconds = json_is_number(seconds) ? json_number_value(seconds) : 0;
    return 0;
}

static int read_done(struct message *message, struct failure *why)
{
    const json_t *stopped_early = json_object_get(message->body, "stopped_early");
    if (read_attempt(message, why) != 0)
        return -1;
    if (stopped_early != NULL && !json_is_boolean(stopped_early))
        return fail(why, "field \"stopped_early\" must be true or false");
    message->stopped_early = json_is_true(stopped_early);
    return field_string(message->body, "arithmetic", false, &message->arithmetic, why);
}

static int read_prediction(const struct message *message, size_t index, struct failure *why)
{
    const json_t *row = json_array_get(message->probabilities, index);
    const json_t *label = json_array_get(message->labels, index);
    const json_t *predicted = json_array_get(message->predicted, index);
    json_int_t classes = (json_int_t)json_array_size(row);
    long long image = (long long)message->first + (long long)index;
    size_t k;
    if (!json_is_array(row) || classes < 2 || classes > NESTING_CLASSES_MAX ||
        !json_is_integer(label) || !json_is_integer(predicted) ||
        json_integer_value(label) < 0 || json_integer_value(label) >= classes ||
        json_integer_value(predicted) < 0 || json_integer_value(predicted) >= classes)
        return fail(why, "image %lld: label and prediction must be class numbers, and the "
                         "probabilities one number per class", image);
    for (k = 0; k < (size_t)classes; k++) {
        if (!json_is_number(json_array_get(row, k)))
            return fail(why, "image %lld: a probability is not a number", image);
    }
    return 0;
}

/* Each an image of this message, once, with bytes that can be read. */
static int read_images(struct message *message, size_t count, struct failure *why)
{
    json_int_t last = message->first - 1, end = message->first + (json_int_t)count;
    size_t index;
    json_t *one;
    message->images = json_object_get(message->body, "images");
    if (message->images != NULL && !json_is_array(message->images))
        return fail(why, "field \"images\" must be an array");
    json_array_foreach(message->images, index, one) {
        const json_t *image = json_object_get(one, "image");
        const char *pixels = json_string_value(json_object_get(one, "pixels"));
        size_t size = 0;
        void *bytes = pixels != NULL ? base64_decode(pixels, &size) : NULL;
        free(bytes);
        if (!json_is_integer(image) || json_integer_value(image) <= last ||
            json_integer_value(image) >= end || bytes == NULL)
            return fail(why, "\"images\" must name images of this message, one after the other, "
                             "with their \"pixels\" in base64");
        last = json_integer_value(image);
    }
    return 0;
}

static int read_predictions(struct message *message, struct failure *why)
{
    size_t count, i;
    if (read_attempt(message, why) != 0 ||
        field_integer(message->body, "first", &message->first, why) != 0)
        return -1;
    message->labels = json_object_get(message->body, "labels");
    message->predicted = json_object_get(message->body, "predicted");
    message->probabilities = json_object_get(message->body, "probabilities");
    count = json_array_size(message->labels);
    if (count == 0 || count > PROTOCOL_PREDICTIONS_MAX ||
        json_array_size(message->predicted) != count ||
        json_array_size(message->probabilities) != count)
        return fail(why, "\"labels\", \"predicted\" and \"probabilities\" must be arrays of the "
                         "same 1 to %d items", PROTOCOL_PREDICTIONS_MAX);
    if (message->first > INT32_MAX - (int64_t)count)
        return fail(why, "field \"first\" must be at most %d, less the number of images",
                    INT32_MAX);
    for (i = 0; i < count; i++) {
        if (read_prediction(message, i, why) != 0)
            return -1;
    }
    return read_images(message, count, why);
}

static int read_error(struct message *message, struct failure *why)
{
    const json_t *retry = json_object_get(message->body, "retry");
    int failed = json_object_get(message->body, "id") != NULL
                     ? field_integer(message->body, "id", &message->id, why)
                     : read_attempt(message, why);
    if (failed || field_string(message->body, "text", true, &message->text, why) != 0 ||
        field_string(message->body, "where", false, &message->where, why) != 0)
        return -1;
    if (!json_is_boolean(retry))
        return fail(why, "field \"retry\" must be true or false");
    message->retry = json_is_true(retry);
    return 0;
}

static const struct {
    const char *name;
    int (*read)(struct message *message, struct failure *why);
} types[] = {
    [MESSAGE_READY] = {"ready", read_ready},
    [MESSAGE_DESCRIBED] = {"described", read_described},
    [MESSAGE_EPOCH] = {"epoch", read_epoch},
    [MESSAGE_DONE] = {"done", read_done},
    [MESSAGE_PREDICTIONS] = {"predictions", read_predictions},
    [MESSAGE_ERROR] = {"error", read_error},
};

static int read_body(struct message *message, struct failure *why)
{
    const char *type = json_string_value(json_object_get(message->body, "type"));
    size_t i;
    if (type == NULL)
        return fail(why, "there is no field \"type\"");
    for (i = 0; i < ARRAY_LENGTH(types); i++) {
        if (strcmp(type, types[i].name) == 0) {
            message->type = (enum message_type)i;
            return types[i].read(message, why);
        }
    }
    return fail(why, "there is no message of type \"%.40s\"", type);
}

/* The beginning of a line as it can be shown: bytes that do not print as dots. */
static void show_beginning(const char *line, size_t length, char shown[SHOWN_BYTES + 4])
{
    size_t i, count = length < SHOWN_BYTES ? length : SHOWN_BYTES;
    for (i = 0; i < count; i++)
        shown[i] = (unsigned char)line[i] >= 0x20 && (unsigned char)line[i] < 0x7f ? line[i] : '.';
    strcpy(shown + count, length > count ? "..." : "");
}

int message_parse(const char *line, size_t length, struct message *message, struct failure *why)
{
    json_error_t error;
    char shown[SHOWN_BYTES + 4];
    *message = (struct message){.id = -1, .trial = -1, .attempt = -1};
    message->body = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (message->body == NULL)
        fail(why, "not JSON at byte %d", error.position);
    else if (!json_is_object(message->body))
        fail(why, "not a JSON object");
    else if (read_body(message, why) == 0)
        return 0;
    show_beginning(line, length, shown);
    message_release(message);
    return fail_prefix(why, "line `%s`", shown);
}

void message_release(struct message *message)
{
    json_decref(message->body);
    *message = (struct message){.id = -1, .trial = -1, .attempt = -1};
}

/* ---- lines ---- */

long line_reader_fill(struct line_reader *reader, int fd)
{
    long got;
    if (reader->start > 0) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->searched -= reader->start;
        reader->start = 0;
    }
    if (reader->capacity - reader->end < READ_BYTES) {
        reader->capacity = reader->end + 2 * READ_BYTES;
        reader->bytes = xrealloc(reader->bytes, reader->capacity);
    }
    do
        got = read(fd, reader->bytes + reader->end, READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        reader->end += (size_t)got;
    return got;
}

int line_reader_next(struct line_reader *reader, char **line, size_t *length)
{
    char *begin = reader->bytes + reader->start, *newline;
    size_t there = reader->end - reader->start, unseen = reader->end - reader->searched;
    if (there == 0)
        return 0;
    newline = unseen > 0 ? memchr(reader->bytes + reader->searched, '\n', unseen) : NULL;
    if (newline == NULL) {
        reader->searched = reader->end;
        return there >= PROTOCOL_LINE_MAX ? -1 : 0;
    }
    if (newline - begin >= PROTOCOL_LINE_MAX)
        return -1;
    *newline = '\0';
    *line = begin;
    *length = (size_t)(newline - begin);
    reader->start += *length + 1;
    reader->searched = reader->start;
    return 1;
}

void line_reader_free(struct line_reader *reader)
{
    free(reader->bytes);
    *reader = (struct line_reader)LINE_READER_EMPTY;
}

char *protocol_line(const json_t *object, size_t *length)
{
    char *dumped = json_dumps(object, JSON_COMPACT);
    char *line = xasprintf("%s\n", dumped != NULL ? dumped : "null");
    free(dumped);
    *length = strlen(line);
    return line;
}

int protocol_write(int fd, const json_t *object)
{
    size_t length, written = 0;
    char *line = protocol_line(object, &length);
    while (written < length) {
        ssize_t count = write(fd, line + written, length - written);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            break;
        written += (size_t)count;
    }
    free(line);
    return written == length ? 0 : -1;
}
