/* Arithmetic in study files: numbers, $parameters, `classes`, + - * / // % ( )
 * min max.  Integers stay integers where the mathematics does (`/` of integers
 * is an integer only when it comes out even; `//` and `%` round down).  In arithmetic
 * true is 1 and false is 0, so that a switch can be multiplied with. */
#ifndef TUNER_EXPRESSION_H
#define TUNER_EXPRESSION_H

#include "common/base.h"

#include <jansson.h>

/* Whether a plain scalar's text has to be evaluated rather than taken as it is: it has
 * a $ or the word `classes` in it, or it begins like arithmetic, with a digit, `(`, `-`,
 * `.`, or with `min` or `max` and a parenthesis. */
bool expression_is(const char *text);
/* The narrower rule for a scalar in quotes: it has a $ or the word `classes` in it. */
bool expression_refers(const char *text);

/* Evaluates `text`.  A text that is exactly one $name gives that value, whatever
 * its type.  `classes` is 0 while it is not known.  On failure *offset is the
 * byte of `text` at fault and `why` has a message without place.  Nothing is
 * evaluated partly: NULL or a new reference. */
json_t *expression_evaluate(const char *text, const json_t *values, int classes,
                            size_t *offset, struct failure *why);

typedef void expression_visit(void *context, const char *name, size_t offset);
/* Calls `visit` with every $name (without the $) in the text.  -1 on bad syntax. */
int expression_names(const char *text, expression_visit *visit, void *context, size_t *offset,
                     struct failure *why);

#endif
