/* How to get the same result again. */
#ifndef REPORTS_REPRODUCE_H
#define REPORTS_REPRODUCE_H

#include "reports/report_data.h"

/* The command that runs the study, as a shell takes it; the caller frees it. */
char *reproduce_command(const struct report_data *data);
/* The programs that trained, and what they computed with: arrays of different strings in
 * the order in which they first came; new references. */
json_t *reproduce_versions(const struct report_data *data);
json_t *reproduce_arithmetic(const struct report_data *data);
/* The strings of such an array, with commas between them; the caller frees it. */
char *reproduce_list(const json_t *strings);

#endif
