#include "db/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int fail_held(int fd, const char *database, struct failure *why)
{
    char holder[32] = "";
    ssize_t length = pread(fd, holder, sizeof holder - 1, 0);
    long pid = length > 0 ? strtol(holder, NULL, 10) : 0;
    if (pid <= 0)
        return fail(why, "%s: another process is writing to it; wait until it has ended",
                    database);
    return fail(why, "%s: process %ld is writing to it; wait until it has ended, or end it",
                database, pid);
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
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
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
