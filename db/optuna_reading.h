/* Reading a storage of Optuna (optuna.h): what its parts share. */
#ifndef DB_OPTUNA_READING_H
#define DB_OPTUNA_READING_H

#include "db/store_internal.h"

#include <jansson.h>

/* The study that is being read. */
struct optuna_reading {
    struct store *file;
    int64_t study;      /* its id in the file */
    json_t *history;    /* what becomes of it */
    json_t *by_id;      /* the id of a trial there -> the trial */
    json_t *parameters; /* name -> parameter */
    struct failure *why;
};

/* Rows that belong to the study, whose id is ?1; a new reference, NULL with the reason. */
json_t *optuna_rows(struct optuna_reading *reading, const char *sql);
/* The file is wrong; -1. */
int optuna_fail(struct optuna_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- optuna_trials.c ---- */

/* Those that have ended, with their parameters, values and curves; -1 with the reason. */
int optuna_read_trials(struct optuna_reading *reading);

#endif
