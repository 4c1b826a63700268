/* The confusion matrix as a heat map: rows are the true classes, columns the
 * predicted ones.  Right answers and mistakes have a colour each; a right answer is
 * as dark as the share of its row, a mistake as its share of the worst mistake, so
 * that a few mistakes among thousands of images are still seen. */
#ifndef REPORTS_CHART_CONFUSION_H
#define REPORTS_CHART_CONFUSION_H

#include "common/text.h"
#include "reports/metrics.h"

/* A cell that `open` ([classes][classes], or NULL: none) says can be opened has attributes
 * data-label and data-predicted, the numbers of its classes. */
void chart_confusion(struct text *text, const struct confusion *confusion,
                     const char *const *names, const bool *open, bool standalone);

#endif
