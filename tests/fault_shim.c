/* Faults below the tuner, for tests: loaded by LD_PRELOAD, in the process called `tuner`
 * alone.
 *
 *   SHIM_IO=write:N:ERROR      the N-th write to the database's files fails so
 *   SHIM_IO=short:N:ERROR      half of it is written, and every later one fails so
 *   SHIM_IO=full:N:ERROR       this and every later one fails so
 *   SHIM_IO=sync:N:ERROR       the N-th sync of them fails so
 *   SHIM_TRACE=FILE            gets a line for the fault, and for each write or sync done after it
 *   SHIM_CLOCK=MS:SECONDS,...  from so long after the start on the wall clock is wrong by that
 *
 * ERROR is ENOSPC or EIO.  The database's files are those whose name begins with
 * "trials.db", but not the shared memory of its readers, which is no record. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset);
int ftruncate64(int fd, off64_t size);

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum kind { KIND_NONE, KIND_WRITE, KIND_SHORT, KIND_FULL, KIND_SYNC };

/* What the environment says, read once; of this process only, as the tuner has one thread
 * that writes. */
static struct {
    bool read, ours;
    enum kind kind;
    long at;
    int error;
    int trace;
    long writes, syncs;
    bool struck;
} plan;

static void read_plan(void)
{
    static const char *const kinds[] = {"", "write", "short", "full", "sync"};
    const char *io = getenv("SHIM_IO"), *trace = getenv("SHIM_TRACE");
    char kind[16] = "", error[16] = "";
    size_t i;
    plan.read = true;
    plan.ours = strcmp(program_invocation_short_name, "tuner") == 0;
    plan.trace = -1;
    if (!plan.ours || io == NULL ||
        sscanf(io, "%15[a-z]:%ld:%15[A-Z]", kind, &plan.at, error) != 3)
        return;
    for (i = 1; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0)
            plan.kind = (enum kind)i;
    }
    plan.error = strcmp(error, "EIO") == 0 ? EIO : ENOSPC;
    if (trace != NULL)
        plan.trace = open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* The name of the database's file that is behind a descriptor, NULL: it is another's. */
static const char *database_file(int fd, char *path, size_t size)
{
    char link[40];
    const char *name;
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = '\0';
    name = strrchr(path, '/');
    if (name == NULL || strncmp(name, "/trials.db", 10) != 0 || strstr(name, "-shm") != NULL)
        return NULL;
    return name + 1;
}

static void trace(const char *what, const char *name)
{
    char line[400];
    int length = snprintf(line, sizeof line, "%s %s\n", what, name);
    if (plan.trace >= 0)
        REAL(write)(plan.trace, line, (size_t)length);
}

/* Whether the operation on `fd` fails now; *half: it does a half of its work before. */
static bool strikes(int fd, bool is_sync, bool *half)
{
    char path[4096];
    const char *name;
    int saved = errno;
    bool now;
    if (!plan.read)
        read_plan();
    if (plan.kind == KIND_NONE || (name = database_file(fd, path, sizeof path)) == NULL) {
        errno = saved;
        return false;
    }
    if (is_sync)
        now = ++plan.syncs == plan.at && plan.kind == KIND_SYNC;
    else
        now = ++plan.writes == plan.at && plan.kind != KIND_SYNC;
    *half = now && plan.kind == KIND_SHORT;
    if (now)
        trace("fault", name);
    else if (plan.struck && !is_sync && (plan.kind == KIND_SHORT || plan.kind == KIND_FULL))
        now = true;
    else if (plan.struck)
        trace(is_sync ? "sync after" : "write after", name);
    plan.struck = plan.struck || now;
    errno = now ? plan.error : saved;
    return now;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    bool half = false;
    if (!strikes(fd, false, &half))
        return REAL(write)(fd, bytes, size);
    return half && size > 1 ? REAL(write)(fd, bytes, size / 2) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    bool half = false;
    if (!strikes(fd, false, &half))
        return REAL(pwrite64)(fd, bytes, size, offset);
    return half && size > 1 ? REAL(pwrite64)(fd, bytes, size / 2, offset) : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite64(fd, bytes, size, offset);
}

int ftruncate64(int fd, off64_t size)
{
    bool half = false;
    return strikes(fd, false, &half) ? -1 : REAL(ftruncate64)(fd, size);
}

int fsync(int fd)
{
    bool half = false;
    return strikes(fd, true, &half) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    bool half = false;
    return strikes(fd, true, &half) ? -1 : REAL(fdatasync)(fd);
}

/* ---- the wall clock ---- */

static long monotonic_ms(void)
{
    struct timespec now;
    REAL(clock_gettime)(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* By how many seconds it is wrong now. */
static time_t error_of_clock(void)
{
    static long start;
    const char *jumps = getenv("SHIM_CLOCK");
    long at, by, wrong = 0;
    int length;
    if (start == 0)
        start = monotonic_ms();
    while (jumps != NULL && sscanf(jumps, "%ld:%ld%n", &at, &by, &length) == 2) {
        if (monotonic_ms() - start >= at)
            wrong = by;
        jumps += length;
        jumps += *jumps == ',';
    }
    return wrong;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = REAL(clock_gettime)(id, now);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += error_of_clock();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = REAL(gettimeofday)(now, zone);
    if (result == 0)
        now->tv_sec += error_of_clock();
    return result;
}

time_t time(time_t *where)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where != NULL)
        *where = now.tv_sec;
    return now.tv_sec;
}
