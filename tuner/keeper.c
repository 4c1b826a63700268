#include "tuner/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both "end it now" and the death of the tuner.  None that a terminal or a service manager
 * sends to all processes at once: the tuner alone decides how its workers end. */
enum { END_SIGNAL = SIGUSR1 };

/* What a keeper tells the tuner, in this order. */
struct birth {
    pid_t worker; /* 0: there is none because of `error` */
    int error;
};
struct death {
    int status;   /* as waitpid() has it */
    bool flooded; /* ended for what it wrote to its log */
};

/* A keeper at work. */
struct watchman {
    pid_t worker;
    int signals;      /* signalfd */
    int from;         /* the worker's stderr; -1 without a log or after its end */
    int log, news;
    int killing;      /* of its cgroup, -1 without one */
    int64_t log_left; /* bytes */
    bool told;        /* to end its worker */
    bool gone;        /* the worker has ended, and is not waited for yet */
    struct death death;
};

/* ---- the worker to be ---- */

static void become_worker(const struct kept *kept, int messages, pid_t keeper)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper) /* it died before the line above */
        _exit(127);
    limits_apply(&kept->limits, kept->joining >= 0 && write(kept->joining, "0", 1) == 1);
    if (dup2(kept->input, STDIN_FILENO) >= 0 && dup2(kept->output, STDOUT_FILENO) >= 0 &&
        dup2(messages, STDERR_FILENO) >= 0)
        execvp(kept->command[0], kept->command);
    dprintf(messages, "tuner: cannot run %s: %s\n", kept->command[0], strerror(errno));
    _exit(127);
}

/* ---- the log ---- */

/* Passes on what there is; false when there is nothing now, or never again. */
static bool carry(struct watchman *man)
{
    char bytes[16384];
    ssize_t got = read(man->from, bytes, sizeof bytes);
    if (got > 0) {
        ssize_t room = got < man->log_left ? got : (ssize_t)man->log_left;
        man->log_left -= room;
        man->death.flooded = man->death.flooded || room < got;
        /* A log that cannot be written is no reason to end a training. */
        if (write(man->log, bytes, (size_t)room) < 0)
            man->log_left = INT64_MAX;
    } else if (got == 0 || errno != EAGAIN) {
        close(man->from);
        man->from = -1;
    }
    return got > 0;
}

/* ---- the end ---- */

/* Sees who has ended.  The worker is left unwaited for, so that its id, which is that of its
 * process group, stays its own for as long as that group is to be ended. */
static void see_children(struct watchman *man)
{
    siginfo_t ended = {0};
    while (!man->gone && waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid != 0) {
        if (ended.si_pid == man->worker)
            man->gone = true;
        else
            waitpid(ended.si_pid, NULL, 0);
        ended.si_pid = 0;
    }
}

static void hear_signals(struct watchman *man)
{
    struct signalfd_siginfo info;
    while (read(man->signals, &info, sizeof info) == (ssize_t)sizeof info)
        man->told = man->told || info.ssi_signo == END_SIGNAL;
    see_children(man);
}

/* Kills every child there is now; false when they cannot be found. */
static bool kill_children(const char *list)
{
    char bytes[4096];
    ssize_t i, length;
    pid_t pid = 0;
    int fd = open(list, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    /* A longer list is cut short, and seen again when some of it have ended. */
    length = read(fd, bytes, sizeof bytes);
    close(fd);
    for (i = 0; i < length; i++) {
        if (bytes[i] != ' ') {
            pid = pid * 10 + (bytes[i] - '0');
            continue;
        }
        kill(pid, SIGKILL);
        pid = 0;
    }
    return length >= 0;
}

/* The children of one that dies become ours, until there are none any more. */
static void end_all(struct watchman *man)
{
    char list[64];
    pid_t pid = 0;
    int status, me = (int)getpid();
    snprintf(list, sizeof list, "/proc/%d/task/%d/children", me, me);
    if (man->killing >= 0 && write(man->killing, "1", 1) < 0)
        man->killing = -1; /* one by one, then */
    kill(-man->worker, SIGKILL);
    kill(man->worker, SIGKILL); /* it may not lead its group yet */
    while (pid != -1) {
        int found = kill_children(list);
        pid = waitpid(found ? -1 : man->worker, &status, 0);
        if (pid == man->worker)
            man->death.status = status;
    }
}

static void watch_over(struct watchman *man)
{
    while (!man->gone && !man->told && !man->death.flooded) {
        struct pollfd ready[] = {{.fd = man->signals, .events = POLLIN},
                                 {.fd = man->from, .events = POLLIN}};
        if (poll(ready, ARRAY_LENGTH(ready), -1) < 0)
            continue;
        if (ready[1].revents != 0)
            carry(man);
        if (ready[0].revents != 0)
            hear_signals(man);
    }
    end_all(man);
    while (man->from >= 0 && carry(man))
        continue;
}

/* ---- the keeper ---- */

static void close_between(int first, int last)
{
    int fd, most = (int)sysconf(_SC_OPEN_MAX);
    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
        return;
    for (fd = first; fd <= last && fd < most; fd++) /* kernels before 5.9 */
        close(fd);
}

/* The tuner's locks and pipes must not outlive it in here. */
static void keep_open_only(const int *kept, size_t count)
{
    int fd, next, first = STDERR_FILENO + 1, nothing = open("/dev/null", O_RDWR);
    size_t i;
    for (fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(nothing, fd);
    do {
        for (i = 0, next = INT_MAX; i < count; i++) {
            if (kept[i] >= first && kept[i] < next)
                next = kept[i];
        }
        close_between(first, next - 1);
        first = next < INT_MAX ? next + 1 : next;
    } while (next < INT_MAX);
}

static int take_signals(void)
{
    sigset_t all, ours;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, END_SIGNAL);
    return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void tell(int news, const void *bytes, size_t size)
{
    if (write(news, bytes, size) < 0)
        _exit(1); /* nobody is left to be told */
}

static void keep(const struct kept *kept, int news, pid_t tuner)
{
    struct watchman man = {.from = -1, .log = kept->log, .news = news,
                           .killing = kept->killing, .log_left = INT64_MAX};
    int pipes[2] = {-1, -1};
    struct birth birth = {0};
    pid_t me = getpid();
    man.signals = take_signals();
    prctl(PR_SET_NAME, "keeper"); /* who kills everything named "tuner" leaves this to tidy up */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, END_SIGNAL);
    if (getppid() != tuner)
        _exit(1);
    if (kept->limits.log_mb > 0)
        man.log_left = (int64_t)kept->limits.log_mb << 20;
    if (man.signals < 0 || (kept->log >= 0 && pipe2(pipes, O_CLOEXEC) != 0) ||
        (birth.worker = fork()) < 0)
        birth = (struct birth){.error = errno};
    else if (birth.worker == 0)
        become_worker(kept, kept->log >= 0 ? pipes[1] : STDERR_FILENO, me);
    tell(news, &birth, sizeof birth);
    if (birth.worker == 0)
        _exit(1);
    setpgid(birth.worker, birth.worker); /* here too, so that its group is there at once */
    man.worker = birth.worker;
    man.from = pipes[0];
    fcntl(man.from, F_SETFL, O_NONBLOCK);
    keep_open_only((int[]){man.signals, man.from, man.log, man.killing, news}, 5);
    watch_over(&man);
    tell(news, &man.death, sizeof man.death);
    _exit(0);
}

/* ---- the tuner's side ---- */

/* Reads what a keeper tells, all of it; false when it died before. */
static bool be_told(const struct keeper *keeper, void *bytes, size_t size)
{
    ssize_t got;
    do {
        got = read(keeper->news, bytes, size);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)size;
}

static int start_failed(const struct keeper *keeper, int error, struct failure *why)
{
    waitpid(keeper->pid, NULL, 0);
    close(keeper->news);
    return fail(why, "cannot start a worker: %s", strerror(error));
}

int keeper_start(struct keeper *keeper, const struct kept *kept, struct failure *why)
{
    struct birth birth;
    int news[2];
    pid_t tuner = getpid();
    if (pipe2(news, O_CLOEXEC) != 0)
        return fail(why, "cannot start a worker: %s", strerror(errno));
    keeper->log_mb = kept->limits.log_mb;
    keeper->pid = fork();
    if (keeper->pid == 0)
        keep(kept, news[1], tuner);
    close(news[1]);
    keeper->news = news[0];
    if (keeper->pid < 0) {
        close(news[0]);
        return fail(why, "cannot start a worker: %s", strerror(errno));
    }
    if (!be_told(keeper, &birth, sizeof birth))
        return start_failed(keeper, ECHILD, why);
    keeper->worker = birth.worker;
    return birth.worker > 0 ? 0 : start_failed(keeper, birth.error, why);
}

void keeper_kill(const struct keeper *keeper)
{
    kill(keeper->pid, END_SIGNAL);
    kill(keeper->pid, SIGCONT); /* somebody may have stopped it */
}

char *keeper_wait(struct keeper *keeper, bool wait, bool *out_of_memory)
{
    struct death death = {0};
    bool told;
    int status;
    if (waitpid(keeper->pid, NULL, wait ? 0 : WNOHANG) == 0)
        return NULL;
    told = be_told(keeper, &death, sizeof death);
    status = death.status;
    close(keeper->news);
    *out_of_memory = told && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OUT_OF_MEMORY;
    if (!told) { /* dead itself, and so is the worker, but not what that has started */
        kill(-keeper->worker, SIGKILL);
        return xstrdup("was lost: the process that kept it was killed");
    }
    if (death.flooded)
        return xasprintf("wrote more than %d MB to its log", keeper->log_mb);
    if (WIFSIGNALED(status))
        return xasprintf("killed by signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    return xasprintf("exited with %d%s", WEXITSTATUS(status),
                     *out_of_memory ? " (out of memory)" : "");
}
