/* Stored test images, put together: which are mistakes and which are shown as samples, and
 * pictures of many of them in a grid. */
#ifndef REPORTS_GALLERY_H
#define REPORTS_GALLERY_H

#include "common/text.h"
#include "reports/report_data.h"

/* Indices into data->images.at, *count of them; the caller frees them.  Mistakes have the
 * surest first; samples are up to three right answers of each class, by class. */
size_t *gallery_mistakes(const struct report_data *data, size_t *count);
size_t *gallery_samples(const struct report_data *data, size_t *count);

/* Columns of a grid that holds `count` images. */
int gallery_columns(size_t count);
/* All stored images side by side, in rows of gallery_columns(), as PNG; the caller frees
 * it.  NULL: there are none. */
uint8_t *gallery_sprite(const struct report_data *data, size_t *size);

/* mistakes.png: the surest mistakes, at most 60, enlarged, each with "true > predicted" and
 * the probability below. */
void gallery_mistakes_png(struct text *bytes, const struct report_data *data);

#endif
