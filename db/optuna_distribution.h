/* A parameter, {"name", "type", "low", "high", "step", "log", "choices"} as in a history, and
 * its values in the form that Optuna stores: the distribution as JSON, the value as a number,
 * which is the value itself or, of a choice, its place from 0. */
#ifndef DB_OPTUNA_DISTRIBUTION_H
#define DB_OPTUNA_DISTRIBUTION_H

#include <jansson.h>
#include <stdbool.h>

/* The distribution as a JSON string; a new reference. */
json_t *optuna_distribution(const json_t *parameter);
/* NaN: the value is none of the parameter's. */
double optuna_number(const json_t *parameter, const json_t *value);

/* The parameter of a distribution of any version of Optuna; a new reference, NULL: it is no
 * distribution. */
json_t *optuna_parameter(const char *name, const char *distribution);
/* Makes the range of `known` hold that of `other` too; false: they cannot be one. */
bool optuna_merge(json_t *known, const json_t *other);
/* The value that `number` stands for; a new reference, NULL: none. */
json_t *optuna_value(const json_t *parameter, const json_t *number);

#endif
