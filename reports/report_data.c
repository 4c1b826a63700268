#include "reports/report_data.h"

#include "common/text.h"
#include "reports/report_read.h"

#include <stdlib.h>
#include <string.h>

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
    data->name = row_text(row, "study");
    data->file = row_text(row, "file");
    data->text = row_text(row, "text");
    data->seed = row_text(row, "seed");
    data->state = row_text(row, "state");
    data->metric = row_text(row, "metric");
    data->sampler = row_text(row, "sampler");
    data->scheduler = row_text(row, "scheduler");
    data->note = row_text(row, "note");
    data->void_reason = row_text(row, "void_reason");
    data->maximize = row_integer(row, "maximize", 1) != 0;
    data->max_epochs = row_integer(row, "max_epochs", 0);
    data->eta = row_integer(row, "eta", 0);
    data->winner = row_integer(row, "winner", -1);
    data->seconds = row_real(row, "seconds");
    data->started_ms = row_time(row, "started_ms");
    data->epochs_run = json_integer_value(json_object_get(row, "epochs"));
    data->trials_failed = (size_t)row_integer(row, "failed", 0);
    data->dataset = row_json(row, "data");
    data->folder = row_text(row, "folder");
}

static int read_study(struct store *store, const char *study, struct report_data *data,
                      struct failure *why)
{
    json_t *rows = report_rows(store,
                               "SELECT study, file, text, seed, state, metric, "
                               "goal = 'maximize' AS maximize, sampler, scheduler, max_epochs, "
                               "eta, note, void_reason, winner, seconds, started_ms, epochs, data, "
                               "failed, "
                               "(SELECT iif(json_valid(fingerprint), "
                               "json_extract(fingerprint, '$.data.folder'), NULL) "
                               "FROM recorded_studies AS r WHERE r.id = studies.id) AS folder "
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

/* ---- the final training ---- */

static void take_final(struct report_data *data, const json_t *row)
{
    data->final_epochs = row_integer(row, "final_epochs", 0);
    data->final_seconds = row_real(row, "seconds");
    data->arithmetic = row_text(row, "arithmetic");
    data->layers = row_json(row, "layers");
    data->winner_epochs = row_integer(row, "epochs", 0);
    data->winner_value = row_real(row, "value");
    data->parameters = row_json(row, "parameters");
    data->configuration = row_json(row, "configuration");
}

/* Why there is no result, and what leads to one. */
static int fail_without_final(const struct report_data *data, struct failure *why)
{
    if (strcmp(data->sampler, "imported") == 0)
        return fail(why, "the study '%s' was imported: without a model there is nothing to report "
                         "on; `tuner sql` and `tuner trials` show its trials", data->name);
    if (strcmp(data->state, "finished") == 0)
        return fail(why, "the study '%s' was trained by other programs: without a model there is "
                         "nothing to report on; `tuner sql` and `tuner trials` show its trials",
                    data->name);
    if (strcmp(data->state, "failed") == 0)
        return fail(why, "the study '%s' failed before its final evaluation, so there is nothing "
                         "to report on; `tuner trials %s` shows its trials.  It failed because: "
                         "%s", data->name, data->name, data->note);
    return fail(why, "the study '%s' is %s and has no final evaluation yet; take it to its end "
                     "with `tuner run %s --name %s`; until then `tuner trials %s` and `tuner best "
                     "%s` show what there is", data->name, data->state, data->file, data->name,
                data->name, data->name);
}

static int read_final(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = report_rows(store,
                               "SELECT f.epochs AS final_epochs, f.seconds, f.arithmetic, "
                               "f.layers, coalesce(t.early_end, t.value_epochs) AS epochs, "
                               "t.value, t.parameters, "
                               "t.configuration FROM finals f "
                               "JOIN trials t ON t.study = f.study AND t.trial = f.trial "
                               "JOIN studies s ON s.study = f.study AND s.winner = f.trial "
                               "WHERE f.study = ?1 AND f.state = 'ended'", data->name, why);
    int result = -1;
    if (!rows)
        return -1;
    if (json_array_size(rows) == 0) {
        fail_without_final(data, why);
    } else {
        take_final(data, json_array_get(rows, 0));
        result = 0;
    }
    json_decref(rows);
    return result;
}

static int read_final_curve(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = report_rows(store, "SELECT * FROM final_curves WHERE study = ?1 ORDER BY epoch",
                               data->name, why);
    if (!rows)
        return -1;
    report_take_curve(&data->final, rows);
    json_decref(rows);
    return 0;
}

static int read_parts(struct store *store, const char *study, struct report_data *data,
                      struct failure *why)
{
    bool good = read_study(store, study, data, why) == 0 && read_final(store, data, why) == 0 &&
                read_final_curve(store, data, why) == 0 &&
                report_read_search(store, data, why) == 0 &&
                report_read_test(store, data, why) == 0 &&
                report_read_images(store, data, why) == 0 &&
                report_read_network(store, data, why) == 0;
    return good ? 0 : -1;
}

int report_data_read(struct store *store, const char *study, struct report_data *data,
                     struct failure *why)
{
    *data = (struct report_data){0};
    if (store_begin_reading(store, why) != 0)
        return -1;
    int result = read_parts(store, study, data, why);
    store_end_reading(store);
    if (result != 0)
        report_data_release(data);
    return result;
}

/* ---- what is asked of it ---- */

const struct report_curve *report_winner_curve(const struct report_data *data)
{
    static const struct report_curve none = {0};
    for (size_t i = 0; i < data->listed_count; i++)
        if (data->trials[i].number == data->winner)
            return &data->trials[i].curve;
    return &none;
}

const double *report_probabilities(const struct report_data *data, size_t index)
{
    return data->predictions.probabilities + index * (size_t)data->classes;
}

double report_confidence(const struct report_data *data, size_t index)
{
    return report_probabilities(data, index)[data->predictions.predicted[index]];
}

bool report_is_mistake(const struct report_data *data, const struct report_image *image)
{
    const struct report_predictions *all = &data->predictions;
    return all->labels[image->prediction] != all->predicted[image->prediction];
}

int64_t report_parameter_count(const struct report_data *data)
{
    double sum = 0.0;
    size_t index;
    json_t *layer;
    json_array_foreach(data->layers, index, layer)
        sum += json_number_value(json_object_get(layer, "parameters"));
    return (int64_t)sum;
}

/* ---- release ---- */

static void release_search(struct report_data *data)
{
    json_t *const lists[] = {data->space,    data->plan,    data->rungs,
                            data->segments, data->workers, data->arithmetics};
    for (size_t i = 0; i < data->listed_count; i++) {
        free(data->trials[i].state);
        free(data->trials[i].reason);
        free(data->trials[i].arithmetic);
        free(data->trials[i].curve.epochs);
        json_decref(data->trials[i].parameters);
    }
    for (size_t i = 0; i < data->fault_count; i++) {
        free(data->faults[i].kind);
        free(data->faults[i].reason);
        free(data->faults[i].action);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
        json_decref(lists[i]);
    free(data->trials);
    free(data->faults);
}

static void release_test(struct report_data *data)
{
    for (int i = 0; data->class_names && i < data->classes; i++)
        free((char *)data->class_names[i]);
    for (size_t i = 0; i < data->images.count; i++)
        free(data->images.at[i].pixels);
    free(data->class_names);
    free(data->images.at);
    free(data->images.surest);
    free(data->predictions.images);
    free(data->predictions.labels);
    free(data->predictions.predicted);
    free(data->predictions.probabilities);
    confusion_release(&data->confusion);
    metrics_release(&data->metrics);
}

void report_data_release(struct report_data *data)
{
    char *const texts[] = {data->name,       data->file,        data->text,      data->seed,
                           data->state,      data->metric,      data->sampler,   data->scheduler,
                           data->note,       data->void_reason, data->arithmetic,
                           data->network_note, data->folder};
    json_t *const objects[] = {data->dataset, data->parameters, data->configuration, data->layers,
                               data->network};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(objects); i++)
        json_decref(objects[i]);
    release_search(data);
    release_test(data);
    free(data->final.epochs);
    *data = (struct report_data){0};
}
