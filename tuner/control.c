#include "tuner/control.h"

#include "common/protocol.h"
#include "common/text.h"
#include "tuner/control_address.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64, ACCEPT_AGAIN_MS = 1000, LAST_WORDS_MS = 1000 };

struct peer {
    struct control *control;
    struct peer *next;
    struct watch watch;
    struct line_reader lines;
    struct text kept;    /* said to it, and not written yet from `written` on */
    size_t written;
    bool ended;          /* it says nothing more, but may still read */
    bool watches;
    char *study;         /* that it watches; NULL: everything */
};

struct control {
    struct loop *loop;
    char *home;
    struct control_events events;
    struct watch listener;
    bool bound;          /* the socket in the home is ours */
    struct timer again;  /* listens again, after descriptors had run out */
    struct peer *peers;
    int peer_count;
};

/* ---- what is kept for a peer ---- */

static size_t kept_bytes(const struct peer *peer)
{
    return peer->kept.length - peer->written;
}

/* Writes what there is room for; -1 when the peer is gone. */
static int write_kept(struct peer *peer)
{
    while (kept_bytes(peer) > 0) {
        ssize_t count = send(peer->watch.fd, peer->kept.at + peer->written, kept_bytes(peer),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        peer->written += (size_t)count;
    }
    text_free(&peer->kept); /* rather than cleared: it may have been large once */
    peer->written = 0;
    return 0;
}

static bool is_answered(const struct peer *peer)
{
    return kept_bytes(peer) < CONTROL_PAUSE_BYTES;
}

static bool is_listened_to(const struct peer *peer)
{
    return !peer->ended && is_answered(peer);
}

static void watch_for_what_is_next(struct peer *peer)
{
    loop_watch_for(peer->control->loop, &peer->watch, is_listened_to(peer), kept_bytes(peer) > 0);
}

/* Of a peer that never reads everything, what it has read would be kept for ever. */
static void forget_written(struct peer *peer)
{
    struct text rest = TEXT_EMPTY;
    if (peer->written < CONTROL_PAUSE_BYTES || peer->written < kept_bytes(peer))
        return;
    text_add_bytes(&rest, peer->kept.at + peer->written, kept_bytes(peer));
    text_free(&peer->kept);
    peer->kept = rest;
    peer->written = 0;
}

/* Not written here: the turn that recorded what is said has not been committed yet. */
static void keep(struct peer *peer, const char *line, size_t length)
{
    if (kept_bytes(peer) + length > CONTROL_KEPT_MAX) {
        shutdown(peer->watch.fd, SHUT_RDWR); /* its hang-up frees it, in a turn of its own */
        return;
    }
    forget_written(peer);
    text_add_bytes(&peer->kept, line, length);
    watch_for_what_is_next(peer);
}

void peer_say(struct peer *peer, const json_t *object)
{
    size_t length;
    char *line = protocol_line(object, &length);
    keep(peer, line, length);
    free(line);
}

void peer_watch(struct peer *peer, const char *study)
{
    free(peer->study);
    peer->study = study != NULL ? xstrdup(study) : NULL;
    peer->watches = true;
}

/* What is of no study, a full disk say, is of interest to everybody. */
static bool is_watched_by(const struct peer *peer, const char *study)
{
    return peer->watches &&
           (peer->study == NULL || study == NULL || strcasecmp(peer->study, study) == 0);
}

void control_publish(struct control *control, const char *study, const json_t *event, bool last)
{
    struct peer *peer;
    size_t length = 0;
    char *line = NULL;
    for (peer = control->peers; peer != NULL; peer = peer->next) {
        if (!is_watched_by(peer, study))
            continue;
        if (line == NULL)
            line = protocol_line(event, &length);
        keep(peer, line, length);
        if (last && peer->study != NULL)
            peer->watches = false;
    }
    free(line);
}

/* ---- peers ---- */

static void drop(struct peer *peer)
{
    struct control *control = peer->control;
    struct peer **link = &control->peers;
    while (*link != peer)
        link = &(*link)->next;
    *link = peer->next;
    control->peer_count--;
    loop_unwatch(control->loop, &peer->watch);
    close(peer->watch.fd);
    line_reader_free(&peer->lines);
    text_free(&peer->kept);
    free(peer->study);
    free(peer);
}

static void refuse_line(struct peer *peer)
{
    json_t *answer = json_pack("{s: b, s: i, s: s}", "ok", 0, "code", EXIT_BAD_USAGE, "error",
                               "the line is longer than 1048576 bytes");
    peer_say(peer, answer);
    json_decref(answer);
    line_reader_free(&peer->lines);
    peer->ended = true; /* where the next line begins, nobody knows */
    peer->watches = false;
}

static void take_lines(struct peer *peer)
{
    struct control *control = peer->control;
    while (is_answered(peer)) {
        char *line;
        size_t length;
        int found = line_reader_next(&peer->lines, &line, &length);
        if (found < 0)
            refuse_line(peer);
        if (found <= 0)
            break;
        control->events.line(control->events.context, peer, line, length);
    }
}

/* Reads once; -1 when the peer is gone. */
static int hear(struct peer *peer)
{
    long count = line_reader_fill(&peer->lines, peer->watch.fd);
    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    peer->ended = count == 0;
    return 0;
}

static void peer_ready(struct watch *watch, void *context)
{
    struct peer *peer = context;
    bool had_kept = kept_bytes(peer) > 0;
    (void)watch;
    if (write_kept(peer) != 0 || (peer->ended && !had_kept)) {
        drop(peer); /* the one thing that is told of a peer that ended is its hang-up */
        return;
    }
    if (is_listened_to(peer) && hear(peer) != 0) {
        drop(peer);
        return;
    }
    take_lines(peer);
    if (peer->ended && kept_bytes(peer) == 0 && !peer->watches)
        drop(peer);
    else
        watch_for_what_is_next(peer);
}

/* ---- listening ---- */

/* A new peer is told why it is refused, if there is room for a line; it is closed anyway. */
static void turn_away(int fd, const char *reason)
{
    json_t *answer = json_pack("{s: b, s: i, s: s}", "ok", 0, "code", EXIT_FAILED, "error", reason);
    size_t length;
    char *line = protocol_line(answer, &length);
    (void)!send(fd, line, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
    free(line);
    json_decref(answer);
}

static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void add_peer(struct control *control, int fd)
{
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->control = control;
    peer->watch = (struct watch){.fd = fd, .ready = peer_ready, .context = peer};
    if (loop_watch(control->loop, &peer->watch, NULL) != 0) {
        close(fd);
        free(peer);
        return;
    }
    peer->next = control->peers;
    control->peers = peer;
    control->peer_count++;
}

static void listen_again(struct timer *timer, void *context)
{
    struct control *control = context;
    if (loop_watch(control->loop, &control->listener, NULL) != 0)
        loop_set_timer(control->loop, timer, ACCEPT_AGAIN_MS);
}

static void listener_ready(struct watch *watch, void *context)
{
    struct control *control = context;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        if (!is_allowed(fd))
            turn_away(fd, "this daemon is another user's");
        else if (control->peer_count == CONTROL_PEERS_MAX)
            turn_away(fd, "too many talk to this daemon already; end a `tuner watch`");
        else
            add_peer(control, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        /* Whoever waits would wake the loop again and again. */
        loop_unwatch(control->loop, watch);
        loop_set_timer(control->loop, &control->again, ACCEPT_AGAIN_MS);
    }
}

/* ---- the socket ---- */

static int remove_stale(const char *path, struct failure *why)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return 0;
    if (!S_ISSOCK(status.st_mode))
        return fail_input(why, "%s: is no socket; move it away, the daemon's is to be there", path);
    if (unlink(path) != 0)
        return fail(why, "%s: cannot be removed: %s", path, strerror(errno));
    return 0;
}

static int bind_listener(struct control *control, const char *path, struct failure *why)
{
    int fd = control->listener.fd, result = 0;
    struct control_address address;
    mode_t mask;
    if (control_address_open(&address, control->home, why) != 0)
        return -1;
    /* Nobody else may connect, not even for a moment. */
    mask = umask(0177);
    control->bound = bind(fd, (const struct sockaddr *)&address.name, sizeof address.name) == 0;
    umask(mask);
    if (!control->bound || listen(fd, BACKLOG) != 0)
        result = fail(why, "%s: cannot be listened to: %s", path, strerror(errno));
    control_address_close(&address);
    return result;
}

struct control *control_open(struct loop *loop, const char *home,
                             const struct control_events *events, struct failure *why)
{
    struct control *control = xcalloc(1, sizeof *control);
    char *path = control_path(home);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool failed = fd < 0;
    if (failed)
        fail(why, "cannot make a socket: %s", strerror(errno));
    control->loop = loop;
    control->home = xstrdup(home);
    control->events = *events;
    control->again = (struct timer){.due = listen_again, .context = control};
    control->listener = (struct watch){.fd = fd, .ready = listener_ready, .context = control};
    failed = failed || remove_stale(path, why) != 0 || bind_listener(control, path, why) != 0 ||
             loop_watch(loop, &control->listener, why) != 0;
    free(path);
    if (!failed)
        return control;
    control_close(control);
    return NULL;
}

/* Peers hear the end of what they watched, if they read it soon. */
static void say_last_words(struct control *control)
{
    int64_t until_ms = clock_ms() + LAST_WORDS_MS;
    struct peer *peer;
    for (peer = control->peers; peer != NULL; peer = peer->next) {
        struct pollfd ready = {.fd = peer->watch.fd, .events = POLLOUT};
        int64_t left_ms = until_ms - clock_ms();
        while (write_kept(peer) == 0 && kept_bytes(peer) > 0 && left_ms > 0) {
            poll(&ready, 1, (int)left_ms);
            left_ms = until_ms - clock_ms();
        }
    }
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    say_last_words(control);
    while (control->peers != NULL)
        drop(control->peers);
    loop_clear_timer(control->loop, &control->again);
    if (control->listener.fd >= 0) {
        loop_unwatch(control->loop, &control->listener);
        close(control->listener.fd);
    }
    if (control->bound) {
        char *path = control_path(control->home);
        unlink(path);
        free(path);
    }
    free(control->home);
    free(control);
}
