#include "tuner/summary.h"

#include "common/file.h"
#include "common/json_text.h"
#include "tuner/home.h"
#include "tuner/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The winner, or the leader of a study that is not over. */
static const char best_sql[] =
    "SELECT s.study AS study, s.state AS state, s.note AS note, s.metric AS metric, s.sampler AS sampler, "
    "       l.trial AS trial, "
    "       coalesce(l.early_end, l.epochs) AS epochs, l.value AS value, "
    "       l.parameters AS parameters, "
    "       f.epochs AS final_epochs, f.images AS images, f.correct AS correct, "
    "       f.test_loss AS test_loss "
    "FROM studies AS s LEFT JOIN (SELECT * FROM leaderboard "
    "                           WHERE study = ?1 COLLATE NOCASE LIMIT 1) AS l "
    "LEFT JOIN finals AS f ON f.study = s.study AND f.state = 'ended' "
    "WHERE s.study = ?1 COLLATE NOCASE";

static void add_report(json_t *summary, const char *home)
{
    const char *study = json_string_value(json_object_get(summary, "study"));
    char *folder = home_report(home, study), *page = path_join(folder, "index.html");
    if (file_exists(page))
        json_object_set_new(summary, "report", json_string(page));
    free(page);
    free(folder);
}

/* The parameters come as text; numbers that do not apply yet as null. */
static void complete(json_t *summary, const char *home)
{
    const char *text = json_string_value(json_object_get(summary, "parameters"));
    double images = json_number_value(json_object_get(summary, "images"));
    double correct = json_number_value(json_object_get(summary, "correct"));
    if (text != NULL)
        json_object_set_new(summary, "parameters", json_loads(text, 0, NULL));
    json_object_set_new(summary, "test_accuracy",
                        images > 0 ? json_real(correct / images) : json_null());
    add_report(summary, home);
}

json_t *summary_read(struct store *store, const char *home, const char *study,
                     struct failure *why)
{
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(store, best_sql, arguments, why);
    json_t *summary = rows != NULL ? json_incref(json_array_get(rows, 0)) : NULL;
    json_decref(arguments);
    if (rows != NULL && summary == NULL)
        fail_input(why, "there is no study named %s here; `tuner list` shows what there is", study);
    json_decref(rows);
    if (summary != NULL)
        complete(summary, home);
    return summary;
}

static const char *text_of(const json_t *summary, const char *key)
{
    const char *text = json_string_value(json_object_get(summary, key));
    return text != NULL ? text : "";
}

static bool has_failed(const json_t *summary)
{
    return strcmp(text_of(summary, "state"), "failed") == 0;
}

static void print_without_trial(const json_t *summary)
{
    const char *study = text_of(summary, "study");
    if (has_failed(summary))
        printf("study %s failed: %s\n", study, text_of(summary, "note"));
    else
        printf("study %s: no trial has ended well yet\n", study);
}

static void print_accuracy(const json_t *summary)
{
    const json_t *accuracy = json_object_get(summary, "test_accuracy");
    if (json_is_number(accuracy))
        printf("test accuracy  %.4f (%lld of %lld images)\n", json_number_value(accuracy),
               (long long)json_integer_value(json_object_get(summary, "correct")),
               (long long)json_integer_value(json_object_get(summary, "images")));
    else if (strcmp(text_of(summary, "sampler"), "imported") == 0)
        printf("test accuracy  none: the study was imported, without a model\n");
    else if (strcmp(text_of(summary, "state"), "finished") == 0)
        printf("test accuracy  none: other programs trained it, so there is no model here\n");
    else if (has_failed(summary))
        printf("test accuracy  none: the study failed: %s\n", text_of(summary, "note"));
    else
        printf("test accuracy  not yet: the study is %s\n", text_of(summary, "state"));
}

static void print_for_people(const json_t *summary)
{
    const json_t *report = json_object_get(summary, "report");
    long long epochs = (long long)json_integer_value(json_object_get(summary, "epochs"));
    char *parameters;
    if (json_is_null(json_object_get(summary, "trial"))) {
        print_without_trial(summary);
        return;
    }
    parameters = table_value(json_object_get(summary, "parameters"));
    printf("best trial     %lld of study %s\n",
           (long long)json_integer_value(json_object_get(summary, "trial")),
           text_of(summary, "study"));
    printf("parameters     %s\n", parameters);
    printf("%-14s %.4f after %lld epoch%s\n", text_of(summary, "metric"),
           json_number_value(json_object_get(summary, "value")), epochs, epochs == 1 ? "" : "s");
    print_accuracy(summary);
    if (report != NULL)
        printf("report         %s\n", json_string_value(report));
    free(parameters);
}

int summary_print(struct store *store, const char *home, const char *study, bool json,
                  struct failure *why)
{
    json_t *summary = summary_read(store, home, study, why);
    if (summary == NULL)
        return -1;
    if (json) {
        json_text_print(summary);
    } else {
        print_for_people(summary);
    }
    json_decref(summary);
    return 0;
}
