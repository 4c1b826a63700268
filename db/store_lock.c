#include "db/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long a dead holder's lock is waited for. */
enum { ORPHAN_TRIES = 200, ORPHAN_TRY_US = 10000 };

struct store_lock {
    int fd;
    char *path;
};

static int fail_open(const char *path, struct failure *why)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return fail_input(why, "%s: its folder does not exist; make it first or choose another "
                               "place", path);
    case EACCES:
    case EPERM:
    case EROFS:
        return fail_input(why, "%s: %s; choose a place that you may write to", path,
                          strerror(errno));
    default:
        return fail(why, "%s: cannot be opened: %s", path, strerror(errno));
    }
}

enum { HOLDER_LOOKS = 20 };

/* The process that wrote its id into the lock, 0: none.  Who has just locked it is about to. */
static pid_t holder_of(int fd)
{
    const struct timespec while_it_writes = {.tv_nsec = 5000000};
    for (int look = 0; look < HOLDER_LOOKS; look++) {
        char holder[32] = "";
        ssize_t length = pread(fd, holder, sizeof holder - 1, 0);
        long pid = length > 0 ? strtol(holder, NULL, 10) : 0;
        if (pid > 0)
            return (pid_t)pid;
        nanosleep(&while_it_writes, NULL);
    }
    return 0;
}

static int fail_held(int fd, const char *database, struct failure *why)
{
    pid_t pid = holder_of(fd);
    if (pid == 0)
        return fail(why, "%s: another process is writing to it; wait until it has ended",
                    database);
    return fail(why, "%s: process %ld is writing to it; wait until it has ended, or end it",
                database, (long)pid);
}

/* A holder that was killed while it started a program leaves a child that has the lock
 * too, for the moment until that child has started or ended. */
static int take(int fd)
{
    int tries;
    for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        int cause = errno;
        pid_t holder = holder_of(fd);
        bool orphaned = holder > 0 && kill(holder, 0) < 0 && errno == ESRCH;
        errno = cause;
        if (cause != EWOULDBLOCK || !orphaned || tries == ORPHAN_TRIES)
            return -1;
        usleep(ORPHAN_TRY_US);
    }
    return 0;
}

/* Whoever removed the file while we were opening it left us with a lock on nothing. */
static bool still_there(int fd, const char *path)
{
    struct stat ours, present;
    return fstat(fd, &ours) == 0 && stat(path, &present) == 0 && ours.st_ino == present.st_ino &&
           ours.st_dev == present.st_dev;
}

static int acquire(const char *path, const char *database, struct failure *why)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return fail_open(path, why);
        if (take(fd) < 0) {
            if (errno == EWOULDBLOCK)
                fail_held(fd, database, why);
            else
                fail(why, "%s: cannot be locked: %s", path, strerror(errno));
            close(fd);
            return -1;
        }
        if (still_there(fd, path))
            return fd;
        close(fd);
    }
}

static int write_holder(const struct store_lock *lock, struct failure *why)
{
    char holder[32];
    int length = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(lock->fd, 0) < 0 || pwrite(lock->fd, holder, (size_t)length, 0) != length)
        return fail(why, "%s: cannot be written: %s", lock->path, strerror(errno));
    return 0;
}

struct store_lock *store_lock_new(const char *path, struct failure *why)
{
    struct store_lock *lock = xmalloc(sizeof *lock);
    lock->path = xasprintf("%s.lock", path);
    lock->fd = acquire(lock->path, path, why);
    if (lock->fd >= 0 && write_holder(lock, why) == 0)
        return lock;
    store_lock_free(lock);
    return NULL;
}

void store_lock_free(struct store_lock *lock)
{
    if (!lock)
        return;
    if (lock->fd >= 0) {
        /* Removed while it is still locked, or it might be the next writer's. */
        unlink(lock->path);
        close(lock->fd);
    }
    free(lock->path);
    free(lock);
}
