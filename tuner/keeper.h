/* Keepers: the process between the tuner and one worker, whose parent it is.
 *
 *   tuner --fork--> keeper --fork, exec--> worker --> whatever it starts
 *
 * A keeper ends its worker when it is told to and when the tuner dies, however that dies.
 * When the worker has ended, the keeper ends all that it leaves behind, also what has left
 * its process group: orphans among the worker's descendants become the keeper's children.
 * It carries what the worker says on stderr to its log, up to a limit.  When a keeper is killed
 * its worker dies by itself, and the tuner ends the worker's process group.
 *
 * It is a fork of the tuner without an exec, so it calls only what is safe there, and keeps
 * none of the tuner's descriptors open. */
#ifndef TUNER_KEEPER_H
#define TUNER_KEEPER_H

#include "common/base.h"
#include "tuner/limits.h"

struct keeper {
    pid_t pid;    /* the keeper's own: the one to wait for */
    pid_t worker; /* leads a process group of its own */
    int news;     /* what keeper_wait() reads */
    int log_mb;   /* the limit of its log */
};

/* The worker to be.  The descriptors stay the caller's. */
struct kept {
    char **command;       /* NULL-terminated */
    int input, output;    /* its stdin and stdout */
    int log;              /* where its stderr goes; -1: to the tuner's */
    int joining, killing; /* of its cgroup; -1 without one: then its memory is limited by
                             address space */
    struct limits limits;
};

int keeper_start(struct keeper *keeper, const struct kept *kept, struct failure *why);
/* Has it end its worker now, with everything below. */
void keeper_kill(const struct keeper *keeper);
/* Waits for the keeper, which ends after its worker, and tells how that ended: "exited with
 * 3", "killed by signal 9 (Killed)"...; the caller frees it, and the keeper is over.  NULL,
 * only without `wait`: it has not ended yet.  *out_of_memory: because memory was refused. */
char *keeper_wait(struct keeper *keeper, bool wait, bool *out_of_memory);

#endif
