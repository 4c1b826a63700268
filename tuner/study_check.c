/* Checks that need the whole study: names, and configurations at the edges. */
#include "tuner/study_parts.h"

#include "common/text.h"
#include "tuner/template.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASSES_SUPPOSED = 10, /* before the data has been seen */
    EDGES_MAX = 500        /* bounds the time that a strange file can take */
};

/* ---- Names ---- */

struct usage {
    const struct study *study;
    bool *used; /* of each parameter */
};

static int fail_undefined(const struct study *study, const char *name, const struct yaml *place,
                          struct failure *why)
{
    const struct space *space = &study->space;
    const char **names = xcalloc(space->count, sizeof *names);
    for (size_t i = 0; i < space->count; i++) {
        names[i] = space->parameters[i].name;
    }
    const char *near = nearest_word(name, names, space->count);
    if (near) {
        yaml_fail(study->file, place, why, "there is no parameter `%.60s`; did you mean `$%s`?",
                  name, near);
    } else {
        yaml_fail(study->file, place, why,
                  "there is no parameter `%.60s`; declare it under `parameters`", name);
    }
    free(names);
    return -1;
}

static int use_name(void *context, const char *name, const struct yaml *place, struct failure *why)
{
    struct usage *usage = context;
    const struct space *space = &usage->study->space;
    const struct parameter *parameter = space_find(space, name);
    if (!parameter) {
        return fail_undefined(usage->study, name, place, why);
    }
    usage->used[parameter - space->parameters] = true;
    return 0;
}

static int check_all_used(const struct study *study, const bool *used, struct failure *why)
{
    for (size_t i = 0; i < study->space.count; i++) {
        const struct parameter *parameter = &study->space.parameters[i];
        if (!used[i]) {
            struct yaml place = {.line = parameter->line, .column = parameter->column};
            return yaml_fail(study->file, &place, why,
                             "parameter `%s` is not used; write `$%s` in `model` or `training`, or "
                             "remove it",
                             parameter->name, parameter->name);
        }
    }
    return 0;
}

int study_check_names(const struct study *study, struct failure *why)
{
    struct usage usage = {study, xcalloc(study->space.count, sizeof *usage.used)};
    int status = -1;
    if (study->outside) { /* whoever asks uses them */
        free(usage.used);
        return 0;
    }
    if (template_names(study->file, yaml_get(study->document, "model"), use_name, &usage,
                       why) == 0 &&
        template_names(study->file, yaml_get(study->document, "training"), use_name, &usage,
                       why) == 0) {
        status = check_all_used(study, usage.used, why);
    }
    free(usage.used);
    return status;
}

/* ---- Edges ---- */

/* Every parameter at the same share of its range: 0 the lows, 1 the highs. */
static json_t *configuration_at(const struct space *space, double share)
{
    json_t *values = json_object();
    for (size_t i = 0; i < space->count; i++) {
        const struct parameter *parameter = &space->parameters[i];
        json_object_set_new(values, parameter->name, parameter_at(parameter, share));
    }
    return values;
}

/* Tries one configuration; takes over `values`. */
static int check_values(const struct study *study, json_t *values, struct failure *why)
{
    json_t *configuration = study_configure(study, values, CLASSES_SUPPOSED, why);
    int status = configuration ? 0 : -1;
    json_decref(configuration);
    json_decref(values);
    return status;
}

/* One parameter through its choices, or at both ends, the others in their middle. */
static int check_parameter(const struct study *study, const struct parameter *parameter,
                           int *left, struct failure *why)
{
    size_t choices = json_array_size(parameter->choices);
    size_t count = choices > 0 ? choices : 2;
    for (size_t i = 0; i < count && *left > 0; i++, (*left)--) {
        double share = count > 1 ? (double)i / (double)(count - 1) : 0;
        json_t *values = configuration_at(&study->space, 0.5);
        json_object_set_new(values, parameter->name, parameter_at(parameter, share));
        if (check_values(study, values, why) != 0) {
            return -1;
        }
    }
    return 0;
}

int study_check_edges(const struct study *study, struct failure *why)
{
    static const double shares[] = {0, 1, 0.5};
    int left = EDGES_MAX;
    for (size_t i = 0; i < ARRAY_LENGTH(shares); i++) {
        if (check_values(study, configuration_at(&study->space, shares[i]), why) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < study->space.count; i++) {
        if (check_parameter(study, &study->space.parameters[i], &left, why) != 0) {
            return -1;
        }
    }
    return 0;
}
