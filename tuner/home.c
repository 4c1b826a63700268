#include "tuner/home.h"

#include "common/file.h"
#include "tuner/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *home_path(const char *option)
{
    const char *chosen = option != NULL ? option : getenv("TUNER_HOME");
    char *here, *path;
    if (chosen == NULL || *chosen == '\0')
        chosen = "tuning";
    here = getcwd(NULL, 0);
    path = path_join(here != NULL ? here : ".", chosen);
    free(here);
    return path;
}

/* A folder of the home that can be written to. */
static int make_folder(const char *path, struct failure *why)
{
    struct failure refusal = FAILURE_NONE;
    if (folder_make(path, &refusal) != 0)
        fail_input(why, "%s; choose another home with --home", refusal.text);
    else if (access(path, W_OK) != 0)
        fail_input(why, "cannot write to %s: %s; choose another home with --home", path,
                   strerror(errno));
    else
        return 0;
    failure_clear(&refusal);
    return -1;
}

int home_make(const char *home, struct failure *why)
{
    static const char *const folders[] = {"checkpoints", "logs", "reports"};
    size_t i;
    if (!utf8_is_valid(home)) /* workers are told of it in JSON, which has UTF-8 only */
        return fail_input(why, "%s: the path is not valid UTF-8; choose another home with --home",
                          home);
    for (i = 0; i < ARRAY_LENGTH(folders); i++) {
        char *path = path_join(home, folders[i]);
        int failed = make_folder(path, why);
        free(path);
        if (failed)
            return -1;
    }
    return 0;
}

char *home_database(const char *home)
{
    return path_join(home, "trials.db");
}

char *home_report(const char *home, const char *study)
{
    return xasprintf("%s/reports/%s", home, study);
}

char *home_checkpoints(const char *home, const char *study)
{
    return xasprintf("%s/checkpoints/%s", home, study);
}

char *home_cache(const char *home)
{
    return path_join(home, "cache");
}

bool home_has_checkpoint(const char *home, const char *study, const char *path)
{
    char *folder = home_checkpoints(home, study);
    size_t length = strlen(folder);
    bool has = strncmp(path, folder, length) == 0 && path[length] == '/' &&
               path[length + 1] != '\0' && strchr(path + length + 1, '/') == NULL;
    free(folder);
    return has;
}

char *home_find_checkpoint(const char *home, const char *study, const char *recorded)
{
    const char *slash = recorded != NULL ? strrchr(recorded, '/') : NULL;
    char *folder, *path;
    if (recorded == NULL)
        return NULL;
    folder = home_checkpoints(home, study);
    path = path_join(folder, slash != NULL ? slash + 1 : recorded);
    free(folder);
    if (file_exists(path))
        return path;
    free(path);
    return NULL;
}
