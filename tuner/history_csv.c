#include "tuner/history.h"

#include "tuner/csv.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a file that history_write_csv() made begins with. */
static const char *const own_columns[] = {"trial", "state", "bracket", "epochs", "value", "rank"};
enum { OWN_TRIAL, OWN_STATE, OWN_COLUMNS = ARRAY_LENGTH(own_columns) };

struct sheet {
    const char *path;
    struct csv csv;
    size_t value;  /* the column with the values */
    bool own;      /* the first six columns are ours */
    struct failure *why;
};

static const char *cell_of(const struct sheet *sheet, size_t row, size_t column)
{
    return sheet->csv.cells[row * sheet->csv.columns + column];
}

static bool is_parameter(const struct sheet *sheet, size_t column)
{
    return column != sheet->value && (!sheet->own || column >= OWN_COLUMNS);
}

/* ---- cells ---- */

static bool read_integer(const char *cell, json_int_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(cell, &end, 10);
    return end != cell && *end == '\0' && errno == 0;
}

static bool read_real(const char *cell, double *number)
{
    char *end;
    *number = strtod(cell, &end);
    return end != cell && *end == '\0' && isfinite(*number);
}

static bool read_bool(const char *cell, bool *value)
{
    *value = strcasecmp(cell, "true") == 0;
    return *value || strcasecmp(cell, "false") == 0;
}

/* ---- parameters ---- */

/* The narrowest type that fits every cell of a column; a cell without anything is none. */
static const char *type_of(const struct sheet *sheet, size_t column)
{
    bool ints = true, reals = true, bools = true;
    for (size_t row = 0; row < sheet->csv.rows; row++) {
        const char *cell = cell_of(sheet, row, column);
        json_int_t integer;
        double real;
        bool truth;
        if (*cell == '\0')
            continue;
        ints = ints && read_integer(cell, &integer);
        reals = reals && read_real(cell, &real);
        bools = bools && read_bool(cell, &truth);
    }
    return bools ? "bool" : ints ? "int" : reals ? "float" : "categorical";
}

static bool is_empty(const struct sheet *sheet, size_t column)
{
    for (size_t row = 0; row < sheet->csv.rows; row++) {
        if (*cell_of(sheet, row, column))
            return false;
    }
    return true;
}

static json_t *value_of(const char *type, const char *cell)
{
    json_int_t integer = 0;
    double real = 0;
    bool truth = false;
    switch (*type) {
    case 'b':
        read_bool(cell, &truth);
        return json_boolean(truth);
    case 'i':
        read_integer(cell, &integer);
        return json_integer(integer);
    case 'f':
        read_real(cell, &real);
        return json_real(real);
    default:
        return json_string(cell);
    }
}

/* The range, or the choices in the order in which they come. */
static void add_range(const struct sheet *sheet, size_t column, json_t *parameter)
{
    const char *type = json_string_value(json_object_get(parameter, "type"));
    json_t *seen = json_object(), *choices = json_array();
    for (size_t row = 0; row < sheet->csv.rows; row++) {
        const char *cell = cell_of(sheet, row, column);
        if (*cell == '\0')
            continue;
        json_t *value = value_of(type, cell);
        double number = json_number_value(value);
        const json_t *low = json_object_get(parameter, "low");
        const json_t *high = json_object_get(parameter, "high");
        if (json_is_string(value) && !json_object_get(seen, cell)) {
            json_object_set(seen, cell, value);
            json_array_append(choices, value);
        }
        if (json_is_number(value) && (!low || number < json_number_value(low)))
            json_object_set(parameter, "low", value);
        if (json_is_number(value) && (!high || number > json_number_value(high)))
            json_object_set(parameter, "high", value);
        json_decref(value);
    }
    if (json_array_size(choices) > 0)
        json_object_set(parameter, "choices", choices);
    json_decref(seen);
    json_decref(choices);
}

static int check_name(const struct sheet *sheet, size_t column)
{
    const char *name = sheet->csv.names[column];
    if (*name == '\0')
        return fail_input(sheet->why, "%s:1: column %zu has no name", sheet->path, column + 1);
    for (size_t i = 0; i < column; i++) {
        if (is_parameter(sheet, i) && strcasecmp(sheet->csv.names[i], name) == 0)
            return fail_input(sheet->why, "%s:1: two columns are named %s", sheet->path, name);
    }
    return 0;
}

static int read_parameters(const struct sheet *sheet, json_t *parameters)
{
    for (size_t i = 0; i < sheet->csv.columns; i++) {
        if (!is_parameter(sheet, i))
            continue;
        if (check_name(sheet, i) < 0)
            return -1;
        if (is_empty(sheet, i))
            return fail_input(sheet->why, "%s: the column %s is empty; leave it out", sheet->path,
                              sheet->csv.names[i]);
        json_t *parameter = json_pack("{s:s, s:s}", "name", sheet->csv.names[i], "type",
                                      type_of(sheet, i));
        add_range(sheet, i, parameter);
        json_array_append_new(parameters, parameter);
    }
    return 0;
}

/* ---- trials ---- */

static json_t *trial_parameters(const struct sheet *sheet, size_t row, const json_t *parameters)
{
    json_t *values = json_object();
    size_t at = 0;
    for (size_t i = 0; i < sheet->csv.columns; i++) {
        if (!is_parameter(sheet, i))
            continue;
        const json_t *parameter = json_array_get(parameters, at++);
        const char *cell = cell_of(sheet, row, i);
        if (*cell)
            json_object_set_new(
                values, sheet->csv.names[i],
                value_of(json_string_value(json_object_get(parameter, "type")), cell));
    }
    return values;
}

/* A trial without a value, or with one that is no number, has failed. */
static const char *state_of(const struct sheet *sheet, size_t row, bool valued)
{
    const char *own = sheet->own ? cell_of(sheet, row, OWN_STATE) : "";
    if (strcmp(own, "stopped") == 0 || strcmp(own, "failed") == 0)
        return own;
    return valued ? "completed" : "failed";
}

static int read_trial(const struct sheet *sheet, size_t row, const json_t *parameters,
                      json_t *trials)
{
    static const char *const without[] = {"", "nan", "inf", "-inf", "null", "none"};
    const char *cell = cell_of(sheet, row, sheet->value);
    json_int_t number = (json_int_t)row;
    double value = 0;
    bool valued = read_real(cell, &value), known = valued;
    for (size_t i = 0; i < ARRAY_LENGTH(without); i++)
        known = known || strcasecmp(cell, without[i]) == 0;
    if (!known)
        return fail_input(sheet->why, "%s: trial %zu: the value '%.40s' is no number", sheet->path,
                          row, cell);
    if (sheet->own && (!read_integer(cell_of(sheet, row, OWN_TRIAL), &number) || number < 0 ||
                       number > INT_MAX))
        return fail_input(sheet->why, "%s: line of trial %zu: '%.40s' is no number of a trial",
                          sheet->path, row, cell_of(sheet, row, OWN_TRIAL));
    const char *state = state_of(sheet, row, valued);
    json_t *trial = json_pack("{s:I, s:s, s:o, s:o}", "trial", number, "state", state, "value",
                              valued ? json_real(value) : json_null(), "parameters",
                              trial_parameters(sheet, row, parameters));
    if (strcmp(state, "failed") == 0)
        json_object_set_new(trial, "error", json_string("without a value where it was made"));
    json_array_append_new(trials, trial);
    return 0;
}

static int compare_trials(const void *one, const void *other)
{
    json_int_t a = json_integer_value(json_object_get(*(json_t *const *)one, "trial"));
    json_int_t b = json_integer_value(json_object_get(*(json_t *const *)other, "trial"));
    return (a > b) - (a < b);
}

/* Two lines may not be of the same trial. */
static int check_numbers(const struct sheet *sheet, const json_t *trials)
{
    size_t count = json_array_size(trials), i;
    const json_t **sorted = xcalloc(count, sizeof *sorted);
    json_t *trial;
    int result = 0;
    json_array_foreach(trials, i, trial)
        sorted[i] = trial;
    qsort(sorted, count, sizeof *sorted, compare_trials);
    for (i = 1; i < count && result == 0; i++) {
        if (compare_trials(&sorted[i - 1], &sorted[i]) == 0)
            result = fail_input(sheet->why, "%s: there are two lines of trial %lld", sheet->path,
                                (long long)json_integer_value(json_object_get(sorted[i],
                                                                              "trial")));
    }
    free(sorted);
    return result;
}

/* ---- the file ---- */

static bool is_own(const struct csv *csv)
{
    for (size_t i = 0; i < OWN_COLUMNS; i++) {
        if (i >= csv->columns || strcmp(csv->names[i], own_columns[i]) != 0)
            return false;
    }
    return true;
}

static int find_value(struct sheet *sheet, const char *column)
{
    for (size_t i = 0; i < sheet->csv.columns; i++) {
        if (strcmp(sheet->csv.names[i], column) == 0) {
            sheet->value = i;
            return 0;
        }
    }
    return fail_input(sheet->why, "%s:1: there is no column %s; say with --value which has the "
                                  "values", sheet->path, column);
}

static json_t *read_sheet(struct sheet *sheet, const char *column)
{
    json_t *parameters = json_array(), *trials = json_array();
    sheet->own = is_own(&sheet->csv);
    int result = find_value(sheet, column);
    if (result == 0 && sheet->csv.rows == 0)
        result = fail_input(sheet->why, "%s: there is no trial in it", sheet->path);
    if (result == 0)
        result = read_parameters(sheet, parameters);
    for (size_t i = 0; i < sheet->csv.rows && result == 0; i++)
        result = read_trial(sheet, i, parameters, trials);
    if (result == 0)
        result = check_numbers(sheet, trials);
    json_t *history = result < 0 ? NULL
                                 : json_pack("{s:s, s:s, s:O, s:O}", "study", sheet->path,
                                             "metric", column, "parameters", parameters, "trials",
                                             trials);
    if (result == 0 && !history) /* JSON has UTF-8 only, and the content is that already */
        fail_input(sheet->why, "%s: the path is not valid UTF-8; rename it", sheet->path);
    json_decref(parameters);
    json_decref(trials);
    return history;
}

json_t *history_read_csv(const char *path, const char *column, struct failure *why)
{
    struct sheet sheet = {.path = path, .why = why};
    if (csv_read(path, &sheet.csv, why) < 0)
        return NULL;
    json_t *history = read_sheet(&sheet, column);
    csv_release(&sheet.csv);
    return history;
}
