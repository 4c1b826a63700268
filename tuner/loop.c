#include "tuner/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 64 };

struct loop {
    int epoll;
    struct timer *timers; /* unordered: a study has a handful */
    struct watch signals;
    void (*caught)(int signal, void *context);
    void *caught_context;
    sigset_t old_mask;
    struct epoll_event events[EVENTS_PER_TURN];
    int event_count; /* of this turn, so that loop_unwatch() can strike out later ones */
};

struct loop *loop_new(struct failure *why)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->signals.fd = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        fail(why, "cannot make an event loop: %s", strerror(errno));
        free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->signals.fd >= 0) {
        close(loop->signals.fd);
        sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
    }
    close(loop->epoll);
    free(loop);
}

int loop_watch(struct loop *loop, struct watch *watch, struct failure *why)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = watch}};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) != 0)
        return fail(why, "cannot watch a descriptor: %s", strerror(errno));
    return 0;
}

void loop_watch_for(struct loop *loop, struct watch *watch, bool reading, bool writing)
{
    struct epoll_event event = {.data = {.ptr = watch}};
    event.events = (reading ? EPOLLIN : 0u) | (writing ? EPOLLOUT : 0u);
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    int i;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    for (i = 0; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
    }
}

void loop_clear_timer(struct loop *loop, struct timer *timer)
{
    struct timer **link = &loop->timers;
    while (*link != NULL && *link != timer)
        link = &(*link)->next;
    if (*link == timer)
        *link = timer->next;
    timer->at_ms = 0;
    timer->next = NULL;
}

void loop_set_timer(struct loop *loop, struct timer *timer, int64_t after_ms)
{
    loop_clear_timer(loop, timer);
    timer->at_ms = clock_ms() + after_ms;
    timer->next = loop->timers;
    loop->timers = timer;
}

static void signals_ready(struct watch *watch, void *context)
{
    struct loop *loop = context;
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
        loop->caught((int)info.ssi_signo, loop->caught_context);
}

int loop_signals(struct loop *loop, const int *signals, size_t count,
                 void (*caught)(int signal, void *context), void *context, struct failure *why)
{
    sigset_t mask;
    size_t i;
    sigemptyset(&mask);
    for (i = 0; i < count; i++)
        sigaddset(&mask, signals[i]);
    sigprocmask(SIG_BLOCK, &mask, &loop->old_mask);
    loop->caught = caught;
    loop->caught_context = context;
    loop->signals = (struct watch){.ready = signals_ready, .context = loop};
    loop->signals.fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signals.fd < 0)
        return fail(why, "cannot receive signals: %s", strerror(errno));
    return loop_watch(loop, &loop->signals, why);
}

/* Milliseconds until the first timer is due, -1 without timers. */
static int time_left(const struct loop *loop)
{
    const struct timer *timer;
    int64_t first = INT64_MAX, left;
    for (timer = loop->timers; timer != NULL; timer = timer->next) {
        if (timer->at_ms < first)
            first = timer->at_ms;
    }
    if (first == INT64_MAX)
        return -1;
    left = first - clock_ms();
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void call_timers(struct loop *loop)
{
    int64_t now = clock_ms();
    struct timer *timer = loop->timers;
    while (timer != NULL) {
        if (timer->at_ms > now) {
            timer = timer->next;
            continue;
        }
        loop_clear_timer(loop, timer);
        timer->due(timer, timer->context);
        timer = loop->timers; /* the call may have changed the list */
    }
}

int loop_turn(struct loop *loop, struct failure *why)
{
    int i;
    loop->event_count = epoll_wait(loop->epoll, loop->events, EVENTS_PER_TURN, time_left(loop));
    if (loop->event_count < 0 && errno != EINTR)
        return fail(why, "cannot wait for events: %s", strerror(errno));
    for (i = 0; i < loop->event_count; i++) {
        struct watch *watch = loop->events[i].data.ptr;
        if (watch != NULL)
            watch->ready(watch, watch->context);
    }
    loop->event_count = 0;
    call_timers(loop);
    return 0;
}
