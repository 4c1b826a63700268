#include "tuner/engine.h"

#include <stdlib.h>

json_t *plan_json(const struct plan *plan)
{
    json_t *rungs = json_array();
    int b, r;
    for (b = 0; b < plan->bracket_count; b++) {
        for (r = 0; r < plan->brackets[b].rung_count; r++) {
            const struct rung_plan *rung = &plan->brackets[b].rungs[r];
            json_array_append_new(rungs, json_pack("{s:i, s:i, s:i, s:i, s:i}", "bracket",
                                                   plan->brackets[b].number, "rung", r, "places",
                                                   rung->places, "keep", rung->keep, "epochs",
                                                   rung->epochs));
        }
    }
    return rungs;
}

static json_t *parameters_json(const struct space *space)
{
    json_t *parameters = json_array();
    size_t i;
    for (i = 0; i < space->count; i++)
        json_array_append_new(parameters, parameter_json(&space->parameters[i]));
    return parameters;
}

int record_study(struct run *run, int64_t extends, struct failure *why)
{
    const struct study *study = run->study;
    char *fingerprint = json_dumps(study->fingerprint, JSON_COMPACT);
    json_t *parameters = parameters_json(&study->space), *none = json_array();
    struct study_record record = {
        .name = study->name, .file = study->file, .text = study->text, .fingerprint = fingerprint,
        .seed = study->seed, .metric = study->metric, .maximize = study->maximize,
        .sampler = study->sampler == SAMPLER_GRID ? "grid" : "random",
        .scheduler = study->scheduler == SCHEDULER_HYPERBAND ? "hyperband" : "full",
        .max_epochs = study->max_epochs, .eta = study->eta, .data = "{}",
        .extends = extends, .parameters = parameters, .plan = none};
    int result = store_add_study(run->daemon->store, &record, &run->id, why);
    json_decref(parameters);
    json_decref(none);
    free(fingerprint);
    return result;
}

int record_data(struct run *run)
{
    struct daemon *daemon = run->daemon;
    json_t *data_object = json_copy(run->prepared.shape);
    char *data;
    int result;
    if (data_object == NULL) /* of an outside program nothing is known */
        data_object = json_object();
    json_object_set(data_object, "dataset", json_object_get(run->prepared.data, "dataset"));
    data = json_dumps(data_object, JSON_COMPACT);
    result = store_set_study_data(daemon->store, run->id, data, run->prepared.precision,
                                  &daemon->broken);
    json_decref(data_object);
    free(data);
    return result;
}
