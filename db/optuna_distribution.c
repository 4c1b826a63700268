#include "db/optuna_distribution.h"

#include "common/base.h"
#include "common/json_text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- to Optuna ---- */

/* Ends of an int may be any of 64 bits, which a double has not; those of a study of ours may
 * have been kept as a double. */
static int64_t whole_of(const json_t *number)
{
    double real = json_number_value(number);
    if (json_is_integer(number))
        return json_integer_value(number);
    return real < -9e18 ? INT64_MIN : real > 9e18 ? INT64_MAX : (int64_t)real;
}

/* The last value that steps of `step` reach from `low`; Optuna warns of any other end. */
static int64_t last_step(int64_t low, int64_t high, int64_t step)
{
    uint64_t over = ((uint64_t)high - (uint64_t)low) % (uint64_t)step;
    return (int64_t)((uint64_t)high - over);
}

static json_t *whole_range(int64_t low, int64_t high, int64_t step, bool log)
{
    return json_pack("{s:s, s:{s:b, s:I, s:I, s:I}}", "name", "IntDistribution", "attributes",
                     "log", log, "step", (json_int_t)step, "low", (json_int_t)low, "high",
                     (json_int_t)last_step(low, high, step));
}

static json_t *range_of(const json_t *parameter)
{
    const json_t *step = json_object_get(parameter, "step");
    const json_t *low = json_object_get(parameter, "low");
    const json_t *high = json_object_get(parameter, "high");
    bool log = json_is_true(json_object_get(parameter, "log"));
    double width = json_is_number(step) && !log ? json_number_value(step) : 0;
    if (strcmp(text_of(parameter, "type"), "int") == 0)
        return whole_range(whole_of(low), whole_of(high), width >= 1 ? whole_of(step) : 1, log);
    return json_pack("{s:s, s:{s:o, s:f, s:f, s:b}}", "name", "FloatDistribution", "attributes",
                     "step", width > 0 ? json_real(width) : json_null(), "low",
                     json_number_value(low), "high", json_number_value(high), "log", log);
}

/* What a parameter chooses from, NULL for a range; a new reference. */
static json_t *choices_of(const json_t *parameter)
{
    const char *type = text_of(parameter, "type");
    if (strcmp(type, "bool") == 0)
        return json_pack("[b, b]", 0, 1);
    if (strcmp(type, "categorical") == 0)
        return json_incref(json_object_get(parameter, "choices"));
    return NULL;
}

json_t *optuna_distribution(const json_t *parameter)
{
    json_t *choices = choices_of(parameter);
    json_t *distribution =
        choices ? json_pack("{s:s, s:{s:o}}", "name", "CategoricalDistribution", "attributes",
                            "choices", choices)
                : range_of(parameter);
    char *text = json_text(distribution);
    json_t *result = json_string(text);
    free(text);
    json_decref(distribution);
    return result;
}

double optuna_number(const json_t *parameter, const json_t *value)
{
    json_t *choices = choices_of(parameter), *choice;
    double number = !choices && json_is_number(value) ? json_number_value(value) : (double)NAN;
    size_t i;
    json_array_foreach(choices, i, choice) {
        if (json_equal(choice, value) && isnan(number))
            number = (double)i;
    }
    json_decref(choices);
    return number;
}

/* ---- from Optuna ---- */

/* The names that Optuna had for its distributions before version 3 mean the same. */
static const struct {
    const char *name, *type;
    bool log;
} distributions[] = {
    {"FloatDistribution", "float", false},
    {"UniformDistribution", "float", false},
    {"LogUniformDistribution", "float", true},
    {"DiscreteUniformDistribution", "float", false},
    {"IntDistribution", "int", false},
    {"IntUniformDistribution", "int", false},
    {"IntLogUniformDistribution", "int", true},
    {"CategoricalDistribution", "categorical", false},
};

static json_t *choices_parameter(const char *name, json_t *choices)
{
    size_t i;
    json_t *choice;
    bool both = json_array_size(choices) == 2 && json_is_false(json_array_get(choices, 0)) &&
                json_is_true(json_array_get(choices, 1));
    if (json_array_size(choices) == 0)
        return NULL;
    json_array_foreach(choices, i, choice) {
        if (json_is_object(choice) || json_is_array(choice))
            return NULL;
    }
    return both ? json_pack("{s:s, s:s}", "name", name, "type", "bool")
                : json_pack("{s:s, s:s, s:O}", "name", name, "type", "categorical", "choices",
                            choices);
}

static json_t *range_parameter(const char *name, const char *type, bool log,
                               const json_t *attributes)
{
    json_t *low = json_object_get(attributes, "low"), *high = json_object_get(attributes, "high");
    json_t *step = json_object_get(attributes, "step"), *q = json_object_get(attributes, "q");
    bool whole = strcmp(type, "int") == 0;
    if (!json_is_number(low) || !json_is_number(high) ||
        (whole && (!json_is_integer(low) || !json_is_integer(high))) ||
        json_number_value(low) > json_number_value(high))
        return NULL;
    json_t *parameter = json_pack("{s:s, s:s, s:O, s:O}", "name", name, "type", type, "low", low,
                                  "high", high);
    step = json_is_number(q) ? q : step;
    /* A step of 1 is what every int has. */
    if (json_is_number(step) && (!whole || json_number_value(step) != 1))
        json_object_set(parameter, "step", step);
    if (log || json_is_true(json_object_get(attributes, "log")))
        json_object_set_new(parameter, "log", json_true());
    return parameter;
}

json_t *optuna_parameter(const char *name, const char *distribution)
{
    json_t *given = distribution ? json_loads(distribution, 0, NULL) : NULL;
    const char *kind = text_of(given, "name");
    const json_t *attributes = json_object_get(given, "attributes");
    json_t *parameter = NULL;
    for (size_t i = 0; kind && i < ARRAY_LENGTH(distributions); i++) {
        if (strcmp(kind, distributions[i].name) != 0)
            continue;
        parameter = strcmp(distributions[i].type, "categorical") == 0
                        ? choices_parameter(name, json_object_get(attributes, "choices"))
                        : range_parameter(name, distributions[i].type, distributions[i].log,
                                          attributes);
    }
    json_decref(given);
    return parameter;
}

/* Neither there is the same, too. */
static bool same(const json_t *one, const json_t *other)
{
    return one == other || json_equal(one, other);
}

bool optuna_merge(json_t *known, const json_t *other)
{
    static const char *const ends[] = {"low", "high"};
    if (strcmp(text_of(known, "type"), text_of(other, "type")) != 0 ||
        !same(json_object_get(known, "choices"), json_object_get(other, "choices")))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        const json_t *old = json_object_get(known, ends[i]);
        json_t *new = json_object_get(other, ends[i]);
        double by = json_number_value(new) - json_number_value(old);
        if (i == 0 ? by < 0 : by > 0)
            json_object_set(known, ends[i], new);
    }
    if (!same(json_object_get(known, "step"), json_object_get(other, "step")))
        json_object_del(known, "step");
    return true;
}

json_t *optuna_value(const json_t *parameter, const json_t *number)
{
    const char *type = text_of(parameter, "type");
    double real = json_number_value(number);
    bool whole = json_is_number(number) && floor(real) == real && fabs(real) <= 9e15;
    if (!json_is_number(number))
        return NULL;
    if (strcmp(type, "float") == 0)
        return json_real(real);
    if (!whole)
        return NULL;
    if (strcmp(type, "int") == 0)
        return json_integer((json_int_t)real);
    if (strcmp(type, "bool") == 0)
        return real == 0 || real == 1 ? json_boolean(real == 1) : NULL;
    const json_t *choices = json_object_get(parameter, "choices");
    return real >= 0 && real < (double)json_array_size(choices)
               ? json_incref(json_array_get(choices, (size_t)real)) : NULL;
}
