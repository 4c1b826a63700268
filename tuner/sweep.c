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
static const char **known_paths(const struct tuner *tuner, size_t *count)
{
    const char **known = xcalloc((size_t)tuner->trial_count + 1, sizeof *known);
    int i;
    *count = 0;
    for (i = 0; i < tuner->trial_count; i++) {
        if (tuner->trials[i]->checkpoint != NULL)
            known[(*count)++] = tuner->trials[i]->checkpoint;
    }
    if (tuner->final.checkpoint != NULL)
        known[(*count)++] = tuner->final.checkpoint;
    qsort(known, *count, sizeof *known, by_name);
    return known;
}

void sweep_checkpoints(struct tuner *tuner)
{
    char *folder = home_checkpoints(tuner->options->home, tuner->study->name);
    DIR *list = opendir(folder);
    size_t count;
    const char **known = known_paths(tuner, &count);
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
