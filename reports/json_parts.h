/* The fields of report.json (docs/report_json.md); each a new reference. */
#ifndef REPORTS_JSON_PARTS_H
#define REPORTS_JSON_PARTS_H

#include "reports/report_data.h"

json_t *json_number(double value);         /* null when it is not finite */
json_t *json_time(int64_t wall_ms);        /* null for 0 */
json_t *json_copy_of(const json_t *value); /* null for NULL */
json_t *json_curve(const struct report_curve *curve);

/* json_test.c */
json_t *json_test(const struct report_data *data);
json_t *json_images(const struct report_data *data);
json_t *json_mistakes(const struct report_data *data);
json_t *json_samples(const struct report_data *data);
json_t *json_cells(const struct report_data *data);

/* json_search.c */
json_t *json_trials(const struct report_data *data);
json_t *json_faults(const struct report_data *data);

#endif
