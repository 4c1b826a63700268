#include "reports/report_html.h"

#include "common/embed.h"
#include "reports/chart_confusion.h"
#include "reports/chart_curves.h"
#include "reports/html_parts.h"
#include "reports/page.h"
#include "reports/page_script.h"
#include "reports/report_json.h"
#include "reports/svg.h"

#include <stdlib.h>

EMBED(report_page, "reports/web/page.html");
EMBED(report_style, "reports/web/style.css");
EMBED(report_plots, "reports/web/plot.css");
extern const char report_page[], report_style[], report_plots[];

/* Cells of which images are stored. */
static bool *open_cells(const struct report_data *data)
{
    const struct report_predictions *all = &data->predictions;
    bool *open = xcalloc((size_t)data->classes * (size_t)data->classes, sizeof *open);
    for (size_t i = 0; i < data->images.count; i++) {
        size_t prediction = data->images.at[i].prediction;
        open[all->labels[prediction] * data->classes + all->predicted[prediction]] = true;
    }
    return open;
}

static void add_confusion(struct text *text, const struct report_data *data)
{
    /* A matrix of many classes takes the page's whole width, and is not shrunk to a
     * telephone's; one of few is not blown up to a column's. */
    const char *size = data->classes > 12 ? " many" : data->classes <= 6 ? " few" : "";
    bool *open = open_cells(data);
    text_addf(text, "<div class=\"scroll%s\">\n", size);
    chart_confusion(text, &data->confusion, data->class_names, open, false);
    text_add(text, "</div>\n");
    free(open);
}

static void add_loss(struct text *text, const struct report_data *data)
{
    chart_curve(text, data, CHART_LOSS);
}

static void add_accuracy(struct text *text, const struct report_data *data)
{
    chart_curve(text, data, CHART_ACCURACY);
}

static void add_style(struct text *text, const struct report_data *data)
{
    (void)data;
    text_add(text, report_style);
    text_add(text, report_plots);
    text_add(text, svg_style);
}

static void add_script(struct text *text, const struct report_data *data)
{
    (void)data;
    page_script(text);
}

/* What fills each slot of web/page.html. */
static const struct part {
    const char *slot;
    void (*add)(struct text *text, const struct report_data *data);
} parts[] = {
    {"style", add_style},
    {"sprite", html_sprite},
    {"name", html_name},
    {"lead", html_lead},
    {"figures", html_figures},
    {"classes", html_classes},
    {"confusion", add_confusion},
    {"confused", html_confused},
    {"mistakes", html_mistakes},
    {"samples", html_samples},
    {"loss", add_loss},
    {"accuracy", add_accuracy},
    {"calibration", html_calibration},
    {"scores", html_scores},
    {"parameters", html_parameters},
    {"training", html_training},
    {"layers", html_layers},
    {"listed", html_listed},
    {"trials", html_trials},
    {"faults", html_faults},
    {"again", html_again},
    {"data", report_json_page},
    {"script", add_script},
};

void report_html(struct text *text, const struct report_data *data)
{
    struct page_slot slots[ARRAY_LENGTH(parts)];
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        slots[i] = (struct page_slot){.name = parts[i].slot};
        parts[i].add(&slots[i].content, data);
    }
    page_fill(text, report_page, slots, ARRAY_LENGTH(slots));
    for (size_t i = 0; i < ARRAY_LENGTH(slots); i++)
        text_free(&slots[i].content);
}
