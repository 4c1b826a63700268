#include "tuner/recorded.h"

#include "common/json_text.h"
#include "tuner/engine.h"
#include "tuner/home.h"

#include <stdlib.h>

static void refuse(struct run *run, const char *what)
{
    char *database = home_database(run->daemon->settings.home);
    fail_input(&run->broken, "%s: is damaged: study %s has %s; restore the database from a backup, "
                             "or start the study over with --fresh", database, run->study->name,
               what);
    free(database);
}

static void refuse_row(struct run *run, const char *view, const json_t *row, const char *name,
                       int low, int high)
{
    char *shown = json_text(row);
    char *what = xasprintf("a row in %s whose `%s` should be within %d and %d: %.200s", view, name,
                           low, high, shown);
    refuse(run, what);
    free(what);
    free(shown);
}

int recorded_number(struct run *run, const char *view, const json_t *row, const char *name, int low,
                    int high)
{
    const json_t *value = json_object_get(row, name);
    json_int_t integer = json_integer_value(value);
    if (json_is_integer(value) && integer >= low && integer <= high)
        return (int)integer;
    refuse_row(run, view, row, name, low, high);
    return low;
}

struct trial *recorded_trial(struct run *run, const char *view, const json_t *row)
{
    int number = recorded_number(run, view, row, "trial", 0, run->trial_count - 1);
    return run->broken.text == NULL ? run->trials[number] : NULL;
}

void recorded_check_trial(struct run *run, const struct trial *trial)
{
    char *what;
    if (json_is_object(trial->parameters) && json_is_object(trial->configuration))
        return;
    what = xasprintf("no parameters or no configuration of trial %d in trials", trial->number);
    refuse(run, what);
    free(what);
}
