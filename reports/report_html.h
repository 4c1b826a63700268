/* index.html: the whole report as one page that needs nothing but itself. */
#ifndef REPORTS_REPORT_HTML_H
#define REPORTS_REPORT_HTML_H

#include "common/text.h"
#include "reports/report_data.h"

void report_html(struct text *text, const struct report_data *data);

#endif
