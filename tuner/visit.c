#include "tuner/visit.h"

#include "common/file.h"
#include "common/text.h"
#include "tuner/home.h"

#include <stdlib.h>

static struct store *open_home(const char *home, struct failure *why)
{
    char *database = home_database(home);
    struct store *store = NULL;
    if (!file_exists(database))
        fail_input(why, "there is no database %s; choose the home with --home or $TUNER_HOME",
                   database);
    else
        store = store_open(database, STORE_READ, why);
    free(database);
    return store;
}

/* Names the nearest of those there are. */
static int fail_unknown(const struct visit *visit, const char *name, struct failure *why)
{
    json_t *rows = store_rows(visit->store, "SELECT study FROM studies", NULL, why);
    size_t i, count = json_array_size(rows);
    const char **names = xcalloc(count + 1, sizeof *names), *near;
    const json_t *row;
    json_array_foreach(rows, i, row)
        names[i] = json_string_value(json_object_get(row, "study"));
    near = nearest_word(name, names, count);
    if (near != NULL)
        fail_input(why, "there is no study named %s in %s; did you mean %s?", name, visit->home,
                   near);
    else
        fail_input(why, "there is no study named %s in %s; `tuner list` shows what there is", name,
                   visit->home);
    free(names);
    json_decref(rows);
    return -1;
}

static int find(struct visit *visit, const char *name, struct failure *why)
{
    json_t *arguments = json_pack("[s]", name);
    json_t *rows = store_rows(visit->store,
                              "SELECT study, state, sampler, note FROM studies "
                              "WHERE study = ?1 COLLATE NOCASE",
                              arguments, why);
    json_decref(arguments);
    if (rows == NULL)
        return -1;
    visit->row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    if (visit->row == NULL)
        return fail_unknown(visit, name, why);
    visit->study = json_string_value(json_object_get(visit->row, "study"));
    return 0;
}

int visit_enter(struct visit *visit, const char *home, const char *study, struct failure *why)
{
    *visit = (struct visit){.home = home_path(home)};
    visit->store = open_home(visit->home, why);
    if (visit->store == NULL)
        return -1;
    return study != NULL ? find(visit, study, why) : 0;
}

void visit_leave(struct visit *visit)
{
    json_decref(visit->row);
    store_close(visit->store);
    free(visit->home);
}
