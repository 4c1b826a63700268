/* A study that was made elsewhere, recorded as a finished one. */
#ifndef DB_STORE_IMPORT_H
#define DB_STORE_IMPORT_H

#include "db/store.h"

/* A history is a study in one JSON value; whoever exports one reads it from the views
 * (tuner/history.h), whoever imports one makes it of a file:
 *
 *   {"study": name, "metric": name, "goal": "maximize" | "minimize",
 *    "step_shift": n,                an epoch is a step of the file plus n
 *    "parameters": [{"name", "type", "low", "high", "step", "log", "choices"}, ...],
 *    "trials": [{"trial": number, "state": "completed" | "stopped" | "failed", "value",
 *                "error", "parameters": {name: value}, "attributes": {name: any},
 *                "started_ms", "ended_ms",
 *                "curve": [{"epoch": n, metric: value, ...}, ...]}, ...]}
 *
 * What is not known may be absent or null.  Records it, in one transaction, under the name
 * `name`: with the sampler and the scheduler "imported", without a final.  A name that is
 * there already is bad input. */
int store_import(struct store *store, const json_t *history, const char *name,
                 const char *format, const char *file, struct failure *why);

#endif
