/* The rows of a comparison, which its text and its page show alike. */
#ifndef REPORTS_COMPARE_ROWS_H
#define REPORTS_COMPARE_ROWS_H

#include "reports/compare.h"

struct compare_row {
    const char *name;
    char *(*value)(const struct report_data *data); /* the caller frees it */
};
extern const struct compare_row compare_rows[];
extern const size_t compare_row_count;

/* The winner's value of its curve after an epoch, of validation or else of training; NaN when
 * it had none. */
double compare_accuracy(const struct report_data *data, int epoch);
/* Which epochs the table of curves has: at most `most`, equally far from each other, the last
 * one that any curve has among them.  How many are put into `epochs`. */
size_t compare_epochs(const struct compare *compare, int *epochs, size_t most);

#endif
