#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

/* Bad input, unless the reason may be gone another time. */
static int fail_read(const char *path, const char *what, int reason, struct failure *why)
{
    bool passes = reason == EIO || reason == ESTALE || reason == ENOMEM || reason == EMFILE ||
                  reason == ENFILE;
    return passes ? fail(why, "%s: cannot be %s: %s", path, what, strerror(reason))
                  : fail_input(why, "%s: cannot be %s: %s", path, what, strerror(reason));
}

/* Reads on to the end of `fd`, whose size is said to be `expected` (0: not known). */
static int read_all(int fd, const char *path, size_t expected, size_t most, char **bytes,
                    size_t *size, struct failure *why)
{
    /* One byte more to see the end without growing, and one for the zero. */
    size_t capacity = (expected ? expected : 1 << 16) + 2;
    *bytes = xmalloc(capacity);
    *size = 0;
    for (;;) {
        if (*size + 1 == capacity) {
            capacity *= 2;
            *bytes = xrealloc(*bytes, capacity);
        }
        ssize_t count = read(fd, *bytes + *size, capacity - 1 - *size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_read(path, "read", errno, why);
        if (count == 0)
            break;
        if ((size_t)count > most - *size)
            return fail_input(why, "%s: is larger than %zu bytes, the most that is accepted", path,
                              most);
        *size += (size_t)count;
    }
    (*bytes)[*size] = '\0';
    return 0;
}

int file_read(const char *path, size_t most, char **bytes, size_t *size, struct failure *why)
{
    struct stat status = {0};
    char *content = NULL;
    size_t length = 0, expected = 0;
    int result = -1;
    /* Without O_NONBLOCK a named pipe that nobody writes would hold us up for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_read(path, "opened", errno, why);
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        fail_input(why, "%s: is a folder, a file is needed", path);
        goto end;
    }
    /* A pipe that has a writer, such as a shell's <(...), is waited for. */
    fcntl(fd, F_SETFL, 0);
    if (S_ISREG(status.st_mode) && (uintmax_t)status.st_size <= most)
        expected = (size_t)status.st_size;
    if (read_all(fd, path, expected, most, &content, &length, why) < 0)
        goto end;
    *bytes = content;
    *size = length;
    content = NULL;
    result = 0;
end:
    free(content);
    close(fd);
    return result;
}

/* ---- replacing ---- */

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}

static int write_synced(const char *path, const struct file_piece *pieces, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = write_all(fd, pieces[i].bytes, pieces[i].size);
    if (result == 0)
        result = fsync(fd);
    int reason = errno;
    if (close(fd) < 0 && result == 0)
        return -1;
    errno = reason;
    return result;
}

/* A name is on disk only once its folder is. */
static int sync_folder_of(const char *path)
{
    char *folder = path_folder(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    int reason = errno;
    close(fd);
    errno = reason;
    return result;
}

int file_replace(const char *path, const struct file_piece *pieces, size_t count,
                 struct failure *why)
{
    char *temporary = xasprintf("%s.tmp.%ld", path, (long)getpid());
    int result = write_synced(temporary, pieces, count);
    if (result == 0)
        result = rename(temporary, path);
    if (result < 0) {
        int reason = errno;
        unlink(temporary);
        fail(why, "%s: cannot be written: %s", path,
             reason == ENOENT ? "its folder is not there" : strerror(reason));
    } else if (sync_folder_of(path) < 0) {
        result = fail(why, "%s: its folder cannot be synced: %s", path, strerror(errno));
    }
    free(temporary);
    return result;
}

/* ---- folders ---- */

static int make_one(const char *path, struct failure *why)
{
    int reason;
    if (mkdir(path, 0777) == 0)
        return 0;
    reason = errno;
    if (folder_exists(path))
        return 0;
    if (reason == EEXIST)
        return fail_input(why, "%s: is a file, not a folder", path);
    return fail(why, "%s: the folder cannot be made: %s", path, strerror(reason));
}

int folder_make(const char *path, struct failure *why)
{
    char *part = xstrdup(path);
    int result = 0;
    for (char *at = part + 1; part[0] && *at && result == 0; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        result = make_one(part, why);
        *at = '/';
    }
    if (result == 0)
        result = make_one(path, why);
    free(part);
    return result;
}

/* ---- paths ---- */

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool folder_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *path_join(const char *folder, const char *name)
{
    if (name[0] == '/')
        return xstrdup(name);
    while (name[0] == '.' && name[1] == '/')
        name += 1 + strspn(name + 1, "/");
    if (folder[0] == '\0')
        return xstrdup(name);
    bool slash = folder[strlen(folder) - 1] == '/';
    return xasprintf("%s%s%s", folder, slash ? "" : "/", name);
}

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}
