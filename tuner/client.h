/* The other end of the control socket: what commands ask the daemon of a home. */
#ifndef TUNER_CLIENT_H
#define TUNER_CLIENT_H

#include "common/base.h"

#include <jansson.h>

struct client;

/* 1: *client is connected to the home's daemon; 0: no daemon works there; -1: another
 * failure. */
int client_find(const char *home, struct client **client, struct failure *why);
/* Likewise, but it is bad input that no daemon works there.  NULL on failure. */
struct client *client_open(const char *home, struct failure *why);
void client_close(struct client *client);

int client_fd(const struct client *client);
/* The daemon's process. */
long client_pid(const struct client *client);

/* Sends a request (the reference is taken); its answer comes among the lines of client_next(). */
int client_send(struct client *client, json_t *request, struct failure *why);
/* Sends a request (the reference is taken) and waits for its answer: a new reference, or
 * NULL with the failure that was answered. */
json_t *client_ask(struct client *client, json_t *request, struct failure *why);
/* The same for one request alone, to the daemon of the home that `home` (--home, or NULL)
 * chooses. */
json_t *client_ask_once(const char *home, json_t *request, struct failure *why);
/* The next line that the daemon says, waited for at most so long (0: only what is there,
 * -1: for ever).  1: *line is a new reference; 0: none came; -1: a failure, or the daemon
 * has ended. */
int client_next(struct client *client, int timeout_ms, json_t **line, struct failure *why);

#endif
