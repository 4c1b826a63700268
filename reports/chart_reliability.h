/* The reliability diagram: how often the model is right, against how sure it was.  Bars below
 * the diagonal: surer than it should be; their strength shows how many images they stand for. */
#ifndef REPORTS_CHART_RELIABILITY_H
#define REPORTS_CHART_RELIABILITY_H

#include "common/text.h"
#include "reports/scoring.h"

void chart_reliability(struct text *text, const struct scoring *scoring);

#endif
