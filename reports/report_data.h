/* All that a report tells, in plain data.  report_data.c alone reads the database;
 * the writers of the formats turn this structure into files and nothing else. */
#ifndef REPORTS_REPORT_DATA_H
#define REPORTS_REPORT_DATA_H

#include "db/store.h"
#include "reports/metrics.h"

struct report_epoch {
    int epoch;                         /* from 1 */
    double train_loss, train_accuracy; /* each NaN where it was not measured */
    double val_loss, val_accuracy;
};

struct report_curve {
    struct report_epoch *epochs;       /* [count], ascending */
    size_t count;
};

struct report_trial {
    int number, bracket;
    int epochs;              /* reached */
    double value;            /* NaN: none */
    char *state;             /* "completed", "stopped", "failed", ... */
    char *reason;            /* of that state, or "" */
    char *arithmetic;        /* instruction set and precision, or "" */
    json_t *parameters;      /* name -> value */
};

struct report_fault {
    int trial;               /* -1: none was in hand */
    int attempt;             /* 0: none was in hand */
    char *kind, *reason, *action;
};

struct report_data {
    /* the study */
    char *name, *file, *text; /* the study file's path and content */
    char *seed, *state;
    char *metric;
    bool maximize;
    char *sampler, *scheduler;
    int max_epochs, eta;      /* 0 where they do not apply */
    char *note;               /* what the study has to say about itself, or "" */
    char *void_reason;        /* why its result may depend on luck, or "" */
    double seconds;           /* from its first start to its end; NaN when not known */
    int64_t started_ms;       /* since 1970 UTC; 0 when not known */
    json_t *dataset;          /* as dataset_describe() gives it, with "dataset" */

    /* the winner */
    int winner;               /* its number */
    int winner_epochs;
    double winner_value;
    json_t *parameters;       /* name -> value */
    json_t *configuration;    /* {"model", "training"} */
    struct report_curve search; /* its epochs in the search */

    /* the final training and evaluation */
    struct report_curve final; /* empty when the winner was not trained anew */
    int final_epochs;
    double test_loss;          /* NaN when not known */
    char *arithmetic;
    json_t *layers;            /* array of {"name","type","output","parameters","flops"} */
    int classes;
    const char **class_names;  /* [classes], each owned */
    struct confusion confusion;
    struct metrics metrics;

    struct report_trial *trials; /* by number */
    size_t trial_count;
    int64_t epochs_run;          /* of all trials, the final training not counted */
    struct report_fault *faults; /* in the order in which they happened */
    size_t fault_count;
};

/* Reads everything about the study (named without regard to case).  A study that is
 * not there, or has no final evaluation yet, is a failure that says what to run. */
int report_data_read(struct store *store, const char *study, struct report_data *data,
                     struct failure *why);
void report_data_release(struct report_data *data);

#endif
