#include "tuner/client.h"

#include "common/protocol.h"
#include "tuner/control.h"
#include "tuner/control_address.h"
#include "tuner/home.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Answers come at once, but for a daemon that waits for its disk. */
enum { ANSWER_MS = 30000 };

struct client {
    char *home;
    int fd;
    struct line_reader lines;
};

/* ---- connecting ---- */

/* 1: connected; 0: nobody listens, or there is no socket; -1. */
static int connect_to(int fd, const char *home, struct failure *why)
{
    struct control_address address;
    int result = -1;
    if (control_address_open(&address, home, why) != 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address.name, sizeof address.name) == 0)
        result = 1;
    else if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
        result = 0;
    else if (errno == EACCES || errno == EPERM)
        fail_input(why, "the daemon of %s is another user's", home);
    else
        fail(why, "the daemon of %s cannot be reached: %s", home, strerror(errno));
    control_address_close(&address);
    return result;
}

int client_find(const char *home, struct client **client, struct failure *why)
{
    int fd, found;
    if (access(home, F_OK) != 0 && errno == ENOENT)
        return 0;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(why, "cannot make a socket: %s", strerror(errno));
    found = connect_to(fd, home, why);
    if (found != 1) {
        close(fd);
        return found;
    }
    *client = xcalloc(1, sizeof **client);
    (*client)->home = xstrdup(home);
    (*client)->fd = fd;
    (*client)->lines.longest = CONTROL_KEPT_MAX; /* the daemon keeps no longer answer for a peer */
    return 1;
}

struct client *client_open(const char *home, struct failure *why)
{
    struct client *client = NULL;
    if (client_find(home, &client, why) == 0)
        fail_input(why, "no daemon works in %s; start one with: tuner serve --home %s", home, home);
    return client;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    close(client->fd);
    line_reader_free(&client->lines);
    free(client->home);
    free(client);
}

int client_fd(const struct client *client)
{
    return client->fd;
}

long client_pid(const struct client *client)
{
    struct ucred daemon = {0};
    socklen_t size = sizeof daemon;
    getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &daemon, &size);
    return (long)daemon.pid;
}

/* ---- hearing ---- */

static int read_line(struct client *client, const char *line, size_t length, json_t **object,
                     struct failure *why)
{
    *object = json_loadb(line, length, 0, NULL);
    if (json_is_object(*object))
        return 1;
    json_decref(*object);
    *object = NULL;
    return fail(why, "the daemon of %s says what is no JSON object", client->home);
}

/* Reads once, after waiting at most so long: 1, or 0 when nothing came. */
static int hear(struct client *client, int timeout_ms, struct failure *why)
{
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};
    int woken = poll(&ready, 1, timeout_ms);
    long count;
    if (woken == 0 || (woken < 0 && errno == EINTR))
        return 0;
    count = line_reader_fill(&client->lines, client->fd);
    if (count > 0)
        return 1;
    if (count == 0 || errno == ECONNRESET)
        return fail(why, "the daemon of %s has ended", client->home);
    return fail(why, "the daemon of %s cannot be heard: %s", client->home, strerror(errno));
}

int client_next(struct client *client, int timeout_ms, json_t **line, struct failure *why)
{
    int64_t until_ms = clock_ms() + timeout_ms;
    for (;;) {
        char *bytes;
        size_t length;
        int64_t left_ms = timeout_ms < 0 ? -1 : until_ms - clock_ms();
        int found = line_reader_next(&client->lines, &bytes, &length);
        if (found > 0)
            return read_line(client, bytes, length, line, why);
        if (found < 0)
            return fail(why, "the daemon of %s says lines that are too long", client->home);
        if (timeout_ms > 0 && left_ms <= 0)
            return 0;
        found = hear(client, (int)(left_ms < 0 && timeout_ms >= 0 ? 0 : left_ms), why);
        if (found <= 0)
            return found;
    }
}

/* ---- asking ---- */

int client_send(struct client *client, json_t *request, struct failure *why)
{
    size_t length, sent = 0;
    char *line = protocol_line(request, &length);
    int result = 0;
    json_decref(request);
    if (length > PROTOCOL_LINE_MAX)
        result = fail_input(why, "a request of %zu bytes is too long: %d are taken", length,
                            PROTOCOL_LINE_MAX);
    while (result == 0 && sent < length) {
        ssize_t count = send(client->fd, line + sent, length - sent, MSG_NOSIGNAL);
        if (count >= 0)
            sent += (size_t)count;
        else if (errno == EPIPE || errno == ECONNRESET)
            break; /* it may have said why */
        else if (errno != EINTR)
            result = fail(why, "the daemon of %s cannot be asked: %s", client->home,
                          strerror(errno));
    }
    free(line);
    return result;
}

/* The code is one of those that a command may end with. */
static void take_failure(const json_t *answer, struct failure *why)
{
    json_int_t code = json_integer_value(json_object_get(answer, "code"));
    const char *text = json_string_value(json_object_get(answer, "error"));
    if (text == NULL)
        text = "the daemon refuses, and does not say why";
    if (code == EXIT_BAD_INPUT)
        fail_input(why, "%s", text);
    else if (code == EXIT_BAD_USAGE)
        fail_usage(why, "%s", text);
    else
        fail(why, "%s", text);
}

json_t *client_ask(struct client *client, json_t *request, struct failure *why)
{
    json_t *answer = NULL;
    if (client_send(client, request, why) != 0)
        return NULL;
    switch (client_next(client, ANSWER_MS, &answer, why)) {
    case 1:
        if (json_is_true(json_object_get(answer, "ok")))
            return answer;
        take_failure(answer, why);
        break;
    case 0:
        fail(why, "the daemon of %s (process %ld) does not answer", client->home,
             client_pid(client));
        break;
    }
    json_decref(answer);
    return NULL;
}

json_t *client_ask_once(const char *home, json_t *request, struct failure *why)
{
    char *path = home_path(home);
    struct client *client = client_open(path, why);
    json_t *answer = NULL;
    if (client != NULL)
        answer = client_ask(client, request, why);
    else
        json_decref(request);
    client_close(client);
    free(path);
    return answer;
}
