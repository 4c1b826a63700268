#include "reports/report_data.h"

#include "common/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES_MOST = 4096 /* more than any image data set has; guards the matrix's size */ };

/* ---- rows and their columns ---- */

/* The rows of a view that belong to the study. */
static json_t *study_rows(struct store *store, const char *sql, const char *study,
                          struct failure *why)
{
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(store, sql, arguments, why);
    json_decref(arguments);
    return rows;
}

static char *text_of(const json_t *row, const char *column)
{
    const char *value = json_string_value(json_object_get(row, column));
    return xstrdup(value ? value : "");
}

static double real_of(const json_t *row, const char *column)
{
    const json_t *value = json_object_get(row, column);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int integer_of(const json_t *row, const char *column, int otherwise)
{
    const json_t *value = json_object_get(row, column);
    return json_is_integer(value) ? (int)json_integer_value(value) : otherwise;
}

/* A column that holds JSON; NULL when it holds none. */
static json_t *json_of(const json_t *row, const char *column)
{
    const char *value = json_string_value(json_object_get(row, column));
    return value ? json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
}

/* ---- the study ---- */

static int no_such_study(struct store *store, const char *study, struct failure *why)
{
    json_t *rows = store_rows(store, "SELECT study FROM studies ORDER BY study", NULL, why);
    struct text names = TEXT_EMPTY;
    size_t index;
    json_t *row;
    if (!rows)
        return -1;
    json_array_foreach(rows, index, row)
        text_addf(&names, "%s%s", index == 0 ? "; there are: " : ", ",
                  json_string_value(json_object_get(row, "study")));
    fail(why, "there is no study '%s' in the database%s", study, text_string(&names));
    text_free(&names);
    json_decref(rows);
    return -1;
}

static void take_study(struct report_data *data, const json_t *row)
{
    data->name = text_of(row, "study");
    data->file = text_of(row, "file");
    data->text = text_of(row, "text");
    data->seed = text_of(row, "seed");
    data->state = text_of(row, "state");
    data->metric = text_of(row, "metric");
    data->sampler = text_of(row, "sampler");
    data->scheduler = text_of(row, "scheduler");
    data->note = text_of(row, "note");
    data->void_reason = text_of(row, "void_reason");
    data->maximize = integer_of(row, "maximize", 1) != 0;
    data->max_epochs = integer_of(row, "max_epochs", 0);
    data->eta = integer_of(row, "eta", 0);
    data->winner = integer_of(row, "winner", -1);
    data->seconds = real_of(row, "seconds");
    data->started_ms = json_integer_value(json_object_get(row, "started_ms"));
    data->epochs_run = json_integer_value(json_object_get(row, "epochs"));
    data->dataset = json_of(row, "data");
}

static int read_study(struct store *store, const char *study, struct report_data *data,
                      struct failure *why)
{
    json_t *rows = study_rows(store,
                              "SELECT study, file, text, seed, state, metric, "
                              "goal = 'maximize' AS maximize, sampler, scheduler, max_epochs, "
                              "eta, note, void_reason, winner, seconds, started_ms, epochs, data "
                              "FROM studies WHERE study = ?1", study, why);
    int result = -1;
    if (!rows)
        return -1;
    if (json_array_size(rows) == 0) {
        no_such_study(store, study, why);
    } else {
        take_study(data, json_array_get(rows, 0));
        result = 0;
    }
    json_decref(rows);
    return result;
}

/* ---- trials and faults ---- */

static int read_trials(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = study_rows(store,
                              "SELECT t.trial, t.bracket, t.state, t.epochs, t.value, "
                              "t.parameters, t.arithmetic, coalesce(t.error, (SELECT d.reason "
                              "FROM decisions d WHERE d.study = t.study AND d.trial = t.trial "
                              "ORDER BY d.rung DESC LIMIT 1)) AS reason "
                              "FROM trials t WHERE t.study = ?1 ORDER BY t.trial", data->name, why);
    size_t index;
    json_t *row;
    if (!rows)
        return -1;
    data->trial_count = json_array_size(rows);
    data->trials = xcalloc(data->trial_count, sizeof *data->trials);
    json_array_foreach(rows, index, row)
        data->trials[index] = (struct report_trial){
            .number = integer_of(row, "trial", 0),
            .bracket = integer_of(row, "bracket", 0),
            .epochs = integer_of(row, "epochs", 0),
            .value = real_of(row, "value"),
            .state = text_of(row, "state"),
            .reason = text_of(row, "reason"),
            .arithmetic = text_of(row, "arithmetic"),
            .parameters = json_of(row, "parameters"),
        };
    json_decref(rows);
    return 0;
}

static int read_faults(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = study_rows(store,
                              "SELECT trial, attempt, kind, reason, action FROM faults "
                              "WHERE study = ?1 ORDER BY fault", data->name, why);
    size_t index;
    json_t *row;
    if (!rows)
        return -1;
    data->fault_count = json_array_size(rows);
    data->faults = xcalloc(data->fault_count, sizeof *data->faults);
    json_array_foreach(rows, index, row)
        data->faults[index] = (struct report_fault){
            .trial = integer_of(row, "trial", -1),
            .attempt = integer_of(row, "attempt", 0),
            .kind = text_of(row, "kind"),
            .reason = text_of(row, "reason"),
            .action = text_of(row, "action"),
        };
    json_decref(rows);
    return 0;
}

/* ---- the winner and its final training ---- */

static void take_curve(struct report_curve *curve, const json_t *rows)
{
    size_t index;
    json_t *row;
    curve->count = json_array_size(rows);
    curve->epochs = xcalloc(curve->count, sizeof *curve->epochs);
    json_array_foreach(rows, index, row)
        curve->epochs[index] = (struct report_epoch){
            .epoch = integer_of(row, "epoch", 0),
            .train_loss = real_of(row, "train_loss"),
            .train_accuracy = real_of(row, "train_accuracy"),
            .val_loss = real_of(row, "val_loss"),
            .val_accuracy = real_of(row, "val_accuracy"),
        };
}

static int read_curves(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *search = study_rows(store,
                                "SELECT c.* FROM curves c JOIN studies s ON s.study = c.study "
                                "WHERE c.study = ?1 AND c.trial = s.winner ORDER BY c.epoch",
                                data->name, why);
    json_t *final = study_rows(store, "SELECT * FROM final_curves WHERE study = ?1 ORDER BY epoch",
                               data->name, why);
    int result = search && final ? 0 : -1;
    take_curve(&data->search, search);
    take_curve(&data->final, final);
    json_decref(search);
    json_decref(final);
    return result;
}

static void take_final(struct report_data *data, const json_t *row)
{
    data->final_epochs = integer_of(row, "final_epochs", 0);
    data->test_loss = real_of(row, "test_loss");
    data->arithmetic = text_of(row, "arithmetic");
    data->layers = json_of(row, "layers");
    data->winner_epochs = integer_of(row, "epochs", 0);
    data->winner_value = real_of(row, "value");
    data->parameters = json_of(row, "parameters");
    data->configuration = json_of(row, "configuration");
}

static int read_final(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = study_rows(store,
                              "SELECT f.epochs AS final_epochs, f.test_loss, f.arithmetic, "
                              "f.layers, coalesce(t.early_end, t.value_epochs) AS epochs, "
                              "t.value, t.parameters, "
                              "t.configuration FROM finals f "
                              "JOIN trials t ON t.study = f.study AND t.trial = f.trial "
                              "JOIN studies s ON s.study = f.study AND s.winner = f.trial "
                              "WHERE f.study = ?1 AND f.state = 'ended'", data->name, why);
    int result = -1;
    if (!rows)
        return -1;
    if (strcmp(data->sampler, "imported") == 0) {
        fail(why, "the study '%s' was imported: without a model there is nothing to report on; "
                  "`tuner sql` and `tuner trials` show its trials", data->name);
    } else if (json_array_size(rows) == 0) {
        fail(why, "the study '%s' has no final evaluation yet; run `tuner run %s` to its end",
             data->name, data->file);
    } else {
        take_final(data, json_array_get(rows, 0));
        result = 0;
    }
    json_decref(rows);
    return result;
}

/* ---- the evaluation ---- */

/* As many classes as the data set says, and as the predictions need. */
static int count_classes(struct report_data *data, const json_t *rows, struct failure *why)
{
    json_int_t classes = json_integer_value(json_object_get(data->dataset, "classes"));
    json_int_t least = 0;
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row) {
        json_int_t label = json_integer_value(json_object_get(row, "label"));
        json_int_t predicted = json_integer_value(json_object_get(row, "predicted"));
        json_int_t larger = label > predicted ? label : predicted;
        json_int_t smaller = label < predicted ? label : predicted;
        classes = larger >= classes ? larger + 1 : classes;
        least = smaller < least ? smaller : least;
    }
    if (classes < 1 || classes > CLASSES_MOST || least < 0)
        return fail(why, "the predictions of '%s' name classes from %lld to %lld, which cannot "
                         "be; the database was changed by another program", data->name,
                    (long long)least, (long long)classes - 1);
    data->classes = (int)classes;
    return 0;
}

static void take_confusion(struct report_data *data, const json_t *rows)
{
    size_t index;
    json_t *row;
    confusion_init(&data->confusion, data->classes);
    json_array_foreach(rows, index, row)
        confusion_add_many(&data->confusion, integer_of(row, "label", 0),
                           integer_of(row, "predicted", 0),
                           json_integer_value(json_object_get(row, "images")));
    metrics_compute(&data->confusion, &data->metrics);
    data->class_names = xcalloc((size_t)data->classes, sizeof *data->class_names);
    for (int i = 0; i < data->classes; i++)
        data->class_names[i] = xasprintf("%d", i);
}

static int read_confusion(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = study_rows(store,
                              "SELECT label, predicted, images FROM confusion WHERE study = ?1",
                              data->name, why);
    int result = -1;
    if (!rows)
        return -1;
    if (json_array_size(rows) == 0)
        fail(why, "the final evaluation of '%s' saw no image; its data set has no test images",
             data->name);
    else
        result = count_classes(data, rows, why);
    if (result == 0)
        take_confusion(data, rows);
    json_decref(rows);
    return result;
}

int report_data_read(struct store *store, const char *study, struct report_data *data,
                     struct failure *why)
{
    *data = (struct report_data){0};
    if (read_study(store, study, data, why) == 0 && read_final(store, data, why) == 0 &&
        read_curves(store, data, why) == 0 && read_confusion(store, data, why) == 0 &&
        read_trials(store, data, why) == 0 && read_faults(store, data, why) == 0)
        return 0;
    report_data_release(data);
    return -1;
}

/* ---- release ---- */

static void release_lists(struct report_data *data)
{
    for (size_t i = 0; i < data->trial_count; i++) {
        free(data->trials[i].state);
        free(data->trials[i].reason);
        free(data->trials[i].arithmetic);
        json_decref(data->trials[i].parameters);
    }
    for (size_t i = 0; i < data->fault_count; i++) {
        free(data->faults[i].kind);
        free(data->faults[i].reason);
        free(data->faults[i].action);
    }
    for (int i = 0; data->class_names && i < data->classes; i++)
        free((char *)data->class_names[i]);
    free(data->trials);
    free(data->faults);
    free(data->class_names);
}

void report_data_release(struct report_data *data)
{
    char *const texts[] = {data->name,    data->file,      data->text, data->seed,
                           data->state,   data->metric,    data->sampler,
                           data->scheduler, data->note,    data->void_reason,
                           data->arithmetic};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        free(texts[i]);
    release_lists(data);
    free(data->search.epochs);
    free(data->final.epochs);
    confusion_release(&data->confusion);
    metrics_release(&data->metrics);
    json_decref(data->dataset);
    json_decref(data->parameters);
    json_decref(data->configuration);
    json_decref(data->layers);
    *data = (struct report_data){0};
}
