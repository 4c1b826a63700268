/* The accuracy of several studies' winners by epoch, in one plot. */
#ifndef REPORTS_CHART_COMPARE_H
#define REPORTS_CHART_COMPARE_H

#include "common/text.h"
#include "reports/compare.h"

void chart_compare(struct text *text, const struct compare *compare);

#endif
