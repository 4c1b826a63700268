/* Launchers start workers and carry lines to and from them.
 *
 * A worker's life:
 *
 *   started --ready--> talking --stop or kill--> ending --both ends seen--> ended
 *                         |___________ dies by itself __________________|
 *
 * It has ended only after both the end of its stdout and its wait status, in
 * either order; what it said before its death is delivered before `ended`.  Whatever it has
 * started ends with it. */
#ifndef TUNER_LAUNCHER_H
#define TUNER_LAUNCHER_H

#include "common/protocol.h"
#include "tuner/limits.h"
#include "tuner/loop.h"

struct launcher;
struct worker;

struct launcher_events {
    /* A line that is a message; valid during the call. */
    void (*message)(void *context, struct worker *worker, const struct message *message);
    /* A line that is none, or one too long; the worker should be ended. */
    void (*garbage)(void *context, struct worker *worker, const char *reason);
    /* The worker is gone; `reason` is "exited with 3", "killed by signal 9 (Killed)"...
     * The worker is freed after the call. */
    void (*ended)(void *context, struct worker *worker, const char *reason);
    void *context;
};

/* Workers as local processes running `command` (array of strings; "worker" is added).
 * Each leads a process group of its own, dies with the tuner (keeper.h), and has its
 * stderr appended to <logs>/worker-<number>.log, what was there before going to .log.1 once
 * it is at its limit; without `logs` (NULL) it is the tuner's. */
struct launcher *launcher_local_new(struct loop *loop, const json_t *command, const char *logs,
                                    const struct launcher_events *events);
/* Of the workers that are started from now on; none at first. */
void launcher_limit(struct launcher *launcher, const struct limits *limits);
/* Kills what still runs and waits for it. */
void launcher_free(struct launcher *launcher);

struct worker *launcher_start(struct launcher *launcher, int number, void *owner,
                              struct failure *why);

void *worker_owner(const struct worker *worker);
int64_t worker_pid(const struct worker *worker);
/* Says a message.  A worker that does not empty its pipe has hung: it is killed, and
 * `ended` follows. */
void worker_send(struct worker *worker, const json_t *message);
/* Before it begins what it does with so many threads, as one of `workers`: gives it the cores
 * that are its own, see cores_give(). */
void worker_give_cores(struct worker *worker, int workers, int threads);
/* Ends it now, with everything that it has started. */
void worker_kill(struct worker *worker);
/* For `ended`: whether it was for want of memory. */
bool worker_out_of_memory(const struct worker *worker);

#endif
