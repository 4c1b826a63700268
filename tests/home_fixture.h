/* A folder of its own for a test, as a home. */
#ifndef TESTS_HOME_FIXTURE_H
#define TESTS_HOME_FIXTURE_H

#include "common/file.h"
#include "tests/folder_remove.h"

#include <stdlib.h>

static inline char *new_home(void)
{
    const char *scratch = getenv("TEST_TMP");
    char *home = xasprintf("%s/home-XXXXXX", scratch != NULL ? scratch : "/tmp");
    return mkdtemp(home);
}

static inline void remove_home(char *home)
{
    folder_remove(home, NULL);
    free(home);
}

#endif
