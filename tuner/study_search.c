/* The key `search` of a study file, and which of its settings go together. */
#include "tuner/study_parts.h"

#include "tuner/field.h"

#include <stdlib.h>

enum {
    TRIALS_MAX = 1000000,
    POINTS_MAX = 100000,
    POINTS_DEFAULT = 3,
    EPOCHS_MAX = 100000,
    ETA_MAX = 1000,
    ETA_DEFAULT = 3,
    RETRIES_MAX = 100,
    RETRIES_DEFAULT = 1,
    LOG_MEGABYTES_DEFAULT = 64
};

static const double SECONDS_MAX = 1e6;
static const double SECONDS_DEFAULT = 600;

/* ---- Settings ---- */

static int read_kinds(struct study *study, const struct yaml *search, struct failure *why)
{
    static const char *const samplers[] = {"random", "grid"};
    static const char *const schedulers[] = {"full", "hyperband"};
    const struct yaml *sampler = yaml_get(search, "sampler");
    const struct yaml *scheduler = yaml_get(search, "scheduler");
    int kind = SAMPLER_RANDOM;
    if (sampler && field_word(study->file, sampler, "sampler", samplers, 2, &kind, why) != 0) {
        return -1;
    }
    study->sampler = (enum sampler_type)kind;
    kind = SCHEDULER_FULL;
    if (scheduler &&
        field_word(study->file, scheduler, "scheduler", schedulers, 2, &kind, why) != 0) {
        return -1;
    }
    study->scheduler = (enum scheduler_type)kind;
    return 0;
}

static int read_numbers(struct study *study, const struct yaml *search, struct failure *why)
{
    const char *file = study->file;
    if (field_optional_int(file, search, "trials", 1, TRIALS_MAX, &study->trials, why) != 0 ||
        field_optional_int(file, search, "points", 1, POINTS_MAX, &study->points, why) != 0 ||
        field_optional_int(file, search, "max_epochs", 1, EPOCHS_MAX, &study->max_epochs,
                           why) != 0) {
        return -1;
    }
    return field_optional_int(file, search, "eta", 2, ETA_MAX, &study->eta, why);
}

/* A duration above 0; `most` keeps it within what timers hold. */
static int read_duration(const char *file, const struct yaml *limits, const char *name, double most,
                         double *value, struct failure *why)
{
    const struct yaml *node = yaml_get(limits, name);
    if (!node) {
        return 0;
    }
    if (field_number(file, node, name, value, why) != 0) {
        return -1;
    }
    if (*value > 0 && *value <= most) {
        return 0;
    }
    char *demand = xasprintf("above 0 and at most %.0f", most);
    field_fail(file, node, name, demand, why);
    free(demand);
    return -1;
}

static int read_worker_limits(struct study *study, const struct yaml *limits, struct failure *why)
{
    const char *file = study->file;
    struct limits *worker = &study->worker_limits;
    if (field_optional_int(file, limits, "memory_megabytes", 1, LIMIT_MEGABYTES_MOST,
                           &worker->memory_mb, why) != 0 ||
        field_optional_int(file, limits, "log_megabytes", 1, LIMIT_MEGABYTES_MOST,
                           &worker->log_mb, why) != 0) {
        return -1;
    }
    return field_optional_int(file, limits, "nice", 0, LIMIT_NICE_MOST, &worker->nice, why);
}

static int read_limits(struct study *study, const struct yaml *limits, struct failure *why)
{
    static const char *const keys[] = {"epochs",        "minutes",          "retries",
                                       "failures",      "epoch_seconds",    "memory_megabytes",
                                       "log_megabytes", "nice"};
    const char *file = study->file;
    if (!limits) {
        return 0;
    }
    if (field_map(file, limits, "limits", "{minutes: 60}", why) != 0 ||
        field_check_keys(file, limits, "`limits`", keys, ARRAY_LENGTH(keys), why) != 0 ||
        field_optional_int(file, limits, "epochs", 1, INT32_MAX, &study->limit_epochs, why) != 0 ||
        field_optional_int(file, limits, "retries", 0, RETRIES_MAX, &study->retries, why) != 0 ||
        field_optional_int(file, limits, "failures", 1, TRIALS_MAX, &study->limit_failures,
                           why) != 0 ||
        read_duration(file, limits, "minutes", SECONDS_MAX, &study->limit_minutes, why) != 0 ||
        read_worker_limits(study, limits, why) != 0) {
        return -1;
    }
    return read_duration(file, limits, "epoch_seconds", SECONDS_MAX, &study->epoch_seconds, why);
}

/* ---- What goes together ---- */

/* Where to complain about `search`, which may be absent. */
static const struct yaml *search_place(const struct study *study)
{
    const struct yaml *search = yaml_get(study->document, "search");
    return search ? search : study->document;
}

/* Refuses a key that means nothing with the other settings. */
static int refuse_key(const struct study *study, const char *key, const char *reason,
                      struct failure *why)
{
    const struct yaml *search = yaml_get(study->document, "search");
    const struct yaml *node = search ? yaml_get(search, key) : NULL;
    return node ? yaml_fail(study->file, node, why, "`%s` %s", key, reason) : 0;
}

static int check_hyperband(struct study *study, const struct yaml *epochs, struct failure *why)
{
    if (refuse_key(study, "trials",
                   "does not go with hyperband, whose brackets say how many trials there are; "
                   "remove it",
                   why) != 0) {
        return -1;
    }
    if (study->max_epochs == 0) {
        return yaml_fail(study->file, search_place(study), why,
                         "hyperband needs `max_epochs`, the most epochs for one configuration");
    }
    if (epochs) {
        return yaml_fail(study->file, epochs, why,
                         "`epochs` does not go with hyperband, which gives each trial its epochs; "
                         "remove it");
    }
    study->eta = study->eta > 0 ? study->eta : ETA_DEFAULT;
    return 0;
}

static int check_full(struct study *study, const struct yaml *epochs, struct failure *why)
{
    if (refuse_key(study, "eta", "goes with hyperband only; remove it", why) != 0) {
        return -1;
    }
    if (study->sampler == SAMPLER_RANDOM && study->trials == 0) {
        return yaml_fail(study->file, search_place(study), why,
                         "a random search needs `trials`, the number of configurations, under "
                         "`search`");
    }
    if (epochs && study->max_epochs > 0) {
        return yaml_fail(study->file, epochs, why,
                         "the epochs of a trial are given twice; remove either `epochs` in "
                         "`training` or `max_epochs` in `search`");
    }
    if (study->outside && study->max_epochs == 0) {
        study->max_epochs = 1;
    }
    if (!epochs && study->max_epochs == 0) {
        return yaml_fail(study->file, search_place(study), why,
                         "a trial needs a number of epochs; give `max_epochs` in `search` or "
                         "`epochs` in `training`");
    }
    return 0;
}

/* The plan numbers trials by int and the sampler holds a grid's axes in memory. */
static int check_grid(struct study *study, struct failure *why)
{
    if (study->sampler != SAMPLER_GRID) {
        return refuse_key(study, "points", "goes with the sampler grid only; remove it", why);
    }
    study->points = study->points > 0 ? study->points : POINTS_DEFAULT;
    double size = 1;
    for (size_t i = 0; i < study->space.count; i++) {
        size *= parameter_grid_size(&study->space.parameters[i], study->points);
    }
    return size <= TRIALS_MAX
               ? 0
               : yaml_fail(study->file, search_place(study), why,
                           "the grid has %.15g points, more than %d; give larger steps or fewer "
                           "`points`",
                           size, TRIALS_MAX);
}

int study_read_search(struct study *study, struct failure *why)
{
    static const char *const keys[] = {"sampler", "scheduler", "max_epochs", "eta",
                                       "trials",  "points",    "limits"};
    const struct yaml *search = yaml_get(study->document, "search");
    const struct yaml *training = yaml_get(study->document, "training"); /* NULL: outside */
    const struct yaml *epochs = training ? yaml_get(training, "epochs") : NULL;
    study->retries = RETRIES_DEFAULT;
    study->epoch_seconds = SECONDS_DEFAULT;
    study->worker_limits.log_mb = LOG_MEGABYTES_DEFAULT;
    if (search &&
        (field_map(study->file, search, "search", "{trials: 20, max_epochs: 5}", why) != 0 ||
         field_check_keys(study->file, search, "`search`", keys, ARRAY_LENGTH(keys), why) != 0 ||
         read_kinds(study, search, why) != 0 || read_numbers(study, search, why) != 0 ||
         read_limits(study, yaml_get(search, "limits"), why) != 0)) {
        return -1;
    }
    int failed = study->scheduler == SCHEDULER_HYPERBAND ? check_hyperband(study, epochs, why)
                                                         : check_full(study, epochs, why);
    return failed ? -1 : check_grid(study, why);
}
