/* How the reading of a report's data is divided; nobody but report_data.c and the files
 * named here includes this.  Each reads about the study data->name. */
#ifndef REPORTS_REPORT_READ_H
#define REPORTS_REPORT_READ_H

#include "reports/report_data.h"

/* report_choice.c: looks at all trials, for what is told of all of them, and chooses those to
 * list: a JSON array of their numbers, ascending, which the caller frees.  NULL: a failure. */
char *report_choose(struct store *store, struct report_data *data, struct failure *why);
/* report_search.c: trials with their curves, faults, plan, rungs, segments, workers. */
int report_read_search(struct store *store, struct report_data *data, struct failure *why);
/* report_test.c: predictions and the figures that follow from them. */
int report_read_test(struct store *store, struct report_data *data, struct failure *why);
/* report_images.c: the stored images; after the predictions. */
int report_read_images(struct store *store, struct report_data *data, struct failure *why);
/* report_network.c: the winner's weights. */
int report_read_network(struct store *store, struct report_data *data, struct failure *why);

/* ---- rows and their columns: report_rows.c ---- */

/* The rows of a SELECT whose ?1 is the study's name. */
json_t *report_rows(struct store *store, const char *sql, const char *study, struct failure *why);
/* The same of trials that are chosen: ?2 is a JSON array of their numbers. */
json_t *report_chosen_rows(struct store *store, const char *sql, const char *study,
                           const char *numbers, struct failure *why);
char *row_text(const json_t *row, const char *column);   /* new; "" for NULL */
double row_real(const json_t *row, const char *column);  /* NaN for NULL */
int row_integer(const json_t *row, const char *column, int otherwise);
int64_t row_time(const json_t *row, const char *column); /* 0 for NULL */
/* A column that holds JSON; NULL when it holds none. */
json_t *row_json(const json_t *row, const char *column);

/* Epochs in the rows' order. */
void report_take_curve(struct report_curve *curve, const json_t *rows);

#endif
