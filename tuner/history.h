/* A study with its trials as one value, and the files that hold it: JSON, CSV, Optuna's
 * storage.  docs/database.md describes them; db/store_import.h has the form. */
#ifndef TUNER_HISTORY_H
#define TUNER_HISTORY_H

#include "tuner/visit.h"

/* Everything that the database knows of the study's trials, and of the study "study",
 * "state", "metric", "goal", "sampler", "scheduler", "seed", "max_epochs", "eta", "winner",
 * "test_accuracy", "started_ms", "ended_ms".  Trials have besides what an import needs their
 * "bracket", "epochs", "rank" (in the leaderboard) and "seconds".  A new reference. */
json_t *history_read(struct store *store, const char *study, struct failure *why);

int history_write_json(const struct visit *visit, const char *path, struct failure *why);
/* Columns: trial, state, bracket, epochs, value, rank, and each parameter by its name. */
int history_write_csv(const struct visit *visit, const char *path, struct failure *why);
int history_write_optuna(const struct visit *visit, const char *path, struct failure *why);

/* A history from a CSV of parameters and values: the column `column` has the values, the
 * others are parameters, whose types follow from what is in them.  A file as
 * history_write_csv() makes it is known by its first six columns, and gives back the states
 * too.  A new reference; NULL: bad input. */
json_t *history_read_csv(const char *path, const char *column, struct failure *why);

#endif
