#include "tuner/detach.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is said through the pipe: "ready", or "failed CODE TEXT". */
static const char ready_word[] = "ready";

/* ---- in the background ---- */

static int open_log(const char *log, struct failure *why)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        fail_input(why, "cannot write %s: %s", log, strerror(errno));
    return fd;
}

static void write_to(int log)
{
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(log);
}

int detach_reopen(const char *log, struct failure *why)
{
    int fd = open_log(log, why);
    if (fd < 0)
        return -1;
    write_to(fd);
    return 0;
}

static void say(struct detached *detached, const char *text)
{
    if (detached->pipe < 0)
        return;
    (void)!write(detached->pipe, text, strlen(text));
    close(detached->pipe);
    detached->pipe = -1;
}

void detach_ready(struct detached *detached)
{
    say(detached, ready_word);
}

void detach_failed(struct detached *detached, const struct failure *why)
{
    char *text = xasprintf("failed %d %s", (int)why->code, why->text);
    say(detached, text);
    free(text);
}

static void go_on(int log)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    write_to(log);
}

/* ---- in the foreground ---- */

static char *read_all(int fd)
{
    struct text said = TEXT_EMPTY;
    char bytes[1024];
    ssize_t count;
    while ((count = read(fd, bytes, sizeof bytes)) > 0 || (count < 0 && errno == EINTR))
        text_add_bytes(&said, bytes, count > 0 ? (size_t)count : 0);
    return text_take(&said);
}

static int take_failure(const char *said, const char *log, struct failure *why)
{
    int code = EXIT_FAILED, begin = 0;
    if (sscanf(said, "failed %d %n", &code, &begin) != 1 || begin == 0)
        return fail(why, "the daemon ended before it was ready; see %s", log);
    fail(why, "%s", said + begin);
    if (why != NULL)
        why->code = code == EXIT_BAD_INPUT ? EXIT_BAD_INPUT : EXIT_FAILED;
    return -1;
}

/* Waits until the other is ready or has ended, either of which closes its end of the pipe. */
static int await(int pipe, const char *log, struct failure *why)
{
    char *said = read_all(pipe);
    int result = strcmp(said, ready_word) == 0 ? 1 : take_failure(said, log, why);
    free(said);
    return result;
}

/* Says the id of a second child through `to`, and ends: the second is nobody's child, so
 * that no terminal and no shell waits for it. */
static void fork_again(int to, pid_t *pid)
{
    setsid();
    *pid = fork();
    if (*pid == 0)
        return;
    (void)!write(to, pid, sizeof *pid);
    _exit(*pid < 0 ? EXIT_FAILED : EXIT_DONE);
}

/* As fork(), but for a process in a session of its own; *pid is its id in the caller. */
static int fork_apart(pid_t *pid)
{
    int ids[2];
    pid_t first;
    if (pipe2(ids, O_CLOEXEC) != 0)
        return -1;
    first = fork();
    if (first == 0)
        fork_again(ids[1], pid);
    close(ids[1]);
    if (first > 0 && read(ids[0], pid, sizeof *pid) != sizeof *pid)
        *pid = -1;
    close(ids[0]);
    if (first == 0)
        return 0;
    while (first > 0 && waitpid(first, NULL, 0) < 0 && errno == EINTR)
        continue;
    return first < 0 || *pid < 0 ? -1 : 1;
}

static int start(int log, int pipe, struct detached *detached)
{
    pid_t pid = -1;
    int side = fork_apart(&pid);
    *detached = (struct detached){.pid = (long)pid, .pipe = -1};
    if (side == 0) {
        *detached = (struct detached){.pid = (long)getpid(), .pipe = pipe};
        go_on(log);
    }
    return side;
}

int detach(const char *log, struct detached *detached, struct failure *why)
{
    int ends[2], side, fd = open_log(log, why);
    if (fd < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        close(fd);
        return fail(why, "cannot go to the background: %s", strerror(errno));
    }
    side = start(fd, ends[1], detached);
    if (side == 0) {
        close(ends[0]);
        return 0;
    }
    close(fd);
    close(ends[1]);
    side = side < 0 ? fail(why, "cannot go to the background: %s", strerror(errno))
                    : await(ends[0], log, why);
    close(ends[0]);
    return side;
}
