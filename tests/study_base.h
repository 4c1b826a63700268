/* A small study, changed in one place at a time, and files of studies one by one. */
#ifndef TESTS_STUDY_BASE_H
#define TESTS_STUDY_BASE_H

#include "common/file.h"
#include "tuner/study.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char base[] = "study: s\n"
                           "data: {dataset: synthetic}\n"
                           "parameters:\n"
                           "  filters: {type: int, low: 16, high: 64, step: 16}\n"
                           "model:\n"
                           "  - conv: {filters: $filters, kernel: 3}\n"
                           "  - max_pool: 2\n"
                           "  - flatten\n"
                           "  - dense:\n"
                           "      units: classes\n"
                           "training:\n"
                           "  optimizer: {type: adam, learning_rate: 1e-3}\n"
                           "  batch_size: 32\n"
                           "search: {trials: 4, max_epochs: 2}\n";

/* The base with one piece of its text replaced. */
static inline char *changed(const char *old, const char *new)
{
    const char *at = strstr(base, old);
    assert_non_null(at);
    return xasprintf("%.*s%s%s", (int)(at - base), base, new, at + strlen(old));
}

static inline struct study *study_of(const char *text)
{
    struct failure why = FAILURE_NONE;
    struct study *study = study_parse("dir/s.yaml", text, strlen(text), &why);
    if (!study) {
        fail_msg("%s", why.text);
    }
    return study;
}

static inline struct study *changed_study(const char *old, const char *new)
{
    char *text = changed(old, new);
    struct study *study = study_of(text);
    free(text);
    return study;
}

/* Calls `check` with each "<folder>/<name>" that ends in `ending`; how many. */
static inline int walk(const char *folder, const char *ending, void (*check)(const char *path))
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    int found = 0;
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]->d_name), tail = strlen(ending);
        if (length > tail && strcmp(names[i]->d_name + length - tail, ending) == 0) {
            char *path = path_join(folder, names[i]->d_name);
            check(path);
            free(path);
            found++;
        }
        free(names[i]);
    }
    free(names);
    return found;
}

static inline char *with_ending(const char *path, const char *ending)
{
    return xasprintf("%.*s%s", (int)(strrchr(path, '.') - path), path, ending);
}

#endif
