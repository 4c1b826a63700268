#include "reports/page.h"

#include <string.h>

static const struct page_slot *find(const struct page_slot *slots, size_t count,
                                    const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(slots[i].name) == length && strncmp(slots[i].name, name, length) == 0)
            return &slots[i];
    return NULL;
}

void page_fill(struct text *page, const char *skeleton, const struct page_slot *slots,
               size_t count)
{
    const char *at = skeleton;
    for (const char *open; (open = strstr(at, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        if (!close)
            break;
        const struct page_slot *slot = find(slots, count, open + 2, (size_t)(close - open) - 2);
        text_add_bytes(page, at, (size_t)(open - at));
        if (slot)
            text_add(page, text_string(&slot->content));
        else
            text_add_bytes(page, open, (size_t)(close - open) + 2);
        at = close + 2;
    }
    text_add(page, at);
}
