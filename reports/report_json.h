/* report.json: the whole report for programs, described in docs/reports.md. */
#ifndef REPORTS_REPORT_JSON_H
#define REPORTS_REPORT_JSON_H

#include "common/text.h"
#include "reports/report_data.h"

/* Grows by one whenever a reader of the last version could be misled. */
enum { REPORT_JSON_VERSION = 1 };

void report_json(struct text *text, const struct report_data *data);

#endif
