/* The control socket: a server of lines on <home>/control.sock, for docs/control.md.  It
 * knows peers, lines and who watches what; what a line means is its owner's to know.
 *
 * Nothing that a peer does holds up the loop: what is said to it is kept and written when
 * it can be; one that does not read is not listened to either, and cut off when too much
 * is kept for it. */
#ifndef TUNER_CONTROL_H
#define TUNER_CONTROL_H

#include "tuner/loop.h"

#include <jansson.h>

enum {
    CONTROL_PEERS_MAX = 64,
    CONTROL_KEPT_MAX = 8 << 20,    /* bytes kept for a peer that does not read */
    CONTROL_PAUSE_BYTES = 256 << 10 /* from which on no more requests are taken from it */
};

struct control;
struct peer;

struct control_events {
    /* A whole line, without its newline; valid during the call. */
    void (*line)(void *context, struct peer *peer, const char *line, size_t length);
    void *context;
};

/* Opens the socket, mode 0600, in the place of one that a dead daemon left: only who has
 * the home's lock may call this. */
struct control *control_open(struct loop *loop, const char *home,
                             const struct control_events *events, struct failure *why);
/* Writes what peers will still take, for at most a second, and removes the socket. */
void control_close(struct control *control);

/* Said once the turn of the loop is over, and with it the commit of what it records: an
 * answer is a promise. */
void peer_say(struct peer *peer, const json_t *object);
/* From now on the peer is told of `study`, or of everything (NULL); an earlier watch ends. */
void peer_watch(struct peer *peer, const char *study);

/* Says an event of `study` to who watches it; NULL: to all who watch anything.  After the
 * `last` one the study is watched no more. */
void control_publish(struct control *control, const char *study, const json_t *event, bool last);

#endif
