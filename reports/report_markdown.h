/* report.md: the report in short, for a repository or a note. */
#ifndef REPORTS_REPORT_MARKDOWN_H
#define REPORTS_REPORT_MARKDOWN_H

#include "common/text.h"
#include "reports/report_data.h"

void report_markdown(struct text *text, const struct report_data *data);

#endif
