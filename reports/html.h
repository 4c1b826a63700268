/* Pieces of HTML: elements around text that is escaped here. */
#ifndef REPORTS_HTML_H
#define REPORTS_HTML_H

#include "common/text.h"

/* Adds <tag class="class">content</tag>; `class` NULL: none.  `tag` may carry
 * attributes of its own, as in `th scope="row"`. */
void html_element(struct text *text, const char *tag, const char *class, const char *content);
/* The same, and frees the content. */
void html_take(struct text *text, const char *tag, const char *class, char *content);
/* A row of two cells, as in a list of settings; frees the value. */
void html_setting(struct text *text, const char *name, char *value);

#endif
