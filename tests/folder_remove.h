/* Removes a folder with all in it, as tests do when they leave; a missing one is no failure. */
#ifndef TESTS_FOLDER_REMOVE_H
#define TESTS_FOLDER_REMOVE_H

#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int remove_entry(int folder, const char *name, const char *shown, struct failure *why);

/* Empties the folder open at `fd`, which is closed in any case. */
static int remove_entries(int fd, const char *shown, struct failure *why)
{
    DIR *entries = fdopendir(fd);
    if (!entries) {
        int reason = errno;
        close(fd);
        return fail(why, "%s: cannot be listed: %s", shown, strerror(reason));
    }
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(entries))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *path = path_join(shown, entry->d_name);
        result = remove_entry(fd, entry->d_name, path, why);
        free(path);
    }
    closedir(entries);
    return result;
}

/* Symbolic links are removed, never followed. */
static int remove_entry(int folder, const char *name, const char *shown, struct failure *why)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    int reason = errno;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(why, "%s: cannot be removed: %s", shown,
                    strerror(errno == ENOTDIR ? reason : errno));
    if (remove_entries(fd, shown, why) < 0)
        return -1;
    if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return fail(why, "%s: cannot be removed: %s", shown, strerror(errno));
    return 0;
}

static inline int folder_remove(const char *path, struct failure *why)
{
    return remove_entry(AT_FDCWD, path, path, why);
}

#endif
