#include "reports/json_parts.h"

#include <math.h>

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_time(int64_t wall_ms)
{
    return wall_ms != 0 ? json_integer(wall_ms) : json_null();
}

json_t *json_copy_of(const json_t *value)
{
    return value ? json_deep_copy(value) : json_null();
}

static json_t *positive(int value)
{
    return value > 0 ? json_integer(value) : json_null();
}

/* Number i is that of epoch i + 1, whatever epochs there are. */
static void put_epoch(json_t *list, const struct report_epoch *epoch, double value)
{
    while (json_array_size(list) + 1 < (size_t)epoch->epoch)
        json_array_append_new(list, json_null());
    json_array_append_new(list, json_number(value));
}

json_t *json_curve(const struct report_curve *curve)
{
    json_t *train_loss = json_array(), *train_accuracy = json_array();
    json_t *val_loss = json_array(), *val_accuracy = json_array();
    for (size_t i = 0; i < curve->count; i++) {
        const struct report_epoch *epoch = &curve->epochs[i];
        put_epoch(train_loss, epoch, epoch->train_loss);
        put_epoch(train_accuracy, epoch, epoch->train_accuracy);
        put_epoch(val_loss, epoch, epoch->val_loss);
        put_epoch(val_accuracy, epoch, epoch->val_accuracy);
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "train_loss", train_loss, "train_accuracy",
                     train_accuracy, "val_loss", val_loss, "val_accuracy", val_accuracy);
}

static json_t *trial_json(const struct report_trial *trial)
{
    json_t *one = json_pack("{s:i, s:i, s:s, s:o, s:o, s:i, s:o, s:o}", "trial", trial->number,
                            "bracket", trial->bracket, "state", trial->state, "rank",
                            positive(trial->rank), "value", json_number(trial->value), "epochs",
                            trial->epochs, "early_end", positive(trial->early_end), "parameters",
                            json_copy_of(trial->parameters));
    json_object_update_new(one, json_pack("{s:o, s:o, s:o, s:s, s:s, s:o}", "seconds",
                                          json_number(trial->seconds), "started_ms",
                                          json_time(trial->started_ms), "ended_ms",
                                          json_time(trial->ended_ms), "reason", trial->reason,
                                          "arithmetic", trial->arithmetic, "curve",
                                          json_curve(&trial->curve)));
    return one;
}

json_t *json_trials(const struct report_data *data)
{
    json_t *trials = json_array();
    for (size_t i = 0; i < data->listed_count; i++)
        json_array_append_new(trials, trial_json(&data->trials[i]));
    return trials;
}

json_t *json_faults(const struct report_data *data)
{
    json_t *faults = json_array();
    for (size_t i = 0; i < data->fault_count; i++) {
        const struct report_fault *fault = &data->faults[i];
        json_array_append_new(faults, json_pack(
            "{s:o, s:o, s:o, s:s, s:s, s:s, s:o}", "trial",
            fault->trial < 0 ? json_null() : json_integer(fault->trial), "attempt",
            positive(fault->attempt), "worker", positive(fault->worker), "kind", fault->kind,
            "reason", fault->reason, "action", fault->action, "recorded_ms",
            json_time(fault->recorded_ms)));
    }
    return faults;
}
