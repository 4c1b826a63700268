/* Learning curves: loss and accuracy by epoch, of the winner, its final training, and thin
 * behind them the validation figures of all other trials (of training where nothing was
 * validated). */
#ifndef REPORTS_CHART_CURVES_H
#define REPORTS_CHART_CURVES_H

#include "common/text.h"
#include "reports/report_data.h"

enum chart_measure { CHART_LOSS, CHART_ACCURACY };

/* One panel as a picture inside a page. */
void chart_curve(struct text *text, const struct report_data *data, enum chart_measure measure);
/* Both panels side by side, as a file of its own. */
void chart_curves(struct text *text, const struct report_data *data);

#endif
