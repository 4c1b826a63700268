/* The search space: named parameters with their ranges, and values drawn from them. */
#ifndef TUNER_SPACE_H
#define TUNER_SPACE_H

#include "common/rng.h"
#include "tuner/yaml.h"

#include <jansson.h>

enum parameter_type { PARAMETER_INT, PARAMETER_FLOAT, PARAMETER_CATEGORICAL, PARAMETER_BOOL };

struct parameter {
    char *name;
    enum parameter_type type;
    double low, high;     /* of INT and FLOAT, both inclusive */
    double step;          /* 0: none (FLOAT) or 1 (INT); counted from low, never beyond high */
    bool log;             /* uniform in the logarithm; not together with step of a FLOAT */
    json_t *choices;      /* of CATEGORICAL: array of numbers, strings, booleans */
    int line, column;     /* where it is declared */
};

struct space {
    struct parameter *parameters;
    size_t count;
};

/* A value of one parameter is its JSON: an integer, a real, a string, a boolean.
 * A configuration is a JSON object name -> value, in the parameters' order. */

/* Reads the `parameters` mapping; errors are file:line:column. */
int space_read(const char *file, const struct yaml *parameters, struct space *space,
               struct failure *why);
void space_release(struct space *space);
const struct parameter *space_find(const struct space *space, const char *name);

/* How many configurations there are, or 0 for more than 2^53 (a continuous range). */
double space_size(const struct space *space);
/* The i-th configuration of a space of finite size, 0 <= i < size; the last
 * parameter changes fastest.  New reference. */
json_t *space_at(const struct space *space, double i);
/* A configuration drawn uniformly (log: uniform in the logarithm).  New reference. */
json_t *space_draw(const struct space *space, struct rng *rng);
/* The values of one parameter for a grid: all of them when they are finite, else
 * `points` spread evenly from low to high.  New reference to an array. */
json_t *parameter_grid(const struct parameter *parameter, int points);
/* How many values parameter_grid() gives. */
double parameter_grid_size(const struct parameter *parameter, int points);
/* The value at a share of the range: 0 the first or low, 0.5 the middle, 1 the last
 * or high.  New reference. */
json_t *parameter_at(const struct parameter *parameter, double share);
/* "int 16 to 64 step 16", for people. */
char *parameter_text(const struct parameter *parameter);
/* The parameter as JSON, for the record:
 * {"name","type","low","high","step","log","choices"}, what applies. */
json_t *parameter_json(const struct parameter *parameter);

#endif
