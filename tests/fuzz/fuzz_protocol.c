/* The bytes are what a worker writes to the tuner, and what the tuner writes to a worker.
 * The first byte says whether a long line comes before them, or one that is too long. */
#include "tests/fuzz/fuzz.h"

#include "common/protocol.h"
#include "trainer/inbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

enum { LONG = 0xfe, TOO_LONG = 0xff };

static int stream_of(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    unsigned before = fuzz_byte(&input);
    size_t padding = before == LONG ? PROTOCOL_LINE_MAX / 2
                     : before == TOO_LONG ? PROTOCOL_LINE_MAX : 0;
    int fd = memfd_create("stream", MFD_CLOEXEC);
    char *spaces = xmalloc(padding + 1);
    memset(spaces, ' ', padding);
    fuzz_expect(write(fd, spaces, padding) == (ssize_t)padding &&
                write(fd, input.at, input.left) == (ssize_t)input.left &&
                lseek(fd, 0, SEEK_SET) == 0, "a stream can be written");
    free(spaces);
    return fd;
}

static void check_predictions(const struct message *message)
{
    size_t count = json_array_size(message->labels);
    fuzz_expect(count > 0 && count <= PROTOCOL_PREDICTIONS_MAX &&
                json_array_size(message->predicted) == count &&
                json_array_size(message->probabilities) == count, "predictions are as many");
    for (size_t i = 0; i < count; i++)
        fuzz_expect(json_integer_value(json_array_get(message->labels, i)) <
                    (json_int_t)json_array_size(json_array_get(message->probabilities, i)),
                    "labels are classes");
}

static void check_message(const struct message *message)
{
    bool of_trial = message->trial >= 0 && message->attempt >= 0;
    switch (message->type) {
    case MESSAGE_READY:
        fuzz_expect(message->program && message->arithmetic, "ready says who");
        break;
    case MESSAGE_DESCRIBED:
        fuzz_expect(message->id >= 0, "what is described has a number");
        break;
    case MESSAGE_EPOCH:
        fuzz_expect(of_trial && message->epoch >= 0 && json_is_object(message->metrics),
                    "an epoch has its metrics");
        break;
    case MESSAGE_DONE:
        fuzz_expect(of_trial, "done is of a trial");
        break;
    case MESSAGE_PREDICTIONS:
        fuzz_expect(of_trial && message->first >= 0, "predictions are of a trial");
        check_predictions(message);
        break;
    case MESSAGE_ERROR:
        fuzz_expect((of_trial || message->id >= 0) && message->text, "an error has a text");
        break;
    }
}

/* Written out again it is the same message. */
static void write_again(const struct message *message)
{
    size_t length;
    char *line = protocol_line(message->body, &length);
    struct message again;
    fuzz_expect(message_parse(line, length - 1, &again, NULL) == 0 &&
                again.type == message->type, "a message can be written and read");
    message_release(&again);
    free(line);
}

static void read_line(const char *line, size_t length)
{
    struct failure why = FAILURE_NONE;
    struct message message;
    bool accepted = message_parse(line, length, &message, &why) == 0;
    fuzz_judge(accepted, &why);
    if (accepted) {
        check_message(&message);
        write_again(&message);
    }
    message_release(&message);
}

static void read_as_tuner(int fd)
{
    struct line_reader reader = LINE_READER_EMPTY;
    char *line;
    size_t length;
    int found = 0;
    while (found >= 0 && line_reader_fill(&reader, fd) > 0) {
        while ((found = line_reader_next(&reader, &line, &length)) > 0)
            read_line(line, length);
    }
    line_reader_free(&reader);
}

static void read_as_worker(int fd)
{
    struct inbox inbox;
    json_t *message;
    inbox_init(&inbox, fd);
    while ((message = inbox_next(&inbox))) {
        fuzz_expect(json_is_string(json_object_get(message, "type")), "a message has a type");
        json_decref(message);
    }
    inbox_look(&inbox);
    fuzz_expect(inbox.stopped || inbox.ended, "what ends has a reason");
    inbox_release(&inbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int fd = stream_of(bytes, size);
    read_as_tuner(fd);
    lseek(fd, 0, SEEK_SET);
    read_as_worker(fd);
    close(fd);
    return 0;
}
