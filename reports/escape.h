/* The one way by which text from outside gets into HTML and SVG. */
#ifndef REPORTS_ESCAPE_H
#define REPORTS_ESCAPE_H

#include "common/text.h"

/* Adds `string` so that it is text and nothing else, in an element as well as in
 * a quoted attribute: & < > " ' become entities; what XML 1.0 cannot hold (control
 * characters, bytes that are no UTF-8) becomes U+FFFD. */
void escape_markup(struct text *text, const char *string);

#endif
