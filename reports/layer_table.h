/* The model as Keras's model.summary() shows it, with FLOPs: a row for each layer. */
#ifndef REPORTS_LAYER_TABLE_H
#define REPORTS_LAYER_TABLE_H

#include "reports/report_data.h"

struct layer_row {
    char *name;       /* "conv2d_1 (conv)" */
    char *shape;      /* "(None, 28, 28, 16)" */
    char *parameters; /* "160" */
    char *flops;      /* of one image forward: "225,792" */
};

/* *count rows and, after them, one of the totals; the caller frees all with
 * layer_table_free(). */
struct layer_row *layer_table(const json_t *layers, size_t *count);
void layer_table_free(struct layer_row *rows, size_t count);

#endif
