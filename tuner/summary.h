/* What `tuner run` and `tuner best` print: the winner of a study. */
#ifndef TUNER_SUMMARY_H
#define TUNER_SUMMARY_H

#include "db/store.h"

/* Prints the best trial, its parameters, the test accuracy when it was evaluated, and
 * where the report is; as JSON with `json`. */
int summary_print(struct store *store, const char *home, const char *study, bool json,
                  struct failure *why);
/* The summary as an object: study, state, trial, value, metric, epochs, parameters,
 * test_accuracy and images where there are, report.  New reference or NULL. */
json_t *summary_read(struct store *store, const char *home, const char *study,
                     struct failure *why);

#endif
