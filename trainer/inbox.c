#include "trainer/inbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

void inbox_init(struct inbox *inbox, int fd)
{
    *inbox = (struct inbox){.fd = fd, .waiting = json_array()};
}

void inbox_release(struct inbox *inbox)
{
    line_reader_free(&inbox->reader);
    json_decref(inbox->waiting);
    failure_clear(&inbox->fault);
}

static void end_by_fault(struct inbox *inbox, const char *what)
{
    inbox->ended = true;
    fail_input(&inbox->fault, "stdin: %s; the tuner's messages are JSON lines as in "
               "docs/protocol.md", what);
}

static void take_line(struct inbox *inbox, const char *line, size_t length)
{
    json_error_t error;
    json_t *message = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    const char *type = json_string_value(json_object_get(message, "type"));
    if (!type) {
        end_by_fault(inbox, message ? "a line without a \"type\"" : error.text);
        json_decref(message);
    } else if (strcmp(type, "stop") == 0) {
        inbox->stopped = true;
        json_decref(message);
    } else {
        json_array_append_new(inbox->waiting, message);
    }
}

/* Reads once, waiting if there is nothing, and takes the whole lines. */
static void read_lines(struct inbox *inbox)
{
    char *line = NULL;
    size_t length = 0;
    int got;
    if (line_reader_fill(&inbox->reader, inbox->fd) <= 0) {
        inbox->ended = true;
        return;
    }
    while (!inbox->stopped && !inbox->ended &&
           (got = line_reader_next(&inbox->reader, &line, &length)) != 0) {
        if (got < 0)
            end_by_fault(inbox, "a line is too long");
        else
            take_line(inbox, line, length);
    }
}

json_t *inbox_next(struct inbox *inbox)
{
    while (!inbox->stopped && !inbox->ended && json_array_size(inbox->waiting) == 0)
        read_lines(inbox);
    if (inbox->stopped || json_array_size(inbox->waiting) == 0 || inbox->fault.text)
        return NULL;
    json_t *message = json_incref(json_array_get(inbox->waiting, 0));
    json_array_remove(inbox->waiting, 0);
    return message;
}

void inbox_look(struct inbox *inbox)
{
    struct pollfd poll_fd = {.fd = inbox->fd, .events = POLLIN};
    while (!inbox->stopped && !inbox->ended && poll(&poll_fd, 1, 0) == 1)
        read_lines(inbox);
}
