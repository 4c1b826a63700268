/* All that a report tells, in plain data.  The reading of the database is in report_data.c
 * and the files of report_read.h alone; the writers of the formats turn this structure into
 * files and nothing else. */
#ifndef REPORTS_REPORT_DATA_H
#define REPORTS_REPORT_DATA_H

#include "db/store.h"
#include "reports/confused.h"
#include "reports/metrics.h"
#include "reports/scoring.h"

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
    int rank;                /* 1 is the best; 0: it has no value */
    int epochs;              /* reached */
    int early_end;           /* where early stopping ended it; 0: it did not */
    double value;            /* NaN: none */
    double seconds;          /* of training */
    int64_t started_ms, ended_ms; /* since 1970 UTC; 0 when not known */
    char *state;             /* "completed", "stopped", "failed", ... */
    char *reason;            /* of that state, or "" */
    char *arithmetic;        /* instruction set and precision, or "" */
    json_t *parameters;      /* name -> value */
    struct report_curve curve;
};

struct report_fault {
    int trial;               /* -1: none was in hand */
    int attempt;             /* 0: none was in hand */
    int worker;              /* 0: none */
    int64_t recorded_ms;
    char *kind, *reason, *action;
};

/* What the model made of each test image. */
struct report_predictions {
    size_t count;
    int64_t *images;         /* [count], numbers in the test set, ascending */
    int *labels, *predicted; /* [count] */
    double *probabilities;   /* [count][classes] */
};

struct report_image {
    size_t prediction;       /* index into the predictions */
    uint8_t *pixels;         /* [height][width][channels] */
};

/* The test images that are stored; none: count is 0. */
struct report_images {
    int height, width, channels; /* channels: 1 or 3 */
    struct report_image *at; /* [count], in the order of the test set */
    size_t count;
    size_t *surest;          /* [count]: indices into `at`, the surest prediction first */
};

enum {
    REPORT_CONFUSED_MOST = 10,
    REPORT_TRIALS_MOST = 4000, /* of more trials only a choice is listed */
    REPORT_SPREAD = 36
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
    char *folder;             /* or file of the data set, as the study file has it; "": none */
    json_t *dataset;          /* as dataset_describe() gives it, with "dataset" */

    /* the winner */
    int winner;               /* its number */
    int winner_epochs;
    double winner_value;
    json_t *parameters;       /* name -> value */
    json_t *configuration;    /* {"model", "training"} */

    /* the final training and evaluation */
    struct report_curve final; /* empty when the winner was not trained anew */
    int final_epochs;
    double final_seconds;      /* NaN when not known */
    char *arithmetic;
    json_t *layers;            /* array of {"name","type","output","parameters","flops"} */
    json_t *network;           /* what runs the model in a page, or NULL */
    char *network_note;        /* why there is none, or "" */
    int classes;
    const char **class_names;  /* [classes], each owned */
    struct report_predictions predictions;
    struct report_images images;
    struct confusion confusion;
    struct metrics metrics;
    struct scoring scoring;
    struct confused confused[REPORT_CONFUSED_MOST];
    size_t confused_count;

    /* the search: figures are of all trials; of more than REPORT_TRIALS_MOST those lists are
     * of an even choice by number, with the winner, the 100 best and each that was the best when
     * it ended */
    struct report_trial *trials; /* [listed_count], by number */
    size_t listed_count;
    size_t trial_count, trials_failed;
    int64_t place_count, segment_count; /* of which `rungs` and `segments` list a part, likewise */
    double spread[REPORT_SPREAD + 1]; /* values, the worst first: that of every 36th part of all
                                         trials that have one, and the best; NaN: none has */
    json_t *arithmetics;         /* what trials computed in, each once */
    int64_t epochs_run;          /* of all trials, the final training not counted */
    double training_seconds;     /* of the same */
    struct report_fault *faults; /* in the order in which they happened */
    size_t fault_count;
    json_t *space;               /* as docs/report_json.md has "parameters", */
    json_t *plan, *rungs, *segments, *workers; /* and these */
};

/* Reads everything about the study (named without regard to case).  A study that is
 * not there, or has no final evaluation yet, is a failure that says what to run. */
int report_data_read(struct store *store, const char *study, struct report_data *data,
                     struct failure *why);
void report_data_release(struct report_data *data);

/* The winner's curve in the search; an empty one when its trial is not there. */
const struct report_curve *report_winner_curve(const struct report_data *data);
/* The probabilities that prediction `index` has for each class. */
const double *report_probabilities(const struct report_data *data, size_t index);
/* The probability of what was predicted. */
double report_confidence(const struct report_data *data, size_t index);
bool report_is_mistake(const struct report_data *data, const struct report_image *image);
/* The model's parameters, all layers together. */
int64_t report_parameter_count(const struct report_data *data);

#endif
