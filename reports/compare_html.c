#include "reports/compare_rows.h"

#include "common/embed.h"
#include "reports/chart_compare.h"
#include "reports/escape.h"
#include "reports/format.h"
#include "reports/html.h"
#include "reports/page.h"
#include "reports/svg.h"

#include <stdlib.h>

EMBED(compare_page, "reports/web/compare.html");
extern const char compare_page[], report_style[];

enum { EPOCHS_MOST = 20 };

static void add_title(struct text *text, const struct compare *compare)
{
    for (size_t i = 0; i < compare->count; i++) {
        text_add(text, i == 0 ? "" : i + 1 < compare->count ? ", " : " and ");
        escape_markup(text, compare->studies[i].name);
    }
}

static void add_style(struct text *text, const struct compare *compare)
{
    (void)compare;
    text_add(text, report_style);
    text_add(text, svg_style);
}

static void add_sentences(struct text *text, const struct compare *compare)
{
    for (size_t i = 0; i < compare->pair_count; i++)
        html_take(text, "li", NULL, compare_sentence(compare, &compare->pairs[i]));
}

static void add_head(struct text *text, const struct compare *compare, const char *corner)
{
    text_add(text, "<table class=\"numbers\">\n<thead><tr>");
    html_element(text, "th scope=\"col\"", NULL, corner);
    for (size_t i = 0; i < compare->count; i++)
        html_element(text, "th scope=\"col\"", NULL, compare->studies[i].name);
    text_add(text, "</tr></thead>\n<tbody>\n");
}

static void add_rows(struct text *text, const struct compare *compare)
{
    add_head(text, compare, "");
    for (size_t row = 0; row < compare_row_count; row++) {
        text_add(text, "<tr>");
        html_element(text, "th scope=\"row\"", NULL, compare_rows[row].name);
        for (size_t i = 0; i < compare->count; i++)
            html_take(text, "td", NULL, compare_rows[row].value(&compare->studies[i]));
        text_add(text, "</tr>\n");
    }
    text_add(text, "</tbody>\n</table>\n");
}

static void add_epochs(struct text *text, const struct compare *compare)
{
    int epochs[EPOCHS_MOST];
    size_t count = compare_epochs(compare, epochs, EPOCHS_MOST);
    add_head(text, compare, "epoch");
    for (size_t row = 0; row < count; row++) {
        text_add(text, "<tr>");
        html_take(text, "th scope=\"row\"", NULL, xasprintf("%d", epochs[row]));
        for (size_t i = 0; i < compare->count; i++)
            html_take(text, "td", NULL,
                      format_measure(compare_accuracy(&compare->studies[i], epochs[row])));
        text_add(text, "</tr>\n");
    }
    text_add(text, "</tbody>\n</table>\n");
}

/* What fills each slot of web/compare.html. */
static const struct part {
    const char *slot;
    void (*add)(struct text *text, const struct compare *compare);
} parts[] = {
    {"title", add_title}, {"style", add_style},   {"sentences", add_sentences},
    {"rows", add_rows},   {"chart", chart_compare}, {"epochs", add_epochs},
};

void compare_html(struct text *text, const struct compare *compare)
{
    struct page_slot slots[ARRAY_LENGTH(parts)];
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        slots[i] = (struct page_slot){.name = parts[i].slot};
        parts[i].add(&slots[i].content, compare);
    }
    page_fill(text, compare_page, slots, ARRAY_LENGTH(slots));
    for (size_t i = 0; i < ARRAY_LENGTH(slots); i++)
        text_free(&slots[i].content);
}
