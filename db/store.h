/* The store: one SQLite file that has a home's studies whole, and the only code
 * that calls SQLite.
 *
 * WAL, synchronous=FULL, STRICT tables, foreign keys.  The tuner is the only
 * writer: store_open() takes an flock on "<path>.lock".  What is recorded between
 * store_begin() and store_commit() is there whole or not at all.  A failed write
 * or sync is final: nothing may be recorded after it, and the transaction in which
 * anything could not be recorded is never committed.  The exception is a disk that was
 * full: what was rolled back is known then, and store_recover() lets work go on. */
#ifndef DB_STORE_H
#define DB_STORE_H

#include "common/base.h"

#include <jansson.h>

struct store;

enum store_mode {
    STORE_READ,   /* must exist; no lock taken */
    STORE_WRITE   /* created where it is missing; locked, migrated */
};

/* Refuses a file that is no database, one of another program (application_id), and
 * one of a later version, each as bad input; a second writer fails with the holder's
 * process id.  Opened for writing, what a killed tuner left running is put in order:
 * studies and segments are "interrupted", their trials "pending". */
struct store *store_open(const char *path, enum store_mode mode, struct failure *why);
void store_close(struct store *store);

int store_begin(struct store *store, struct failure *why);
int store_commit(struct store *store, struct failure *why);
void store_rollback(struct store *store);
/* Whether what broke the store was that the disk had no more room. */
bool store_is_full(const struct store *store);
/* After that: puts in order what the lost transaction left running, as store_open() does, and
 * lets recording go on; -1 while there is no room yet. */
int store_recover(struct store *store, struct failure *why);

/* ---- record (inside a transaction) ---- */

struct study_record {
    const char *name;
    const char *file;          /* path of the study file, as given */
    const char *text;          /* its content */
    const char *fingerprint;   /* canonical JSON */
    uint64_t seed;             /* stored as text: SQLite's integers are signed */
    const char *metric;
    bool maximize;
    const char *sampler, *scheduler;
    int max_epochs, eta;       /* 0 where they do not apply */
    const char *data;          /* JSON as dataset_describe() gives it, with "dataset"; "{}":
                                  not known yet */
    const char *precision;     /* that its trials begin in, "fp32"; NULL: not known */
    int64_t extends;           /* the version of the study before this one; 0: none */
    const json_t *parameters;  /* array of parameter_json() */
    const json_t *plan;        /* array of {"bracket","rung","places","keep","epochs"} */
};
int store_add_study(struct store *store, const struct study_record *study, int64_t *id,
                    struct failure *why);
/* Another plan (as in study_record) in place of the one there: limits may change. */
int store_set_plan(struct store *store, int64_t study, const json_t *plan, struct failure *why);
/* What has been found out about a new study's data. */
int store_set_study_data(struct store *store, int64_t study, const char *data,
                         const char *precision, struct failure *why);
/* It is submitted (again): the file may differ in what makes no other study. */
int store_submit_study(struct store *store, int64_t study, const char *file, const char *text,
                       int priority, bool any_precision, struct failure *why);
/* JSON of what was set while it is in hand, for whoever goes on with it. */
int store_set_study_settings(struct store *store, int64_t study, int priority,
                             const char *settings, struct failure *why);
/* Whether the next daemon goes on with it by itself; of one that has finished, whether its
 * report is still to be written. */
enum wanted_as { WANTED_NOT, WANTED, WANTED_PAUSED };
int store_want_study(struct store *store, int64_t study, enum wanted_as wanted,
                     struct failure *why);
/* Removes a study that has no trials. */
int store_forget_study(struct store *store, int64_t study, struct failure *why);
/* state: "queued", "running", "paused", "stopping", "interrupted", "finished", "failed";
 * `note` may be NULL. */
int store_set_study_state(struct store *store, int64_t study, const char *state,
                          const char *note, struct failure *why);
/* The same without a new time of its end. */
int store_restore_study(struct store *store, int64_t study, const char *state, const char *note,
                        struct failure *why);
/* Something that voids "the same result for every number of workers". */
int store_void_study(struct store *store, int64_t study, const char *reason, struct failure *why);

int store_add_worker(struct store *store, int64_t study, int64_t pid, const char *program,
                     const char *arithmetic, int64_t *id, struct failure *why);
int store_end_worker(struct store *store, int64_t worker, const char *reason,
                     struct failure *why);

/* A trial with its drawn parameters (name -> value) and complete configuration. */
int store_add_trial(struct store *store, int64_t study, int number, int bracket,
                    const json_t *parameters, const json_t *configuration,
                    struct failure *why);
/* A segment is about to begin (again: next attempt).  `worker` 0: not known yet. */
int store_begin_segment(struct store *store, int64_t study, int trial, int rung, int attempt,
                        int from_epoch, int to_epoch, int64_t worker, struct failure *why);
struct epoch_record {
    int trial, epoch, attempt;
    const json_t *metrics;     /* name -> number or null */
    const char *checkpoint;    /* path below the home, or NULL */
    double seconds;
};
/* An epoch that is there already is replaced only in attempt and checkpoint; if its
 * metrics differ (bit for bit), *differs is set and the first ones stay. */
int store_add_epoch(struct store *store, int64_t study, const struct epoch_record *epoch,
                    bool *differs, struct failure *why);
/* state: "ended" with a value, "failed" with a reason (the trial fails too),
 * "retry" (this attempt is over, another follows), "interrupted". */
int store_end_segment(struct store *store, int64_t study, int trial, int rung, int attempt,
                      const char *state, double value, const char *reason, struct failure *why);
/* What the segment's training computes in, where that is not all that its worker says. */
int store_set_arithmetic(struct store *store, int64_t study, int trial, int rung, int attempt,
                         const char *arithmetic, struct failure *why);
/* Early stopping has ended the trial after `epoch`. */
int store_set_early_end(struct store *store, int64_t study, int trial, int epoch,
                        struct failure *why);
/* Also sets the trial's state: promoted, stopped, completed, failed. */
int store_add_decision(struct store *store, int64_t study, int trial, int bracket, int rung,
                       const char *verdict, int rank, const char *reason, struct failure *why);
/* kind: "crashed", "hung", "garbage", "protocol", "diverged", "error", "differs"...;
 * action: "retried", "trial failed", "ignored". trial -1: none in hand. */
int store_add_fault(struct store *store, int64_t study, int trial, int attempt, int64_t worker,
                    const char *kind, const char *reason, const char *action,
                    struct failure *why);
/* A checkpoint file was deleted. */
int store_forget_checkpoint(struct store *store, int64_t study, int trial, int epoch,
                            struct failure *why);
int store_set_winner(struct store *store, int64_t study, int trial, struct failure *why);

/* The final training and evaluation of the winner: one row per study. */
int store_begin_final(struct store *store, int64_t study, int trial, int attempt, int epochs,
                      struct failure *why);
int store_add_final_epoch(struct store *store, int64_t study, const struct epoch_record *epoch,
                          struct failure *why);
/* What its training computes in; unless it is set, that of the winner's own. */
int store_set_final_arithmetic(struct store *store, int64_t study, const char *arithmetic,
                               struct failure *why);
/* `count` predictions from `first` on: as the protocol's message has them. */
int store_add_predictions(struct store *store, int64_t study, int64_t first,
                          const json_t *labels, const json_t *predicted,
                          const json_t *probabilities, struct failure *why);
/* Images of the test set for people to look at: an array of {"image": number, "pixels": its
 * bytes in base64}, or NULL.  One that is there already is replaced. */
int store_add_images(struct store *store, int64_t study, const json_t *images,
                     struct failure *why);
/* The images too. */
int store_clear_predictions(struct store *store, int64_t study, struct failure *why);
struct final_record {
    int64_t images, correct;
    double test_loss;
    const json_t *layers;      /* model summary as `described` gives it */
    const void *model;         /* the checkpoint file's bytes */
    size_t model_size;
};
int store_end_final(struct store *store, int64_t study, const struct final_record *final,
                    struct failure *why);

/* ---- read ---- */

/* The study of that name (without regard to case), 0 when there is none, -1 on failure. */
int64_t store_find_study(struct store *store, const char *name, struct failure *why);

/* Any SELECT as an array of objects, column name -> value (integer, real, string,
 * null; a blob as a string of hexadecimal digits).  `arguments`, an array or NULL,
 * is bound to ?1, ?2, ...  New reference, NULL on failure. */
json_t *store_rows(struct store *store, const char *sql, const json_t *arguments,
                   struct failure *why);
/* The same row by row, for results that are too large to be held at once. */
int store_each_row(struct store *store, const char *sql, const json_t *arguments,
                   void (*row)(void *context, const json_t *row), void *context,
                   struct failure *why);
/* One blob, 1 when found, 0 when not, -1 on failure; the caller frees *bytes. */
int store_final_model(struct store *store, int64_t study, void **bytes, size_t *size,
                      struct failure *why);

#endif
