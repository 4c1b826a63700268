#include "tuner/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for every message to a worker at once, so that only a worker that does not
 * read can fill its pipe. */
enum { PIPE_BYTES = 1 << 20 };

/* More than a pipe holds: a stranger that keeps on filling it is not listened to for ever. */
enum { READS_AFTER_DEATH = 1 << 10 };

struct worker {
    struct launcher *launcher;
    struct worker *next;
    int number;
    void *owner;
    pid_t pid;
    int to;               /* its stdin, -1 once closed */
    struct watch from;    /* its stdout; fd -1 after the end */
    struct watch death;   /* its pidfd; fd -1 after the wait, or where there are none */
    bool waited;
    int status;           /* of waitpid, once `waited` */
    bool deaf;            /* spoke garbage: nothing more is read as messages */
    struct line_reader lines;
};

struct launcher {
    struct loop *loop;
    char **command;       /* NULL-terminated */
    char *logs;
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

/* In the child, between fork and exec: only calls that are safe there. */
static void become_worker(char **command, int input, int output, int log, pid_t tuner)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != tuner) /* it died before the line above */
        _exit(127);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0)
        execvp(command[0], command);
    dprintf(log, "cannot run %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static int open_log(const struct launcher *launcher, int number, struct failure *why)
{
    char *path;
    int log;
    if (launcher->logs == NULL)
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    path = xasprintf("%s/worker-%d.log", launcher->logs, number);
    log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0)
        fail(why, "cannot write %s: %s", path, strerror(errno));
    free(path);
    return log;
}

static bool hear_some(struct worker *worker);
static void from_ready(struct watch *watch, void *context);
static void death_ready(struct watch *watch, void *context);
static void put_down(struct worker *worker);

static void close_all(const int *descriptors, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    }
}

/* Makes the process; *to, *from and *death are the tuner's ends. */
static pid_t spawn(const struct launcher *launcher, int number, int *to, int *from, int *death,
                   struct failure *why)
{
    int fds[5] = {-1, -1, -1, -1, -1}; /* stdin read, write; stdout read, write; log */
    pid_t pid = -1, tuner = getpid();
    fds[4] = open_log(launcher, number, why);
    if (fds[4] < 0)
        return -1;
    if (pipe2(fds, O_CLOEXEC) != 0 || pipe2(fds + 2, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        fail(why, "cannot start a worker: %s", strerror(errno));
        close_all(fds, ARRAY_LENGTH(fds));
        return -1;
    }
    if (pid == 0)
        become_worker(launcher->command, fds[0], fds[3], fds[4], tuner);
    setpgid(pid, pid); /* here too, so that a kill of the group finds it at once */
    close_all((int[]){fds[0], fds[3], fds[4]}, 3);
    *to = fds[1];
    *from = fds[2];
    *death = (int)syscall(SYS_pidfd_open, pid, 0);
    fcntl(*to, F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(*to, F_SETFL, O_NONBLOCK);
    fcntl(*from, F_SETFL, O_NONBLOCK);
    if (*death >= 0 || errno == ENOSYS) /* kernels before 5.3, valgrind: see from_ready() */
        return pid;
    fail(why, "cannot watch a worker: %s", strerror(errno));
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close_all((int[]){*to, *from}, 2);
    return -1;
}

struct worker *launcher_start(struct launcher *launcher, int number, void *owner,
                              struct failure *why)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->launcher = launcher;
    worker->number = number;
    worker->owner = owner;
    worker->from = (struct watch){.ready = from_ready, .context = worker};
    worker->death = (struct watch){.ready = death_ready, .context = worker};
    worker->pid = spawn(launcher, number, &worker->to, &worker->from.fd, &worker->death.fd, why);
    if (worker->pid < 0) {
        free(worker);
        return NULL;
    }
    worker->next = launcher->workers;
    launcher->workers = worker;
    if (loop_watch(launcher->loop, &worker->from, why) != 0 ||
        (worker->death.fd >= 0 && loop_watch(launcher->loop, &worker->death, why) != 0)) {
        put_down(worker);
        return NULL;
    }
    return worker;
}

/* ---- ending ---- */

static char *ending_text(int status)
{
    if (WIFSIGNALED(status))
        return xasprintf("killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return xasprintf("exited with %d", WEXITSTATUS(status));
}

static void worker_free(struct worker *worker)
{
    struct worker **link = &worker->launcher->workers;
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    close_all((int[]){worker->to, worker->from.fd, worker->death.fd}, 3);
    line_reader_free(&worker->lines);
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
    char *reason;
    if (worker->from.fd >= 0 || !worker->waited)
        return;
    reason = ending_text(worker->status);
    launcher->events.ended(launcher->events.context, worker, reason);
    free(reason);
    worker_free(worker);
}

/* Children of its own may hold the pipe open.  The group goes with its leader; of those
 * that have left the group, only what is in the pipe by now is heard. */
static void death_ready(struct watch *watch, void *context)
{
    struct worker *worker = context;
    int reads = 0;
    if (waitpid(worker->pid, &worker->status, WNOHANG) == 0)
        return;
    worker->waited = true;
    kill(-worker->pid, SIGKILL);
    unwatch(worker, watch);
    while (worker->from.fd >= 0 && reads++ < READS_AFTER_DEATH && hear_some(worker))
        continue;
    unwatch(worker, &worker->from);
    end_if_both_seen(worker);
}

void worker_kill(struct worker *worker)
{
    if (!worker->waited)
        kill(-worker->pid, SIGKILL);
}

/* Ends it and waits for it; nobody is told. */
static void put_down(struct worker *worker)
{
    worker_kill(worker);
    if (!worker->waited)
        waitpid(worker->pid, &worker->status, 0);
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
        put_down(launcher->workers);
    for (i = 0; launcher->command[i] != NULL; i++)
        free(launcher->command[i]);
    free(launcher->command);
    free(launcher->logs);
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
    if (worker->death.fd < 0 && !worker->waited) {
        /* Without a pidfd the end of its stdout is the only sign; it has no use any more. */
        worker_kill(worker);
        waitpid(worker->pid, &worker->status, 0);
        worker->waited = true;
    }
    end_if_both_seen(worker);
}

void worker_send(struct worker *worker, const json_t *message)
{
    size_t length;
    char *line = protocol_line(message, &length);
    if (write(worker->to, line, length) != (ssize_t)length)
        worker_kill(worker);
    free(line);
}

void *worker_owner(const struct worker *worker)
{
    return worker->owner;
}

int worker_number(const struct worker *worker)
{
    return worker->number;
}

int64_t worker_pid(const struct worker *worker)
{
    return worker->pid;
}
