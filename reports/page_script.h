/* The script of a page: the modules of web/, made one as web/README.md says. */
#ifndef REPORTS_PAGE_SCRIPT_H
#define REPORTS_PAGE_SCRIPT_H

#include "common/text.h"

/* Adds what stands in `<script type="module">`: the modules one after the other, each behind
 * those that it imports from, without lines that import and without the word export. */
void page_script(struct text *text);

#endif
