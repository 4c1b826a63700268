#include "tuner/limits.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static const rlim_t MEGABYTE = (rlim_t)1 << 20;

bool limits_equal(const struct limits *one, const struct limits *other)
{
    return one->memory_mb == other->memory_mb && one->log_mb == other->log_mb &&
           one->nice == other->nice;
}

static int smaller(int one, int other)
{
    return other == 0 || (one > 0 && one < other) ? one : other;
}

struct limits limits_join(const struct limits *one, const struct limits *other)
{
    return (struct limits){.memory_mb = smaller(one->memory_mb, other->memory_mb),
                           .log_mb = smaller(one->log_mb, other->log_mb),
                           .nice = one->nice > other->nice ? one->nice : other->nice};
}

void limits_apply(const struct limits *limits, bool memory_is_held)
{
    if (limits->nice > 0)
        setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + limits->nice);
    if (limits->memory_mb > 0 && !memory_is_held) {
        struct rlimit space = {0};
        getrlimit(RLIMIT_AS, &space);
        if (space.rlim_cur > (rlim_t)limits->memory_mb * MEGABYTE) {
            space.rlim_cur = space.rlim_max = (rlim_t)limits->memory_mb * MEGABYTE;
            setrlimit(RLIMIT_AS, &space);
        }
    }
}

/* ---- cores ---- */

int cores_allowed(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    return CPU_COUNT(&allowed);
}

/* Leaves of the allowed cores those from the first-th on, `count` of them. */
static void choose(cpu_set_t *cores, int first, int count)
{
    int seen = 0;
    size_t core;
    for (core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, cores))
            continue;
        if (seen < first || seen >= first + count)
            CPU_CLR(core, cores);
        seen++;
    }
}

/* Each thread has a set of its own. */
static void give_to_threads(pid_t process, const cpu_set_t *cores)
{
    char path[40];
    const struct dirent *thread;
    DIR *threads;
    snprintf(path, sizeof path, "/proc/%ld/task", (long)process);
    threads = opendir(path);
    while (threads != NULL && (thread = readdir(threads)) != NULL) {
        pid_t id = (pid_t)strtol(thread->d_name, NULL, 10);
        if (id > 0)
            sched_setaffinity(id, sizeof *cores, cores);
    }
    if (threads != NULL)
        closedir(threads);
}

void cores_give(pid_t worker, int number, int workers, int threads)
{
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0)
        return;
    if (number < workers && (long)workers * threads == CPU_COUNT(&cores))
        choose(&cores, number * threads, threads);
    give_to_threads(worker, &cores);
}
