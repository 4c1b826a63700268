/* trials, best, report, list: what the database knows. */
#include "tuner/command.h"

#include "common/file.h"
#include "common/json_text.h"
#include "common/options.h"
#include "reports/report.h"
#include "tuner/home.h"
#include "tuner/summary.h"
#include "tuner/table.h"
#include "tuner/trained_model.h"
#include "tuner/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum exit_code print_rows(json_t *rows, bool json, const char *empty)
{
    if (rows == NULL)
        return EXIT_FAILED;
    if (json) {
        json_text_print(rows);
    } else if (json_array_size(rows) == 0) {
        puts(empty);
    } else {
        table_print(rows);
    }
    json_decref(rows);
    return EXIT_DONE;
}

/* ---- list ---- */

static const char list_sql[] =
    "SELECT study, state, sampler, scheduler, trials, epochs, winner, "
    "       round(test_accuracy, 4) AS test_accuracy FROM studies ORDER BY id";

static void print_names(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
        puts(json_string_value(json_object_get(row, "study")));
    json_decref(rows);
}

enum exit_code command_list(char *const arguments[], struct failure *why)
{
    const char *home = NULL;
    bool json = false, names = false;
    const struct option_rule rules[] = {
        {"names", 0, OPTION_FLAG, &names, 0, 0, NULL, "their names alone, each on a line"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
    };
    const struct options options = {
        "tuner list", rules, ARRAY_LENGTH(rules), NULL, 0, 0,
        .about = "Lists the studies of a home with their state, trials and winner.\n",
        .examples = "tuner list\ntuner list --home /data/tuning --json\n"};
    struct visit visit;
    if (options_parse(&options, arguments, NULL, NULL, why) != 0)
        return why->code;
    if (visit_enter(&visit, home, NULL, why) == 0) {
        json_t *rows = store_rows(visit.store, list_sql, NULL, why);
        if (names)
            print_names(rows);
        else
            print_rows(rows, json, "no studies");
    }
    visit_leave(&visit);
    return why->code;
}

/* ---- trials ---- */

/* Which trials they are is found first, so that only of those all there is to show is read. */
static const char trials_sql[] =
    "SELECT t.trial AS trial, t.state AS state, t.bracket AS bracket, t.epochs AS epochs, "
    "       t.value AS value, t.parameters AS parameters, t.arithmetic AS arithmetic "
    "FROM studies AS s JOIN trials AS t ON t.study = s.study "
    "WHERE s.study = ?1 AND t.trial IN (%s LIMIT ?2) ORDER BY %s, t.trial";

/* By value: those that have one by the index of the best, then the others. */
static const struct order {
    const char *name, *first, *sql;
} orders[] = {
    {"trial", "SELECT trial FROM trials WHERE study = ?1 ORDER BY trial", "t.trial"},
    {"value",
     "SELECT * FROM (SELECT r.trial FROM recorded_studies AS s JOIN recorded_trials AS r "
     "               ON r.study = s.id WHERE s.name = ?1 AND r.order_value IS NOT NULL "
     "               ORDER BY r.order_value, r.trial LIMIT ?2) "
     "UNION ALL SELECT * FROM (SELECT trial FROM trials WHERE study = ?1 AND value IS NULL "
     "                         ORDER BY trial LIMIT ?2)",
     "iif(s.goal = 'maximize', -t.value, t.value) NULLS LAST"},
    {"epochs", "SELECT trial FROM trials WHERE study = ?1 ORDER BY epochs DESC, trial",
     "t.epochs DESC"},
};

static const struct order *find_order(const char *name)
{
    size_t i = 0;
    while (strcmp(name, orders[i].name) != 0)
        i++;
    return &orders[i];
}

/* Parameters as an object rather than as its text. */
static void open_parameters(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const char *text = json_string_value(json_object_get(row, "parameters"));
        if (text != NULL)
            json_object_set_new(row, "parameters", json_loads(text, 0, NULL));
    }
}

/* Too wide for a table, and nearly always the same. */
static void leave_out_arithmetic(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
        json_object_del(row, "arithmetic");
}

enum exit_code command_trials(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *sort = "trial", *words[1];
    const struct order *order;
    int64_t limit = -1;
    bool json = false;
    const struct option_rule rules[] = {
        {"sort", 0, OPTION_CHOICE, &sort, 0, 0, "trial|value|epochs",
         "what comes first (default: trial)"},
        {"limit", 0, OPTION_INTEGER, &limit, 1, INT32_MAX, "N", "so many at most"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
    };
    const struct options options = {
        "tuner trials", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1,
        .about = "Lists the trials of a study.\n",
        .examples = "tuner trials quickstart\n"
                    "tuner trials quickstart --sort value --limit 10\n"
                    "tuner trials quickstart --json | jq '.[].parameters'\n"};
    struct visit visit;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    order = find_order(sort);
    if (visit_enter(&visit, home, words[0], why) == 0) {
        char *sql = xasprintf(trials_sql, order->first, order->sql);
        json_t *bound = json_pack("[s, I]", visit.study, (json_int_t)limit);
        json_t *rows = store_rows(visit.store, sql, bound, why);
        open_parameters(rows);
        if (!json)
            leave_out_arithmetic(rows);
        print_rows(rows, json, "no trials yet");
        json_decref(bound);
        free(sql);
    }
    visit_leave(&visit);
    return why->code;
}

/* ---- best ---- */

static int write_model(const struct visit *visit, const char *path, struct failure *why)
{
    size_t size = 0;
    void *bytes = trained_model_final(visit, &size, why);
    const struct file_piece piece = {bytes, size};
    int result = bytes != NULL ? file_replace(path, &piece, 1, why) : -1;
    free(bytes);
    return result;
}

static int print_configuration(const struct visit *visit, struct failure *why)
{
    json_t *arguments = json_pack("[s]", visit->study);
    json_t *rows = store_rows(visit->store,
                              "SELECT t.configuration AS configuration, s.seed AS seed, "
                              "t.trial AS trial, t.epochs AS epochs, t.parameters AS parameters "
                              "FROM leaderboard AS l JOIN trials AS t ON t.study = l.study AND "
                              "t.trial = l.trial JOIN studies AS s ON s.study = l.study "
                              "WHERE l.study = ?1 AND l.rank = 1", arguments, why);
    json_t *row = json_array_get(rows, 0);
    const char *text = json_string_value(json_object_get(row, "configuration"));
    json_t *configuration = text != NULL ? json_loads(text, 0, NULL) : NULL;
    int result = -1;
    if (configuration != NULL) {
        json_object_del(row, "configuration");
        open_parameters(rows);
        json_object_update(configuration, row);
        json_text_print(configuration);
        result = 0;
    } else {
        fail(why, "study %s has no best trial yet", visit->study);
    }
    json_decref(configuration);
    json_decref(rows);
    json_decref(arguments);
    return result;
}

enum exit_code command_best(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *model = NULL, *words[1];
    bool json = false, config = false;
    const struct option_rule rules[] = {
        {"model", 0, OPTION_TEXT, &model, 0, 0, "FILE", "also write the final model there"},
        {"config", 0, OPTION_FLAG, &config, 0, 0, NULL,
         "print the best trial's whole configuration, for `trainer train`"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
    };
    const struct options options = {
        "tuner best", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1,
        .about = "Shows the best trial of a study, and its test accuracy once that is known.\n",
        .examples =
            "tuner best quickstart\n"
            "tuner best quickstart --model best.model\n"
            "tuner best quickstart --config | trainer train - --data mnist\n"};
    struct visit visit;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    if (visit_enter(&visit, home, words[0], why) == 0) {
        int written = model != NULL ? write_model(&visit, model, why) : 0;
        if (written == 0 && config)
            print_configuration(&visit, why);
        else if (written == 0)
            summary_print(visit.store, visit.home, visit.study, json, why);
        /* Not among what is for programs. */
        if (model != NULL && why->code == EXIT_DONE && !config && !json)
            printf("%s: written\n", model);
    }
    visit_leave(&visit);
    return why->code;
}

/* ---- report ---- */

enum exit_code command_report(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *output = NULL, *words[1];
    const struct option_rule rules[] = {
        {"output", 0, OPTION_TEXT, &output, 0, 0, "DIR",
         "the folder to write to (default: reports/STUDY of the home)"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    const struct options options = {
        "tuner report", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1,
        .about = "Writes the report of the best model (index.html, report.txt, report.json, "
                 "report.md, predictions.csv, curves.svg, confusion.svg, mistakes.png) from the "
                 "database alone.\n",
        .examples = "tuner report quickstart\n"
                    "tuner report quickstart --output /tmp/quickstart-report\n"};
    struct visit visit;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    if (visit_enter(&visit, home, words[0], why) == 0) {
        char *folder = output != NULL ? xstrdup(output) : home_report(visit.home, visit.study);
        if (report_write(visit.store, visit.study, folder, why) == 0)
            printf("%s/index.html\n", folder);
        free(folder);
    }
    visit_leave(&visit);
    return why->code;
}
