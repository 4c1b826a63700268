#include "tuner/engine.h"

#include <stdlib.h>

enum { NAMES_TRIED = 10000 };

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

static json_t *data_json(const struct tuner *tuner)
{
    json_t *data = json_copy(tuner->prepared.shape);
    json_object_set(data, "dataset", json_object_get(tuner->prepared.data, "dataset"));
    return data;
}

static int add_study(struct tuner *tuner, struct failure *why)
{
    const struct study *study = tuner->study;
    json_t *data_object = data_json(tuner);
    char *fingerprint = json_dumps(study->fingerprint, JSON_COMPACT);
    char *data = json_dumps(data_object, JSON_COMPACT);
    json_t *parameters = parameters_json(&study->space), *plan = plan_json(&tuner->plan);
    struct study_record record = {
        .name = study->name, .file = study->file, .text = study->text, .fingerprint = fingerprint,
        .seed = study->seed, .metric = study->metric, .maximize = study->maximize,
        .sampler = study->sampler == SAMPLER_GRID ? "grid" : "random",
        .scheduler = study->scheduler == SCHEDULER_HYPERBAND ? "hyperband" : "full",
        .max_epochs = study->max_epochs, .eta = study->eta, .data = data,
        .precision = tuner->prepared.precision, .parameters = parameters, .plan = plan};
    int failed = store_begin(tuner->store, why) != 0 ||
                 store_add_study(tuner->store, &record, &tuner->id, why) != 0 ||
                 store_commit(tuner->store, why) != 0;
    if (failed)
        store_rollback(tuner->store);
    json_decref(parameters);
    json_decref(plan);
    json_decref(data_object);
    free(fingerprint);
    free(data);
    return failed ? -1 : 0;
}

/* The first free name: mnist_2, mnist_3... */
static int rename_fresh(struct tuner *tuner, struct failure *why)
{
    char *base = xstrdup(tuner->study->name);
    int number;
    int64_t found = 1;
    for (number = 1; found > 0 && number <= NAMES_TRIED; number++) {
        free(tuner->study->name);
        tuner->study->name = number == 1 ? xstrdup(base) : xasprintf("%s_%d", base, number);
        found = store_find_study(tuner->store, tuner->study->name, why);
    }
    if (found > 0)
        fail(why, "%s and %s_2 to %s_%d are all taken; give the study another name with --name",
             base, base, base, NAMES_TRIED);
    free(base);
    return found == 0 ? 0 : -1;
}

int find_study(struct tuner *tuner, struct failure *why)
{
    if (tuner->options->fresh && rename_fresh(tuner, why) != 0)
        return -1;
    tuner->id = store_find_study(tuner->store, tuner->study->name, why);
    if (tuner->id < 0)
        return -1;
    if (tuner->id == 0)
        return add_study(tuner, why);
    if (replay(tuner, why) != 0)
        return -1;
    if (!tuner->finished)
        sweep_checkpoints(tuner);
    return 0;
}
