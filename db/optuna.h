/* Studies in the form of Optuna's SQLite storage (its schema 12), from and to a history
 * (db/store_import.h).
 *
 *   ours                            Optuna's
 *   completed, stopped, failed      COMPLETE, PRUNED, FAIL; any other state is RUNNING
 *   the objective after epoch e     the intermediate value of step e - step_shift
 *   int, float, categorical, bool   IntDistribution, FloatDistribution,
 *                                   CategoricalDistribution (of false and true)
 *   bracket, epochs, attributes     user attributes of the trial */
#ifndef DB_OPTUNA_H
#define DB_OPTUNA_H

#include "common/base.h"

#include <jansson.h>

/* Writes a new file with this one study; a file that is there already is left alone, and
 * that is bad input. */
int optuna_write(const char *path, const json_t *history, struct failure *why);

/* Reads the study of that name, or the only one there is (`study` NULL).  Trials that had
 * not ended are left out; their number is in "left_out".  Ranges that differ among the
 * trials become one that holds them all.  New reference, NULL on bad input. */
json_t *optuna_read(const char *path, const char *study, struct failure *why);

#endif
