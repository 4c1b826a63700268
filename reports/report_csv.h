/* predictions.csv: one row for each test image, with the probability of each class. */
#ifndef REPORTS_REPORT_CSV_H
#define REPORTS_REPORT_CSV_H

#include "common/text.h"
#include "reports/report_data.h"

void report_csv(struct text *text, const struct report_data *data);

#endif
