/* What a worker may use of the machine. */
#ifndef TUNER_LIMITS_H
#define TUNER_LIMITS_H

#include <stdbool.h>
#include <sys/types.h>

enum { LIMIT_MEGABYTES_MOST = 1 << 30, LIMIT_NICE_MOST = 19 };

struct limits {
    int memory_mb; /* of memory, for the worker and what it starts; 0: no limit */
    int log_mb;    /* that it may write to its log; 0: no limit */
    int nice;      /* 0 to 19: how far behind others it stands for a core */
};

bool limits_equal(const struct limits *one, const struct limits *other);
/* What keeps both: the smaller memory and log, the greater niceness. */
struct limits limits_join(const struct limits *one, const struct limits *other);
/* In a worker to be, before its exec: niceness, and memory as address space unless a control
 * group has it already.  Calls only what is safe after a fork.  What cannot be set is
 * left as it is: a worker without its limit is better than none. */
void limits_apply(const struct limits *limits, bool memory_is_held);

/* Cores that this process may run on, at least 1. */
int cores_allowed(void);
/* Gives worker `number` of `workers` with `threads` threads each its own cores when together
 * they take all there are, and every core otherwise: fewer workers are better placed
 * by the kernel, which sees what else runs on the machine, and a worker that has more
 * threads than its share (the final training) must not be held to it.  Threads that
 * the worker starts later have the same cores. */
void cores_give(pid_t worker, int number, int workers, int threads);

#endif
