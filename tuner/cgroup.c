#include "tuner/cgroup.h"

#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where this process goes to make room for groups beside it. */
static const char OURSELVES[] = "tuner-itself";

/* A worker's group: the process that started it, and its number there. */
static const char NAME_FORM[] = "worker-%ld-%lld";

/* ---- files of a group ---- */

static int open_control(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    free(path);
    return fd;
}

static int put(const char *folder, const char *name, const char *text)
{
    int fd = open_control(folder, name), cause;
    ssize_t written;
    if (fd < 0)
        return -1;
    written = write(fd, text, strlen(text));
    cause = errno;
    close(fd);
    errno = cause;
    return written < 0 ? -1 : 0;
}

/* Its content, "" without one; the caller frees it. */
static char *get(const char *folder, const char *name)
{
    char *path = path_join(folder, name), *text = NULL;
    size_t size;
    int failed = file_read(path, 1 << 16, &text, &size, NULL);
    free(path);
    return failed ? xstrdup("") : text;
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    const char *at;
    for (at = text; (at = strstr(at, word)) != NULL; at += length) {
        bool begins = at == text || strchr(" \n", at[-1]) != NULL;
        if (begins && strchr(" \n", at[length]) != NULL) /* its end, too */
            return true;
    }
    return false;
}

/* ---- where groups can be made ---- */

/* The folder of the group that this process was started in; NULL: it has none of version 2. */
static char *own_folder(const char *root, const char *own)
{
    const char *line = strncmp(own, "0::/", 4) == 0 ? own : strstr(own, "\n0::/");
    const char *path = line != NULL ? strchr(line, '/') : NULL;
    size_t length = path != NULL ? strcspn(path, "\n") : 0, last = strlen(OURSELVES);
    if (path == NULL)
        return NULL;
    if (length > last && strncmp(path + length - last, OURSELVES, last) == 0)
        length -= last; /* we have moved before */
    while (length > 0 && path[length - 1] == '/')
        length--;
    return xasprintf("%s%.*s", root, (int)length, path);
}

static int hand_out_memory(const char *folder)
{
    return put(folder, "cgroup.subtree_control", "+memory");
}

/* Moves this process out of the way; back again if others are in the way still. */
static int make_room(const char *folder)
{
    char *ours = path_join(folder, OURSELVES);
    int result = -1;
    if ((mkdir(ours, 0755) == 0 || errno == EEXIST) && put(ours, "cgroup.procs", "0") == 0) {
        result = hand_out_memory(folder);
        if (result != 0)
            put(folder, "cgroup.procs", "0");
    }
    if (result != 0)
        rmdir(ours);
    free(ours);
    return result;
}

/* Groups of tuners that live are theirs, and one that has members cannot be removed. */
static void remove_left_over(const char *folder)
{
    DIR *list = opendir(folder);
    const struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        long process;
        long long number;
        if (sscanf(entry->d_name, NAME_FORM, &process, &number) == 2 && process > 0 &&
            kill((pid_t)process, 0) < 0 && errno == ESRCH)
            unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
    }
    if (list != NULL)
        closedir(list);
}

char *cgroup_base(const char *root, const char *own)
{
    char *folder = own_folder(root, own), *controllers;
    bool ready = false;
    if (folder == NULL)
        return NULL;
    controllers = get(folder, "cgroup.controllers");
    if (has_word(controllers, "memory"))
        ready = hand_out_memory(folder) == 0 || (errno == EBUSY && make_room(folder) == 0);
    free(controllers);
    if (ready) {
        remove_left_over(folder);
        return folder;
    }
    free(folder);
    return NULL;
}

/* ---- one group ---- */

int cgroup_make(struct cgroup *group, const char *base, int64_t worker, int memory_mb)
{
    char *most = xasprintf("%lld", (long long)memory_mb << 20);
    char *name = xasprintf(NAME_FORM, (long)getpid(), (long long)worker);
    int failed;
    *group = (struct cgroup){path_join(base, name), -1, -1};
    free(name);
    failed = mkdir(group->path, 0755) != 0 || put(group->path, "memory.max", most) != 0 ||
             (group->joining = open_control(group->path, "cgroup.procs")) < 0;
    free(most);
    if (failed) {
        cgroup_remove(group);
        return -1;
    }
    /* Memory on the disk would be no limit; where there is none, there is no such file. */
    put(group->path, "memory.swap.max", "0");
    put(group->path, "memory.oom.group", "1");
    group->killing = open_control(group->path, "cgroup.kill");
    return 0;
}

bool cgroup_remove(struct cgroup *group)
{
    char *events = get(group->path, "memory.events");
    const char *kills = strstr(events, "oom_kill ");
    bool killed = kills != NULL && strtol(kills + strlen("oom_kill "), NULL, 10) > 0;
    if (group->joining >= 0)
        close(group->joining);
    if (group->killing >= 0)
        close(group->killing);
    rmdir(group->path);
    free(events);
    free(group->path);
    *group = (struct cgroup){NULL, -1, -1};
    return killed;
}
