/* A page from a skeleton: `{{name}}` in the skeleton gives way to a content. */
#ifndef REPORTS_PAGE_H
#define REPORTS_PAGE_H

#include "common/text.h"

struct page_slot {
    const char *name;
    struct text content; /* markup: what comes from outside is escaped already */
};

/* Adds the skeleton with its slots filled.  Contents are not looked through for
 * slots again, whatever they hold; a name without a slot stays as it is written. */
void page_fill(struct text *page, const char *skeleton, const struct page_slot *slots,
               size_t count);

#endif
