/* The event loop: descriptors, timers and signals, on epoll, the monotonic clock and
 * signalfd.  It knows nothing of what is built on it. */
#ifndef TUNER_LOOP_H
#define TUNER_LOOP_H

#include "common/base.h"

#include <signal.h>

struct loop;

/* One descriptor under watch.  The owner embeds it and keeps it until loop_unwatch(). */
struct watch {
    int fd;
    /* Readable, at its end, or in error; writable, if that was asked for. */
    void (*ready)(struct watch *watch, void *context);
    void *context;
};

/* One timer; inactive while at_ms is 0.  The owner embeds it. */
struct timer {
    int64_t at_ms; /* on clock_ms() */
    void (*due)(struct timer *timer, void *context);
    void *context;
    struct timer *next;
};

struct loop *loop_new(struct failure *why);
void loop_free(struct loop *loop);

int loop_watch(struct loop *loop, struct watch *watch, struct failure *why);
void loop_unwatch(struct loop *loop, struct watch *watch);
/* What a descriptor under watch is watched for from now on; at first, for reading alone.
 * Its hang-up is always told. */
void loop_watch_for(struct loop *loop, struct watch *watch, bool reading, bool writing);
void loop_set_timer(struct loop *loop, struct timer *timer, int64_t after_ms);
void loop_clear_timer(struct loop *loop, struct timer *timer);
/* Blocks the signals and has `caught` called with each that arrives; once per loop. */
int loop_signals(struct loop *loop, const int *signals, size_t count,
                 void (*caught)(int signal, void *context), void *context, struct failure *why);

/* Waits at most until the next timer, then calls whatever is ready; one turn. */
int loop_turn(struct loop *loop, struct failure *why);

#endif
