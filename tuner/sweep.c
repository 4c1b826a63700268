#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/home.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The checkpoints that the record knows, sorted; the strings stay the trials'. */
static const char **known_paths(const struct run *run, size_t *count)
{
    const char **known = xcalloc((size_t)run->trial_count + 1, sizeof *known);
    int i;
    *count = 0;
    for (i = 0; i < run->trial_count; i++) {
        if (run->trials[i]->checkpoint != NULL)
            known[(*count)++] = run->trials[i]->checkpoint;
    }
    if (run->final.checkpoint != NULL)
        known[(*count)++] = run->final.checkpoint;
    qsort(known, *count, sizeof *known, by_name);
    return known;
}

void sweep_checkpoints(struct run *run)
{
    char *folder = home_checkpoints(run->daemon->settings.home, run->study->name);
    DIR *list = opendir(folder);
    size_t count;
    const char **known = known_paths(run, &count);
    const struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        char *path = path_join(folder, entry->d_name);
        if (bsearch(&path, known, count, sizeof *known, by_name) == NULL)
            unlink(path); /* "." and ".." are folders: refused */
        free(path);
    }
    if (list != NULL)
        closedir(list);
    free(known);
    free(folder);
}
