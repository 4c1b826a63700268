/* The tables of index.html. */
#ifndef REPORTS_HTML_TABLES_H
#define REPORTS_HTML_TABLES_H

#include "common/text.h"
#include "reports/report_data.h"

void html_classes(struct text *text, const struct report_data *data);
void html_parameters(struct text *text, const struct report_data *data);
/* The winner's training settings, parameters filled in. */
void html_training(struct text *text, const struct report_data *data);
void html_layers(struct text *text, const struct report_data *data);
void html_trials(struct text *text, const struct report_data *data);
/* Faults as a section of its own; nothing when there was none. */
void html_faults(struct text *text, const struct report_data *data);

#endif
