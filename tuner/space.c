#include "tuner/space.h"

#include "common/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double COUNT_MAX = 9007199254740992.0; /* 2^53 */

void space_release(struct space *space)
{
    for (size_t i = 0; i < space->count; i++) {
        free(space->parameters[i].name);
        json_decref(space->parameters[i].choices);
    }
    free(space->parameters);
    *space = (struct space){NULL, 0};
}

const struct parameter *space_find(const struct space *space, const char *name)
{
    for (size_t i = 0; i < space->count; i++) {
        if (strcmp(space->parameters[i].name, name) == 0) {
            return &space->parameters[i];
        }
    }
    return NULL;
}

/* ---- Values by number ---- */

/* How many steps fit into a range.  0.3 / 0.1 is a little less than 3, so a quotient
 * that misses a whole number by no more than rounding does counts as that number. */
static double steps(const struct parameter *parameter)
{
    double quotient = (parameter->high - parameter->low) / parameter->step;
    double near = round(quotient);
    return fabs(quotient - near) <= 1e-9 * fmax(1, near) ? near : floor(quotient);
}

/* How many values a parameter has; 0: a continuous range. */
static double value_count(const struct parameter *parameter)
{
    switch (parameter->type) {
    case PARAMETER_CATEGORICAL:
        return (double)json_array_size(parameter->choices);
    case PARAMETER_BOOL:
        return 2;
    default:
        if (parameter->low == parameter->high) {
            return 1;
        }
        return parameter->step > 0 ? steps(parameter) + 1 : 0;
    }
}

/* The number that was meant: 0.3 rather than 0.30000000000000004. */
static double shortest(double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.15g", value);
    return strtod(digits, NULL);
}

static json_t *number_value(const struct parameter *parameter, double value)
{
    double within = fmin(fmax(value, parameter->low), parameter->high);
    return parameter->type == PARAMETER_INT ? json_integer((json_int_t)within) : json_real(within);
}

/* The i-th of the values of a parameter that has finitely many. */
static json_t *value_at(const struct parameter *parameter, double i)
{
    if (parameter->type == PARAMETER_CATEGORICAL) {
        return json_incref(json_array_get(parameter->choices, (size_t)i));
    }
    if (parameter->type == PARAMETER_BOOL) {
        return json_boolean(i > 0);
    }
    double value = parameter->low + i * parameter->step;
    return number_value(parameter, parameter->type == PARAMETER_INT ? value : shortest(value));
}

double space_size(const struct space *space)
{
    double size = 1;
    for (size_t i = 0; i < space->count; i++) {
        size *= value_count(&space->parameters[i]);
        if (size > COUNT_MAX) {
            size = INFINITY; /* and yet a continuous range makes it 0 */
        }
        if (isnan(size)) {
            return 0;
        }
    }
    return isinf(size) ? 0 : size;
}

json_t *space_at(const struct space *space, double i)
{
    json_t **values = xcalloc(space->count, sizeof *values);
    json_t *configuration = json_object();
    for (size_t p = space->count; p-- > 0;) {
        double count = value_count(&space->parameters[p]);
        values[p] = value_at(&space->parameters[p], fmod(i, count));
        i = floor(i / count);
    }
    for (size_t p = 0; p < space->count; p++) {
        json_object_set_new(configuration, space->parameters[p].name, values[p]);
    }
    free(values);
    return configuration;
}

/* ---- Drawing ---- */

static double draw_between(double low, double high, bool log_scale, struct rng *rng)
{
    double u = rng_double(rng);
    return log_scale ? exp(log(low) + u * (log(high) - log(low))) : low + u * (high - low);
}

/* Each value gets the stretch of the logarithm that rounds to it.  The stretch of the
 * first one ends at half of it at the latest, since the logarithm has no zero. */
static json_t *draw_log_int(const struct parameter *parameter, struct rng *rng)
{
    double last = steps(parameter);
    double half = parameter->step / 2;
    double bottom = fmax(parameter->low - half, parameter->low / 2);
    double top = parameter->low + last * parameter->step + half;
    double drawn = draw_between(bottom, top, true, rng);
    double index = round((drawn - parameter->low) / parameter->step);
    return value_at(parameter, fmin(fmax(index, 0), last));
}

static json_t *draw(const struct parameter *parameter, struct rng *rng)
{
    double count = value_count(parameter);
    if (count == 0) {
        return number_value(parameter,
                            draw_between(parameter->low, parameter->high, parameter->log, rng));
    }
    if (parameter->log && count > 1) {
        return draw_log_int(parameter, rng);
    }
    return value_at(parameter, (double)rng_below(rng, (uint64_t)count));
}

json_t *space_draw(const struct space *space, struct rng *rng)
{
    json_t *configuration = json_object();
    for (size_t i = 0; i < space->count; i++) {
        const struct parameter *parameter = &space->parameters[i];
        json_object_set_new(configuration, parameter->name, draw(parameter, rng));
    }
    return configuration;
}

/* ---- Grids ---- */

/* The ends are exactly those of the range, whatever exp() and log() make of them. */
static double continuous_at(const struct parameter *parameter, double share)
{
    if (share <= 0 || share >= 1) {
        return share <= 0 ? parameter->low : parameter->high;
    }
    if (parameter->log) {
        double low = log(parameter->low);
        return shortest(exp(low + share * (log(parameter->high) - low)));
    }
    return shortest(parameter->low + share * (parameter->high - parameter->low));
}

json_t *parameter_at(const struct parameter *parameter, double share)
{
    double count = value_count(parameter);
    return count > 0 ? value_at(parameter, round(share * (count - 1)))
                     : number_value(parameter, continuous_at(parameter, share));
}

json_t *parameter_grid(const struct parameter *parameter, int points)
{
    json_t *values = json_array();
    double count = value_count(parameter);
    for (double i = 0; i < count; i++) {
        json_array_append_new(values, value_at(parameter, i));
    }
    for (int i = 0; count == 0 && i < points; i++) {
        double share = points > 1 ? (double)i / (points - 1) : 0;
        json_array_append_new(values, parameter_at(parameter, share));
    }
    return values;
}

double parameter_grid_size(const struct parameter *parameter, int points)
{
    double count = value_count(parameter);
    return count > 0 ? count : points;
}

/* ---- For people and for the record ---- */

static const char *const type_names[] = {
    [PARAMETER_INT] = "int", [PARAMETER_FLOAT] = "float",
    [PARAMETER_CATEGORICAL] = "categorical", [PARAMETER_BOOL] = "bool",
};

static bool is_range(const struct parameter *parameter)
{
    return parameter->type == PARAMETER_INT || parameter->type == PARAMETER_FLOAT;
}

/* The step of every int is at least 1; that of 1 goes without saying. */
static bool has_step(const struct parameter *parameter)
{
    return parameter->step > (parameter->type == PARAMETER_INT ? 1 : 0);
}

char *parameter_text(const struct parameter *parameter)
{
    struct text text = TEXT_EMPTY;
    text_add(&text, type_names[parameter->type]);
    if (is_range(parameter)) {
        text_addf(&text, " %.15g to %.15g", parameter->low, parameter->high);
    }
    if (is_range(parameter) && has_step(parameter)) {
        text_addf(&text, " step %.15g", parameter->step);
    }
    if (parameter->log) {
        text_add(&text, " log");
    }
    for (size_t i = 0; i < json_array_size(parameter->choices); i++) {
        const json_t *choice = json_array_get(parameter->choices, i);
        char *dump = json_dumps(choice, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        const char *string = json_string_value(choice);
        text_addf(&text, "%s%s", i == 0 ? " " : ", ", string ? string : dump);
        free(dump);
    }
    return text_take(&text);
}

static void set_number(json_t *object, const char *key, const struct parameter *parameter,
                       double value)
{
    bool is_int = parameter->type == PARAMETER_INT;
    json_object_set_new(object, key, is_int ? json_integer((json_int_t)value) : json_real(value));
}

json_t *parameter_json(const struct parameter *parameter)
{
    json_t *object = json_pack("{s:s, s:s}", "name", parameter->name, "type",
                               type_names[parameter->type]);
    if (is_range(parameter)) {
        set_number(object, "low", parameter, parameter->low);
        set_number(object, "high", parameter, parameter->high);
        if (parameter->step > 0) {
            set_number(object, "step", parameter, parameter->step);
        }
        json_object_set_new(object, "log", json_boolean(parameter->log));
    }
    if (parameter->type == PARAMETER_CATEGORICAL) {
        json_object_set(object, "choices", parameter->choices);
    }
    return object;
}
