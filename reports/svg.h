/* Drawing in SVG: elements are added to a text, coordinates are in units of the
 * picture's viewBox.
 *
 * Colours, line widths and fonts come from classes in web/chart.css.  A standalone
 * picture carries that style sheet; one inside a page leaves it to the page, so
 * both follow the reader's light or dark scheme.  Every string is escaped here. */
#ifndef REPORTS_SVG_H
#define REPORTS_SVG_H

#include "common/text.h"

#include <stdbool.h>

extern const char svg_style[]; /* web/chart.css */

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

struct svg_label {
    const char *class;
    enum svg_anchor anchor;
    double x, y;     /* of the base line */
    double size;     /* font size; 0: as the class says */
    double turn;     /* degrees clockwise around (x, y) */
};

/* `title` is read out where the picture cannot be seen. */
void svg_begin(struct text *text, double width, double height, const char *title,
               bool standalone);
void svg_end(struct text *text);

void svg_line(struct text *text, const char *class, double x1, double y1, double x2, double y2);
/* `opacity` of the fill, 0 to 1; `title` (may be NULL) shows under the pointer. */
void svg_rect(struct text *text, const char *class, double x, double y, double width,
              double height, double opacity, const char *title);
/* The same with attributes of its own, ` data-label="4"`, which are written as they are. */
void svg_rect_with(struct text *text, const char *attributes, const char *class, double x,
                   double y, double width, double height, double opacity, const char *title);
void svg_circle(struct text *text, const char *class, double x, double y, double radius);
void svg_label(struct text *text, const struct svg_label *label, const char *string);
/* What is drawn between the two is cut off at the edges of the rectangle. */
void svg_clip_begin(struct text *text, double x, double y, double width, double height);
void svg_clip_end(struct text *text);
/* A line through the points; where a coordinate is not finite the line is broken,
 * and a point alone becomes a dot. */
void svg_curve(struct text *text, const char *class, const double *x, const double *y,
               size_t count);

#endif
