/* import: a study that was made elsewhere. */
#include "tuner/command.h"

#include "common/file.h"
#include "common/options.h"
#include "common/text.h"
#include "db/optuna.h"
#include "db/store_import.h"
#include "tuner/history.h"
#include "tuner/home.h"
#include "tuner/name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char import_help[] =
    "Examples:\n"
    "  tuner import optuna.db\n"
    "  tuner import optuna.db --study resnet --name resnet_2024\n"
    "  tuner import trials.csv --value val_loss --goal minimize\n"
    "\n"
    "Usage: tuner import FILE [OPTIONS]\n"
    "Takes a study that was made elsewhere, as a finished one: from an SQLite storage of\n"
    "Optuna's, or from a CSV with a line for each trial and a column for each parameter.\n"
    "\n"
    "  --name NAME     the study's name here (default: the one it has, or the file's)\n"
    "  --study NAME    which study of Optuna's, where there are several\n"
    "  --value COLUMN  the column of a CSV that has the values (default: value)\n"
    "  --metric NAME   what the values are, such as val_accuracy\n"
    "  --goal maximize|minimize\n"
    "                  of a CSV; need not be said of an accuracy or a loss\n"
    "  --home DIR\n";

struct request {
    const char *file, *name, *study, *value, *metric, *goal, *home;
};

/* ---- names ---- */

/* The nearest name that a study may have: "no-name-7" becomes no_name_7. */
static char *make_name(const char *given)
{
    struct text name = TEXT_EMPTY;
    if (!isalpha((unsigned char)*given))
        text_add(&name, "study_");
    for (; *given && name.length < NAME_LENGTH_MAX; given++)
        text_add_char(&name, isalnum((unsigned char)*given) ? *given : '_');
    if (name_is_reserved(text_string(&name)))
        text_add_char(&name, '_');
    return text_take(&name);
}

/* A file's name without its folder and what follows the first dot. */
static char *file_stem(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    return xstrndup(base, strcspn(base, "."));
}

static int check_name(const char *name, struct failure *why)
{
    if (!name_is_valid(name))
        return fail_usage(why, "--name %s: a name has letters, digits and underscores, begins "
                               "with a letter, and is no longer than %d", name, NAME_LENGTH_MAX);
    if (name_is_reserved(name))
        return fail_usage(why, "--name %s: the word has a meaning in SQL; choose another", name);
    return 0;
}

/* ---- the file ---- */

static bool is_sqlite(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char head[sizeof magic] = "";
    FILE *file = fopen(path, "rb");
    bool found = file && fread(head, 1, sizeof head, file) == sizeof head &&
                 memcmp(head, magic, sizeof magic) == 0;
    if (file)
        fclose(file);
    return found;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

/* A CSV does not say what is better. */
static int set_goal(const struct request *request, json_t *history, struct failure *why)
{
    const char *metric = json_string_value(json_object_get(history, "metric"));
    const char *goal = request->goal;
    if (!goal && ends_with(metric, "accuracy"))
        goal = "maximize";
    if (!goal && ends_with(metric, "loss"))
        goal = "minimize";
    if (!goal)
        return fail_usage(why, "say with --goal maximize or --goal minimize whether a larger %s "
                               "is better", metric);
    json_object_set_new(history, "goal", json_string(goal));
    return 0;
}

static json_t *read_csv(const struct request *request, struct failure *why)
{
    json_t *history =
        history_read_csv(request->file, request->value ? request->value : "value", why);
    if (!history)
        return NULL;
    char *stem = file_stem(request->file);
    json_object_set_new(history, "study", json_string(stem));
    free(stem);
    if (request->metric)
        json_object_set_new(history, "metric", json_string(request->metric));
    if (set_goal(request, history, why) == 0)
        return history;
    json_decref(history);
    return NULL;
}

/* The metric's values of each epoch go by the name that is wanted for it. */
static void rename_metric(json_t *history, const char *metric)
{
    const char *old = json_string_value(json_object_get(history, "metric"));
    size_t i, k;
    json_t *trial, *point;
    if (!metric || strcmp(old, metric) == 0)
        return;
    json_array_foreach(json_object_get(history, "trials"), i, trial) {
        json_array_foreach(json_object_get(trial, "curve"), k, point) {
            json_object_set(point, metric, json_object_get(point, old));
            json_object_del(point, old);
        }
    }
    json_object_set_new(history, "metric", json_string(metric));
}

static json_t *read_optuna(const struct request *request, struct failure *why)
{
    if (request->value) {
        fail_usage(why, "--value is of a CSV; %s is a database", request->file);
        return NULL;
    }
    json_t *history = optuna_read(request->file, request->study, why);
    const char *goal = json_string_value(json_object_get(history, "goal"));
    if (history && request->goal && strcmp(request->goal, goal) != 0) {
        fail_usage(why, "--goal %s: the study says %s", request->goal, goal);
        json_decref(history);
        return NULL;
    }
    if (history)
        rename_metric(history, request->metric);
    return history;
}

/* ---- the command ---- */

static void tell(const json_t *history, const char *name)
{
    json_int_t left_out = json_integer_value(json_object_get(history, "left_out"));
    printf("study %s: %zu trials, %zu parameters, finished\n", name,
           json_array_size(json_object_get(history, "trials")),
           json_array_size(json_object_get(history, "parameters")));
    if (left_out > 0)
        printf("left out: %lld trial%s that had not ended\n", (long long)left_out,
               left_out == 1 ? "" : "s");
}

static int record(const struct request *request, const json_t *history, const char *format,
                  struct failure *why)
{
    char *home = home_path(request->home), *database = home_database(home);
    char *name = request->name ? xstrdup(request->name)
                               : make_name(json_string_value(json_object_get(history, "study")));
    struct store *store = NULL;
    int result = -1;
    if (home_make(home, why) == 0)
        store = store_open(database, STORE_WRITE, why);
    if (store)
        result = store_import(store, history, name, format, request->file, why);
    store_close(store);
    if (result == 0)
        tell(history, name);
    free(name);
    free(database);
    free(home);
    return result;
}

static int check_request(const struct request *request, struct failure *why)
{
    const char *goal = request->goal;
    if (goal && strcmp(goal, "maximize") != 0 && strcmp(goal, "minimize") != 0)
        return fail_usage(why, "--goal is maximize or minimize, not '%s'", goal);
    if (request->metric && (!name_is_valid(request->metric) ||
                            strcmp(request->metric, "epoch") == 0))
        return fail_usage(why, "--metric %s: is no name of a metric", request->metric);
    return request->name ? check_name(request->name, why) : 0;
}

enum exit_code command_import(char *const arguments[], struct failure *why)
{
    struct request request = {0};
    const struct option_rule rules[] = {{"name", 0, OPTION_TEXT, &request.name, 0, 0},
                                        {"study", 0, OPTION_TEXT, &request.study, 0, 0},
                                        {"value", 0, OPTION_TEXT, &request.value, 0, 0},
                                        {"metric", 0, OPTION_TEXT, &request.metric, 0, 0},
                                        {"goal", 0, OPTION_TEXT, &request.goal, 0, 0},
                                        {"home", 0, OPTION_TEXT, &request.home, 0, 0}};
    const struct options options = {"tuner import", rules, ARRAY_LENGTH(rules), "a FILE", 1, 1};
    int parsed = options_parse(&options, arguments, &request.file, NULL, why);
    if (parsed > 0)
        fputs(import_help, stdout);
    if (parsed != 0)
        return parsed > 0 ? EXIT_DONE : EXIT_BAD_USAGE;
    if (check_request(&request, why) < 0)
        return EXIT_BAD_USAGE;
    bool optuna = is_sqlite(request.file);
    json_t *history = optuna ? read_optuna(&request, why) : read_csv(&request, why);
    if (history)
        record(&request, history, optuna ? "optuna" : "csv", why);
    json_decref(history);
    return why->code;
}
