/* report.txt: scikit-learn's classification report, an empty line, and the confusion
 * matrix in aligned columns (rows: true classes, columns: predicted ones); of more than 50 classes,
 * where it is instead. */
#ifndef REPORTS_REPORT_TEXT_H
#define REPORTS_REPORT_TEXT_H

#include "common/text.h"
#include "reports/report_data.h"

void report_text(struct text *text, const struct report_data *data);

#endif
