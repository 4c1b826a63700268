/* Control groups (cgroup v2), which hold a worker and all that it starts to its memory, where
 * this process may make some: as root, or in a group that is handed over to it (systemd's
 * Delegate=yes).  Elsewhere there are none, and limits_apply() does what can be done. */
#ifndef TUNER_CGROUP_H
#define TUNER_CGROUP_H

#include "common/base.h"

/* The folder that groups of workers can be made in, NULL where there is none; the caller
 * frees it.  What killed tuners have left there is removed.  A group that has processes cannot hand out memory to groups below, so
 * this process moves to one beside them.  `root` is where they are mounted, "/sys/fs/cgroup",
 * `own` what /proc/self/cgroup says. */
char *cgroup_base(const char *root, const char *own);

struct cgroup {
    char *path;
    int joining; /* who writes "0" there becomes a member */
    int killing; /* "1": kills all members; -1 where kernels cannot (before 5.14) */
};

/* A group with so much memory for a worker, by its number among those that this process has
 * started; -1: there can be none, and *group is to be forgotten. */
int cgroup_make(struct cgroup *group, const char *base, int64_t worker, int memory_mb);
/* After the end of all members: removes it.  True if any was killed for want of memory. */
bool cgroup_remove(struct cgroup *group);

#endif
