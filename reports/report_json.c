#include "reports/report_json.h"

#include "common/base.h"

#include <math.h>
#include <stdlib.h>

/* JSON has no word for what is not finite. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Text from outside may be no UTF-8, which JSON cannot hold. */
static json_t *string(const char *value)
{
    json_t *made = json_string(value);
    return made ? made : json_string("(not UTF-8)");
}

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void set_copy(json_t *object, const char *key, const json_t *value)
{
    json_object_set_new(object, key, value ? json_deep_copy(value) : json_null());
}

/* Settings that do not apply are stored as 0. */
static json_t *setting(int value)
{
    return value > 0 ? json_integer(value) : json_null();
}

static json_t *study_json(const struct report_data *data)
{
    json_t *objective = json_object();
    set(objective, "metric", string(data->metric));
    set(objective, "goal", string(data->maximize ? "maximize" : "minimize"));

    json_t *study = json_object();
    set(study, "name", string(data->name));
    set(study, "file", string(data->file));
    set(study, "text", string(data->text));
    set(study, "seed", string(data->seed));
    set(study, "state", string(data->state));
    set(study, "objective", objective);
    set(study, "sampler", string(data->sampler));
    set(study, "scheduler", string(data->scheduler));
    set(study, "max_epochs", setting(data->max_epochs));
    set(study, "eta", setting(data->eta));
    set_copy(study, "data", data->dataset);
    set(study, "started_ms", data->started_ms > 0 ? json_integer(data->started_ms) : json_null());
    set(study, "seconds", number(data->seconds));
    set(study, "trials", json_integer((json_int_t)data->trial_count));
    set(study, "epochs", json_integer(data->epochs_run));
    set(study, "note", string(data->note));
    set(study, "void_reason", string(data->void_reason));
    return study;
}

static json_t *winner_json(const struct report_data *data)
{
    json_t *winner = json_object();
    set(winner, "trial", json_integer(data->winner));
    set(winner, "epochs", json_integer(data->winner_epochs));
    set(winner, "value", number(data->winner_value));
    set(winner, "final_epochs", json_integer(data->final_epochs));
    set(winner, "arithmetic", string(data->arithmetic));
    set_copy(winner, "configuration", data->configuration);
    return winner;
}

static json_t *accuracy_json(const struct metrics *metrics)
{
    double low, high;
    wilson_interval(metrics->correct, metrics->total, &low, &high);
    json_t *accuracy = json_object();
    set(accuracy, "value", number(metrics->accuracy));
    set(accuracy, "low", number(low));
    set(accuracy, "high", number(high));
    set(accuracy, "confidence", json_real(0.95));
    set(accuracy, "correct", json_integer(metrics->correct));
    set(accuracy, "images", json_integer(metrics->total));
    return accuracy;
}

static json_t *scores_json(const struct class_metrics *scores)
{
    json_t *object = json_object();
    set(object, "precision", number(scores->precision));
    set(object, "recall", number(scores->recall));
    set(object, "f1", number(scores->f1));
    set(object, "support", json_integer(scores->support));
    return object;
}

static json_t *classes_json(const struct report_data *data)
{
    json_t *classes = json_array();
    for (int i = 0; i < data->classes; i++) {
        json_t *one = json_object();
        set(one, "name", string(data->class_names[i]));
        json_t *scores = scores_json(&data->metrics.per_class[i]);
        json_object_update(one, scores);
        json_decref(scores);
        set(one, "predicted", json_integer(data->metrics.per_class[i].predicted));
        json_array_append_new(classes, one);
    }
    return classes;
}

static json_t *averages_json(const struct metrics *metrics)
{
    json_t *averages = json_object();
    set(averages, "macro", scores_json(&metrics->macro));
    set(averages, "weighted", scores_json(&metrics->weighted));
    return averages;
}

static json_t *confusion_json(const struct confusion *confusion)
{
    json_t *rows = json_array();
    for (int label = 0; label < confusion->classes; label++) {
        json_t *row = json_array();
        for (int predicted = 0; predicted < confusion->classes; predicted++)
            json_array_append_new(row, json_integer(confusion_at(confusion, label, predicted)));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *curve_json(const struct report_curve *curve)
{
    json_t *epochs = json_array();
    for (size_t i = 0; i < curve->count; i++) {
        const struct report_epoch *epoch = &curve->epochs[i];
        json_t *one = json_object();
        set(one, "epoch", json_integer(epoch->epoch));
        set(one, "train_loss", number(epoch->train_loss));
        set(one, "train_accuracy", number(epoch->train_accuracy));
        set(one, "val_loss", number(epoch->val_loss));
        set(one, "val_accuracy", number(epoch->val_accuracy));
        json_array_append_new(epochs, one);
    }
    return epochs;
}

static json_t *curves_json(const struct report_data *data)
{
    json_t *curves = json_object();
    set(curves, "search", curve_json(&data->search));
    set(curves, "final", curve_json(&data->final));
    return curves;
}

static json_t *trials_json(const struct report_data *data)
{
    json_t *trials = json_array();
    for (size_t i = 0; i < data->trial_count; i++) {
        const struct report_trial *trial = &data->trials[i];
        json_t *one = json_object();
        set(one, "trial", json_integer(trial->number));
        set(one, "bracket", json_integer(trial->bracket));
        set(one, "state", string(trial->state));
        set(one, "reason", string(trial->reason));
        set(one, "epochs", json_integer(trial->epochs));
        set(one, "value", number(trial->value));
        set(one, "arithmetic", string(trial->arithmetic));
        set_copy(one, "parameters", trial->parameters);
        set(one, "winner", json_boolean(trial->number == data->winner));
        json_array_append_new(trials, one);
    }
    return trials;
}

static json_t *faults_json(const struct report_data *data)
{
    json_t *faults = json_array();
    for (size_t i = 0; i < data->fault_count; i++) {
        const struct report_fault *fault = &data->faults[i];
        json_t *one = json_object();
        set(one, "trial", fault->trial < 0 ? json_null() : json_integer(fault->trial));
        set(one, "attempt", json_integer(fault->attempt));
        set(one, "kind", string(fault->kind));
        set(one, "reason", string(fault->reason));
        set(one, "action", string(fault->action));
        json_array_append_new(faults, one);
    }
    return faults;
}

void report_json(struct text *text, const struct report_data *data)
{
    json_t *report = json_object();
    set(report, "schema_version", json_integer(REPORT_JSON_VERSION));
    set(report, "study", study_json(data));
    set(report, "winner", winner_json(data));
    set_copy(report, "parameters", data->parameters);
    set(report, "accuracy", accuracy_json(&data->metrics));
    set(report, "test_loss", number(data->test_loss));
    set(report, "classes", classes_json(data));
    set(report, "averages", averages_json(&data->metrics));
    set(report, "confusion", confusion_json(&data->confusion));
    set(report, "curves", curves_json(data));
    set_copy(report, "layers", data->layers);
    set(report, "trials", trials_json(data));
    set(report, "faults", faults_json(data));
    char *dumped = json_dumps(report, JSON_INDENT(2));
    text_add(text, dumped);
    text_add_char(text, '\n');
    free(dumped);
    json_decref(report);
}
