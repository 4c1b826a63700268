/* The parts of index.html that are made from data, each added as markup.  reports/web/README.md
 * says where they stand, and what the page's script and style sheet expect of them. */
#ifndef REPORTS_HTML_PARTS_H
#define REPORTS_HTML_PARTS_H

#include "common/text.h"
#include "reports/report_data.h"

/* html_summary.c */
void html_name(struct text *text, const struct report_data *data);
/* What was done, in one or two sentences. */
void html_lead(struct text *text, const struct report_data *data);
void html_figures(struct text *text, const struct report_data *data);
void html_again(struct text *text, const struct report_data *data);

/* html_test.c */
void html_classes(struct text *text, const struct report_data *data);
void html_confused(struct text *text, const struct report_data *data);
void html_calibration(struct text *text, const struct report_data *data);
void html_scores(struct text *text, const struct report_data *data);

/* html_images.c */
void html_sprite(struct text *text, const struct report_data *data);
void html_mistakes(struct text *text, const struct report_data *data);
void html_samples(struct text *text, const struct report_data *data);

/* html_tables.c */
void html_parameters(struct text *text, const struct report_data *data);
/* The winner's training settings, parameters filled in. */
void html_training(struct text *text, const struct report_data *data);
void html_layers(struct text *text, const struct report_data *data);
/* Says that not all trials are listed; nothing when they are. */
void html_listed(struct text *text, const struct report_data *data);
void html_trials(struct text *text, const struct report_data *data);
/* Faults as a section of its own; nothing when there was none. */
void html_faults(struct text *text, const struct report_data *data);

#endif
