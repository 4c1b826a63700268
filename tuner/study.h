/* A study as its file describes it, checked strictly before anything starts:
 * every error is "file:line:column: error: ..." with the nearest right word. */
#ifndef TUNER_STUDY_H
#define TUNER_STUDY_H

#include "tuner/limits.h"
#include "tuner/space.h"

enum sampler_type { SAMPLER_RANDOM, SAMPLER_GRID };
enum scheduler_type { SCHEDULER_FULL, SCHEDULER_HYPERBAND };

struct study {
    char *name;
    char *file;              /* path as given */
    char *text;              /* the file's content */
    uint64_t seed;           /* default 0 */

    char *metric;            /* objective: train_loss train_accuracy val_loss val_accuracy */
    bool maximize;           /* default: accuracies yes, losses no */
    bool take_best;          /* `take: best`; default last */

    struct space space;
    json_t *data;            /* {"dataset", "folder" or absent, "train", "validation"} */

    enum sampler_type sampler;     /* default random */
    enum scheduler_type scheduler; /* default full */
    int trials;              /* full: how many; 0 with grid: all of it */
    int points;              /* grid: values per continuous parameter, default 3 */
    int max_epochs;          /* hyperband: R; full: of each trial, 0 when training.epochs says */
    int eta;                 /* hyperband, >= 2, default 3 */

    /* limits: not part of the fingerprint */
    int limit_epochs;        /* cut the plan; 0: none */
    double limit_minutes;    /* 0: none; voids independence of luck */
    int limit_failures;      /* how many trials may fail; 0: half of those planned, at least 100 */
    int retries;             /* of a segment whose worker failed; default 1 */
    double epoch_seconds;    /* longest that a worker may say nothing; default 600 */
    struct limits worker_limits; /* of each worker; by default 64 MB of log */

    int workers;             /* 0: one per core */
    int threads;             /* default 1 */
    bool retrain;            /* final: default true */
    bool retrain_on_all;     /* ... on all training images, however few `data` gives a trial */
    int keep;                /* checkpoints of the best trials that stay; default 5 */
    json_t *trainer;         /* command as array of strings; NULL: the trainer beside the tuner */
    bool outside;            /* `trainer: none`: outside programs ask and tell; there is no data,
                                model, training or final */

    struct yaml *document;   /* the whole tree: model and training are templates in it */
    json_t *fingerprint;     /* the resolved file without name, workers, threads, limits, keep,
                                trainer */
};

/* The bytes of a study file, to be freed; where there is none, the failure names the one that may
 * have been meant, such as digits.yaml by `digits`. */
int study_read_file(const char *path, char **bytes, size_t *size, struct failure *why);
struct study *study_load(const char *path, struct failure *why);
struct study *study_parse(const char *path, const char *bytes, size_t size, struct failure *why);
void study_free(struct study *study);

/* The configuration of one trial: {"model": [...], "training": {...}}, expressions
 * evaluated, checked against the schema, defaults filled in.  Errors carry the
 * place in the file and the parameters that led there.  New reference or NULL. */
json_t *study_configure(const struct study *study, const json_t *values, int classes,
                        struct failure *why);

/* Turns a failure whose `where` is a path below the study ("model[3].kernel") into
 * one at its place in the file. */
int study_fail_at(const struct study *study, const char *where, struct failure *why,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* One line for each setting that differs: "search.eta: 3 -> 4".  "" when equal. */
char *study_differences(const json_t *old_fingerprint, const json_t *new_fingerprint);

#endif
