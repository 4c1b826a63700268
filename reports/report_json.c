#include "reports/report_json.h"

#include "common/json_text.h"
#include "reports/json_parts.h"
#include "reports/reproduce.h"

#include <stdlib.h>
#include <string.h>

/* Settings that do not apply are stored as 0. */
static json_t *setting(int value)
{
    return value > 0 ? json_integer(value) : json_null();
}

static json_t *study_json(const struct report_data *data)
{
    json_t *study = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name",
                              data->name, "file", data->file, "text", data->text, "seed",
                              data->seed, "state", data->state, "note", data->note, "void_reason",
                              data->void_reason, "metric", data->metric, "goal",
                              data->maximize ? "maximize" : "minimize", "sampler", data->sampler,
                              "scheduler", data->scheduler);
    json_object_update_new(study, json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o}",
                                            "max_epochs", setting(data->max_epochs), "eta",
                                            setting(data->eta), "started_ms",
                                            json_time(data->started_ms), "seconds",
                                            json_number(data->seconds), "trials",
                                            (json_int_t)data->trial_count, "failed",
                                            (json_int_t)data->trials_failed, "epochs",
                                            (json_int_t)data->epochs_run, "training_seconds",
                                            json_number(data->training_seconds), "versions",
                                            reproduce_versions(data), "arithmetic",
                                            reproduce_arithmetic(data)));
    json_object_update_new(study, json_pack("{s:I, s:I, s:I}", "listed",
                                            (json_int_t)data->listed_count, "places",
                                            (json_int_t)data->place_count, "segments",
                                            (json_int_t)data->segment_count));
    return study;
}

static json_t *spread_json(const struct report_data *data)
{
    json_t *spread = json_array();
    for (size_t i = 0; i < ARRAY_LENGTH(data->spread); i++)
        json_array_append_new(spread, json_number(data->spread[i]));
    return spread;
}

static json_t *classes_json(const struct report_data *data)
{
    json_t *names = json_array();
    for (int i = 0; i < data->classes; i++)
        json_array_append_new(names, json_string(data->class_names[i]));
    return names;
}

static json_t *winner_json(const struct report_data *data)
{
    return json_pack("{s:i, s:o, s:i, s:o, s:o, s:o}", "trial", data->winner, "value",
                     json_number(data->winner_value), "epochs", data->winner_epochs, "parameters",
                     json_copy_of(data->parameters), "configuration",
                     json_copy_of(data->configuration), "curve",
                     json_curve(report_winner_curve(data)));
}

static json_t *final_json(const struct report_data *data)
{
    return json_pack("{s:b, s:i, s:s, s:o, s:o}", "retrained", data->final.count > 0, "epochs",
                     data->final_epochs, "arithmetic", data->arithmetic, "seconds",
                     json_number(data->final_seconds), "curve", json_curve(&data->final));
}

static json_t *model_json(const struct report_data *data)
{
    double flops = 0.0;
    size_t index;
    json_t *layer;
    json_array_foreach(data->layers, index, layer)
        flops += json_number_value(json_object_get(layer, "flops"));
    return json_pack("{s:o, s:I, s:f}", "layers", json_copy_of(data->layers), "parameters",
                     (json_int_t)report_parameter_count(data), "flops", flops);
}

static json_t *reproduce_json(const struct report_data *data)
{
    char *command = reproduce_command(data), *report = xasprintf("tuner report %s", data->name);
    json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:o}", "command", command, "report_command",
                               report, "seed", data->seed, "versions", reproduce_versions(data),
                               "arithmetic", reproduce_arithmetic(data));
    free(command);
    free(report);
    return object;
}

static json_t *report_object(const struct report_data *data)
{
    json_t *report = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "schema_version",
                               REPORT_JSON_VERSION, "study", study_json(data), "dataset",
                               json_copy_of(data->dataset), "classes", classes_json(data),
                               "winner", winner_json(data), "final", final_json(data), "test",
                               json_test(data));
    json_object_update_new(report, json_pack("{s:o, s:o, s:o, s:o, s:o}", "images",
                                             json_images(data), "mistakes", json_mistakes(data),
                                             "samples", json_samples(data), "cells",
                                             json_cells(data), "model", model_json(data)));
    json_object_update_new(report, json_pack("{s:o, s:O, s:O, s:o, s:O, s:O, s:O, s:o, s:o}",
                                             "spread", spread_json(data),
                                             "parameters", data->space, "plan", data->plan,
                                             "trials", json_trials(data), "rungs", data->rungs,
                                             "segments", data->segments, "workers", data->workers,
                                             "faults", json_faults(data), "reproduce",
                                             reproduce_json(data)));
    return report;
}

void report_json(struct text *text, const struct report_data *data)
{
    json_t *report = report_object(data), *value;
    const char *name, *before = "{\n";
    json_object_foreach(report, name, value) {
        char *line = json_text(value);
        text_addf(text, "%s\"%s\": ", before, name);
        text_add(text, line);
        before = ",\n";
        free(line);
    }
    text_add(text, "\n}\n");
    json_decref(report);
}

/* In JSON `<` stands within strings alone, where it may be written otherwise; without it
 * nothing ends the script or begins a comment in it. */
static void add_without_tags(struct text *text, const char *json)
{
    for (const char *at = json; *at;) {
        size_t plain = strcspn(at, "<");
        text_add_bytes(text, at, plain);
        at += plain;
        if (*at == '<') {
            text_add(text, "\\u003c");
            at++;
        }
    }
}

void report_json_page(struct text *text, const struct report_data *data)
{
    json_t *report = report_object(data);
    json_object_set_new(report, "network", json_copy_of(data->network));
    json_object_set_new(report, "network_note", json_string(data->network_note));
    char *json = json_text(report);
    add_without_tags(text, json);
    free(json);
    json_decref(report);
}
