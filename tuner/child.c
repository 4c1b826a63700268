#include "tuner/child.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 15 };

struct child {
    struct loop *loop;
    struct watch from;  /* its stdout */
    struct child_end end;
    pid_t pid;
    struct text output;
};

/* In the child, between fork and exec: only calls that are safe there. */
static void become(char *const arguments[], int input, int output, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(input, STDIN_FILENO) >= 0 &&
        dup2(output, STDOUT_FILENO) >= 0)
        execv("/proc/self/exe", arguments);
    _exit(127);
}

/* A file in memory with the text, so that nobody has to wait for a pipe. */
static int text_to_read(const char *text, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void child_free(struct child *child)
{
    if (child->from.fd >= 0) {
        loop_unwatch(child->loop, &child->from);
        close(child->from.fd);
    }
    text_free(&child->output);
    free(child);
}

static void from_ready(struct watch *watch, void *context)
{
    struct child *child = context;
    char bytes[65536];
    ssize_t got = read(watch->fd, bytes, sizeof bytes);
    int status = 0;
    if (got > 0)
        text_add_bytes(&child->output, bytes, (size_t)got);
    if (got > 0 || (got < 0 && errno == EINTR))
        return;
    waitpid(child->pid, &status, 0); /* it closes its stdout by ending */
    loop_unwatch(child->loop, watch);
    close(watch->fd);
    watch->fd = -1;
    child->end.ended(child->end.context, status, text_string(&child->output),
                     child->output.length);
    child_free(child);
}

struct child *child_start(struct loop *loop, const char *const arguments[], const char *input,
                          size_t size, const struct child_end *end, struct failure *why)
{
    const char *words[ARGUMENTS_MAX + 2] = {"tuner"};
    struct child *child;
    pid_t pid, parent = getpid();
    int fds[2] = {-1, -1}, in = text_to_read(input, size), i;
    for (i = 0; arguments[i] != NULL && i < ARGUMENTS_MAX; i++)
        words[i + 1] = arguments[i];
    if (in < 0 || pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        fail(why, "cannot start a program: %s", strerror(errno));
        for (i = 0; i < 2 && fds[i] >= 0; i++)
            close(fds[i]);
        if (in >= 0)
            close(in);
        return NULL;
    }
    if (pid == 0)
        become((char *const *)(uintptr_t)words, in, fds[1], parent);
    setpgid(pid, pid); /* here too, so that a kill of the group finds it at once */
    close(in);
    close(fds[1]);
    child = xcalloc(1, sizeof *child);
    *child = (struct child){.loop = loop, .end = *end, .pid = pid};
    child->from = (struct watch){.fd = fds[0], .ready = from_ready, .context = child};
    if (loop_watch(loop, &child->from, why) == 0)
        return child;
    child_kill(child);
    return NULL;
}

void child_kill(struct child *child)
{
    if (child == NULL)
        return;
    kill(-child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    child_free(child);
}
