/* report.json: the whole report for programs, described in docs/report_json.md. */
#ifndef REPORTS_REPORT_JSON_H
#define REPORTS_REPORT_JSON_H

#include "common/text.h"
#include "reports/report_data.h"

/* Grows by one whenever a reader of the last version could be misled. */
enum { REPORT_JSON_VERSION = 3 };

/* The file: a line for each field of the object. */
void report_json(struct text *text, const struct report_data *data);
/* The same and what the page alone needs, fit to stand in its <script>. */
void report_json_page(struct text *text, const struct report_data *data);

#endif
