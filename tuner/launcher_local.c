#include "tuner/launcher.h"

#include "common/file.h"
#include "tuner/cgroup.h"
#include "tuner/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Room for every message to a worker at once, so that only a worker that does not read can
 * fill its pipe.  Made only for a message that needs it: who is not root may have few so large. */
enum { PIPE_BYTES = 1 << 20 };

/* More than a pipe holds: a stranger that keeps on filling it is not listened to for ever. */
enum { READS_AFTER_DEATH = 1 << 10 };

struct worker {
    struct launcher *launcher;
    struct worker *next;
    int number;
    void *owner;
    struct keeper keeper;
    struct cgroup cgroup; /* without a path: none */
    int to;               /* its stdin, -1 once closed */
    struct watch from;    /* its stdout; fd -1 after the end */
    struct watch death;   /* its keeper's pidfd; fd -1 after the wait, or where there are none */
    char *ending;         /* how it ended, once it is waited for */
    bool out_of_memory;   /* likewise: for want of memory */
    int workers, threads; /* that its cores were given for; 0: every core is its */
    bool deaf;            /* spoke garbage: nothing more is read as messages */
    struct line_reader lines;
};

struct launcher {
    struct loop *loop;
    char **command;       /* NULL-terminated */
    char *logs;
    struct limits limits;
    char *cgroups;        /* where those of workers are made; NULL: none */
    int64_t started;      /* workers so far */
    struct launcher_events events;
    struct worker *workers;
};

/* ---- starting ---- */

struct launcher *launcher_local_new(struct loop *loop, const json_t *command, const char *logs,
                                    const struct launcher_events *events)
{
    struct launcher *launcher = xcalloc(1, sizeof *launcher);
    size_t i, words = json_array_size(command);
    launcher->loop = loop;
    launcher->logs = logs != NULL ? xstrdup(logs) : NULL;
    launcher->events = *events;
    launcher->command = xcalloc(words + 2, sizeof *launcher->command);
    for (i = 0; i < words; i++)
        launcher->command[i] = xstrdup(json_string_value(json_array_get(command, i)));
    launcher->command[words] = xstrdup("worker");
    return launcher;
}

void launcher_limit(struct launcher *launcher, const struct limits *limits)
{
    char *own;
    size_t size;
    launcher->limits = *limits;
    if (limits->memory_mb == 0 || launcher->cgroups != NULL ||
        file_read("/proc/self/cgroup", 1 << 16, &own, &size, NULL) != 0)
        return;
    launcher->cgroups = cgroup_base("/sys/fs/cgroup", own);
    free(own);
}

/* A log that has grown to its limit is put aside, for one more to follow it. */
static void turn_log(const char *path, int log_mb)
{
    struct stat found;
    char *aside;
    if (log_mb == 0 || stat(path, &found) != 0 || found.st_size < (off_t)log_mb << 20)
        return;
    aside = xasprintf("%s.1", path);
    rename(path, aside);
    free(aside);
}

/* *log gets its descriptor, -1 without one. */
static int open_log(const struct launcher *launcher, int number, int *log, struct failure *why)
{
    char *path;
    *log = -1;
    if (launcher->logs == NULL)
        return 0;
    path = xasprintf("%s/worker-%d.log", launcher->logs, number);
    turn_log(path, launcher->limits.log_mb);
    *log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (*log < 0)
        fail(why, "cannot write %s: %s", path, strerror(errno));
    free(path);
    return *log >= 0 ? 0 : -1;
}

static bool hear_some(struct worker *worker);
static void end_at_once(struct worker *worker);
static void from_ready(struct watch *watch, void *context);
static void death_ready(struct watch *watch, void *context);

static void close_all(const int *descriptors, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    }
}

static void make_cgroup(struct worker *worker)
{
    const struct launcher *launcher = worker->launcher;
    worker->cgroup = (struct cgroup){NULL, -1, -1};
    if (launcher->limits.memory_mb > 0 && launcher->cgroups != NULL)
        cgroup_make(&worker->cgroup, launcher->cgroups, launcher->started,
                    launcher->limits.memory_mb);
}

/* Makes the process and its keeper, and the tuner's ends of what joins them. */
static int spawn(struct worker *worker, struct failure *why)
{
    const struct launcher *launcher = worker->launcher;
    int fds[5] = {-1, -1, -1, -1, -1}; /* stdin read, write; stdout read, write; log */
    struct kept kept = {.command = launcher->command, .limits = launcher->limits};
    if (open_log(launcher, worker->number, &fds[4], why) != 0)
        return -1;
    if (pipe2(fds, O_CLOEXEC) != 0 || pipe2(fds + 2, O_CLOEXEC) != 0) {
        fail(why, "cannot start a worker: %s", strerror(errno));
        close_all(fds, ARRAY_LENGTH(fds));
        return -1;
    }
    kept.input = fds[0];
    kept.output = fds[3];
    kept.log = fds[4];
    make_cgroup(worker);
    kept.joining = worker->cgroup.joining;
    kept.killing = worker->cgroup.killing;
    if (keeper_start(&worker->keeper, &kept, why) != 0) {
        close_all(fds, ARRAY_LENGTH(fds));
        if (worker->cgroup.path != NULL)
            cgroup_remove(&worker->cgroup);
        return -1;
    }
    close_all((int[]){fds[0], fds[3], fds[4]}, 3);
    worker->to = fds[1];
    worker->from.fd = fds[2];
    fcntl(worker->to, F_SETFL, O_NONBLOCK);
    fcntl(worker->from.fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static char *wait_for(struct worker *worker, bool until_its_end)
{
    worker->ending = keeper_wait(&worker->keeper, until_its_end, &worker->out_of_memory);
    if (worker->ending != NULL && worker->cgroup.path != NULL && cgroup_remove(&worker->cgroup)) {
        free(worker->ending);
        worker->ending = xasprintf("took more than %d MB of memory",
                                   worker->launcher->limits.memory_mb);
        worker->out_of_memory = true;
    }
    return worker->ending;
}

static int watch_death(struct worker *worker, struct failure *why)
{
    worker->death.fd = (int)syscall(SYS_pidfd_open, worker->keeper.pid, 0);
    if (worker->death.fd >= 0 || errno == ENOSYS) /* kernels before 5.3, valgrind: from_ready() */
        return 0;
    fail(why, "cannot watch a worker: %s", strerror(errno));
    keeper_kill(&worker->keeper);
    free(wait_for(worker, true));
    close_all((int[]){worker->to, worker->from.fd}, 2);
    return -1;
}

struct worker *launcher_start(struct launcher *launcher, int number, void *owner,
                              struct failure *why)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->launcher = launcher;
    worker->number = number;
    launcher->started++;
    worker->owner = owner;
    worker->from = (struct watch){.ready = from_ready, .context = worker};
    worker->death = (struct watch){.ready = death_ready, .context = worker};
    if (spawn(worker, why) != 0 || watch_death(worker, why) != 0) {
        free(worker);
        return NULL;
    }
    worker->next = launcher->workers;
    launcher->workers = worker;
    if (loop_watch(launcher->loop, &worker->from, why) == 0 &&
        (worker->death.fd < 0 || loop_watch(launcher->loop, &worker->death, why) == 0))
        return worker;
    end_at_once(worker);
    return NULL;
}

/* ---- ending ---- */

static void worker_free(struct worker *worker)
{
    struct worker **link = &worker->launcher->workers;
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    close_all((int[]){worker->to, worker->from.fd, worker->death.fd}, 3);
    line_reader_free(&worker->lines);
    free(worker->ending);
    free(worker);
}

static void unwatch(struct worker *worker, struct watch *watch)
{
    if (watch->fd < 0)
        return;
    loop_unwatch(worker->launcher->loop, watch);
    close(watch->fd);
    watch->fd = -1;
}

static void end_if_both_seen(struct worker *worker)
{
    struct launcher *launcher = worker->launcher;
    if (worker->from.fd >= 0 || worker->ending == NULL)
        return;
    launcher->events.ended(launcher->events.context, worker, worker->ending);
    worker_free(worker);
}

/* With its keeper ended everything below the worker has, so its stdout has an end; unless
 * the keeper was killed: then only what is in the pipe by now is heard. */
static void death_ready(struct watch *watch, void *context)
{
    struct worker *worker = context;
    int reads = 0;
    if (wait_for(worker, false) == NULL)
        return;
    unwatch(worker, watch);
    while (worker->from.fd >= 0 && reads++ < READS_AFTER_DEATH && hear_some(worker))
        continue;
    unwatch(worker, &worker->from);
    end_if_both_seen(worker);
}

void worker_kill(struct worker *worker)
{
    if (worker->ending == NULL)
        keeper_kill(&worker->keeper);
}

/* Without `ended` being told. */
static void end_at_once(struct worker *worker)
{
    worker_kill(worker);
    if (worker->ending == NULL)
        wait_for(worker, true);
    unwatch(worker, &worker->from);
    unwatch(worker, &worker->death);
    worker_free(worker);
}

void launcher_free(struct launcher *launcher)
{
    size_t i;
    if (launcher == NULL)
        return;
    while (launcher->workers != NULL)
        end_at_once(launcher->workers);
    for (i = 0; launcher->command[i] != NULL; i++)
        free(launcher->command[i]);
    free(launcher->command);
    free(launcher->logs);
    free(launcher->cgroups);
    free(launcher);
}

/* ---- lines ---- */

static void hear(struct worker *worker, const char *line, size_t length)
{
    struct launcher_events *events = &worker->launcher->events;
    struct failure why = FAILURE_NONE;
    struct message message;
    if (message_parse(line, length, &message, &why) == 0) {
        events->message(events->context, worker, &message);
        message_release(&message);
    } else {
        worker->deaf = true;
        events->garbage(events->context, worker, why.text);
        failure_clear(&why);
    }
}

static void hear_lines(struct worker *worker)
{
    struct launcher_events *events = &worker->launcher->events;
    char *line;
    size_t length;
    int there = 0;
    while (!worker->deaf && (there = line_reader_next(&worker->lines, &line, &length)) == 1)
        hear(worker, line, length);
    if (there < 0) {
        worker->deaf = true;
        events->garbage(events->context, worker, "a line longer than 1 MiB");
    }
}

/* Reads once and passes on what was said; false when there is nothing there now, or
 * never again: then it is no longer watched. */
static bool hear_some(struct worker *worker)
{
    long got = line_reader_fill(&worker->lines, worker->from.fd);
    if (got > 0) {
        hear_lines(worker);
        if (worker->deaf) /* what a worker says after garbage is drained, not kept */
            line_reader_free(&worker->lines);
    } else if (got == 0 || errno != EAGAIN) {
        unwatch(worker, &worker->from);
    }
    return got > 0;
}

static void from_ready(struct watch *watch, void *context)
{
    struct worker *worker = context;
    hear_some(worker);
    if (watch->fd >= 0)
        return;
    if (worker->death.fd < 0 && worker->ending == NULL) {
        /* Without a pidfd the end of its stdout is the only sign; it has no use any more. */
        worker_kill(worker);
        wait_for(worker, true);
    }
    end_if_both_seen(worker);
}

/* Writes what there is room for and moves on behind it; true when that was all. */
static bool write_some(int fd, const char **bytes, size_t *left)
{
    ssize_t count = write(fd, *bytes, *left);
    if (count > 0) {
        *bytes += count;
        *left -= (size_t)count;
    }
    return *left == 0;
}

void worker_send(struct worker *worker, const json_t *message)
{
    size_t left;
    char *line = protocol_line(message, &left);
    const char *rest = line;
    if (!write_some(worker->to, &rest, &left) &&
        (fcntl(worker->to, F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
         !write_some(worker->to, &rest, &left)))
        worker_kill(worker);
    free(line);
}

void worker_give_cores(struct worker *worker, int workers, int threads)
{
    if (worker->workers == workers && worker->threads == threads)
        return;
    worker->workers = workers;
    worker->threads = threads;
    cores_give(worker->keeper.worker, worker->number, workers, threads);
}

bool worker_out_of_memory(const struct worker *worker)
{
    return worker->out_of_memory;
}

void *worker_owner(const struct worker *worker)
{
    return worker->owner;
}

int64_t worker_pid(const struct worker *worker)
{
    return worker->keeper.worker;
}
