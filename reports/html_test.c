#include "reports/html_parts.h"

#include "reports/chart_reliability.h"
#include "reports/format.h"
#include "reports/html.h"

#include <stdlib.h>

/* ---- the classification report ---- */

static void scores_row(struct text *text, const char *name, const struct class_metrics *scores)
{
    text_add(text, "<tr>");
    html_element(text, "th scope=\"row\"", NULL, name);
    html_take(text, "td", NULL, xasprintf("%.4f", scores->precision));
    html_take(text, "td", NULL, xasprintf("%.4f", scores->recall));
    html_take(text, "td", NULL, xasprintf("%.4f", scores->f1));
    html_take(text, "td", NULL, format_count(scores->support));
    text_add(text, "</tr>\n");
}

static void accuracy_row(struct text *text, const struct metrics *metrics)
{
    text_add(text, "<tr>");
    html_element(text, "th scope=\"row\"", NULL, "accuracy");
    text_add(text, "<td></td><td></td>");
    html_take(text, "td", NULL, xasprintf("%.4f", metrics->accuracy));
    html_take(text, "td", NULL, format_count(metrics->total));
    text_add(text, "</tr>\n");
}

void html_classes(struct text *text, const struct report_data *data)
{
    text_add(text, "<table class=\"numbers\">\n<thead><tr>"
                   "<th scope=\"col\">class</th><th scope=\"col\">precision</th>"
                   "<th scope=\"col\">recall</th><th scope=\"col\">F1</th>"
                   "<th scope=\"col\">support</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < data->classes; i++)
        if (metrics_class_seen(&data->metrics.per_class[i]))
            scores_row(text, data->class_names[i], &data->metrics.per_class[i]);
    text_add(text, "</tbody>\n<tbody class=\"totals\">\n");
    accuracy_row(text, &data->metrics);
    scores_row(text, "macro average", &data->metrics.macro);
    scores_row(text, "weighted average", &data->metrics.weighted);
    text_add(text, "</tbody>\n</table>\n");
}

/* ---- the classes most confused ---- */

void html_confused(struct text *text, const struct report_data *data)
{
    if (data->confused_count == 0) {
        text_add(text, "<p>No image was taken for one of another class.</p>\n");
        return;
    }
    text_add(text, "<ol class=\"confused\">\n");
    for (size_t i = 0; i < data->confused_count; i++) {
        html_take(text, "li", NULL,
                  confused_text(&data->confused[i], &data->metrics, data->class_names));
        text_add_char(text, '\n');
    }
    text_add(text, "</ol>\n");
}

/* ---- how good the probabilities are ---- */

void html_calibration(struct text *text, const struct report_data *data)
{
    chart_reliability(text, &data->scoring);
}

void html_scores(struct text *text, const struct report_data *data)
{
    const struct scoring *scoring = &data->scoring;
    text_add(text, "<table class=\"settings\"><tbody>\n");
    html_setting(text, "expected calibration error", format_measure(scoring->ece));
    html_setting(text, "log loss", format_measure(scoring->log_loss));
    html_setting(text, "Brier score", format_measure(scoring->brier));
    for (int i = 0; i < SCORING_TOPS; i++) {
        char *name = xasprintf("true class among the %d most probable", scoring_tops[i]);
        if (scoring_tops[i] < data->classes)
            html_setting(text, name, format_percent(scoring->top[i]));
        free(name);
    }
    text_add(text, "</tbody></table>\n");
}
