#include "reports/html_parts.h"

#include "reports/format.h"
#include "reports/html.h"
#include "reports/layer_table.h"

#include <stdlib.h>
#include <string.h>

/* ---- settings ---- */

void html_parameters(struct text *text, const struct report_data *data)
{
    const char *name;
    json_t *value;
    text_add(text, "<table class=\"settings\"><tbody>\n");
    json_object_foreach(data->parameters, name, value)
        html_setting(text, name, format_value(value, 0));
    text_add(text, "</tbody></table>\n");
}

/* One row per setting; a section inside, such as the optimizer, is named before its
 * settings: "optimizer learning_rate". */
static void settings_rows(struct text *text, const char *prefix, json_t *settings)
{
    const char *name;
    json_t *value;
    json_object_foreach(settings, name, value) {
        bool type = *prefix && strcmp(name, "type") == 0;
        char *full = type ? xstrdup(prefix)
                          : xasprintf("%s%s%s", prefix, *prefix ? " " : "", name);
        if (json_is_object(value))
            settings_rows(text, full, value);
        else if (!json_is_null(value))
            html_setting(text, full, format_value(value, 0));
        free(full);
    }
}

void html_training(struct text *text, const struct report_data *data)
{
    text_add(text, "<table class=\"settings\"><tbody>\n");
    settings_rows(text, "", json_object_get(data->configuration, "training"));
    html_setting(text, "epochs in the search", xasprintf("%d", data->winner_epochs));
    if (data->final.count > 0)
        html_setting(text, "epochs of the final training", xasprintf("%d", data->final_epochs));
    html_setting(text, "arithmetic", xstrdup(data->arithmetic));
    text_add(text, "</tbody></table>\n");
}

/* ---- the model ---- */

static void layer_cells(struct text *text, const struct layer_row *row)
{
    text_add(text, "<tr>");
    html_element(text, "th scope=\"row\"", NULL, row->name);
    html_element(text, "td", NULL, row->shape);
    html_element(text, "td", NULL, row->parameters);
    html_element(text, "td", NULL, row->flops);
    text_add(text, "</tr>\n");
}

void html_layers(struct text *text, const struct report_data *data)
{
    size_t count;
    if (json_array_size(data->layers) == 0) {
        text_add(text, "<p class=\"remark-line\">The trainer did not describe it.</p>\n");
        return;
    }
    struct layer_row *rows = layer_table(data->layers, &count);
    text_add(text, "<table class=\"numbers\">\n<thead><tr>"
                   "<th scope=\"col\">layer (type)</th><th scope=\"col\">output shape</th>"
                   "<th scope=\"col\">parameters</th>"
                   "<th scope=\"col\">FLOPs per image</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++)
        layer_cells(text, &rows[i]);
    text_add(text, "</tbody>\n<tbody class=\"totals\">\n");
    layer_cells(text, &rows[count]);
    text_add(text, "</tbody>\n</table>\n");
    layer_table_free(rows, count);
}

/* ---- trials and faults ---- */

/* Whether not all trials that were trained used the winner's, which is shown anyhow. */
static bool arithmetic_differs(const struct report_data *data)
{
    size_t index;
    json_t *one;
    json_array_foreach(data->arithmetics, index, one) {
        if (strcmp(json_string_value(one), data->arithmetic) != 0)
            return true;
    }
    return false;
}

void html_listed(struct text *text, const struct report_data *data)
{
    if (data->listed_count == data->trial_count)
        return;
    char *listed = format_count((int64_t)data->listed_count);
    char *all = format_count((int64_t)data->trial_count);
    text_addf(text, "<p class=\"remark-line listed\">Of %s trials %s are listed, here and in the "
                    "charts: an even choice by number, the 100 best, and each that was the best "
                    "when it ended. <code>tuner trials %s</code> has all.</p>\n", all, listed,
              data->name);
    free(listed);
    free(all);
}

static void trials_head(struct text *text, const struct report_data *data, bool arithmetic)
{
    const char *name;
    json_t *value;
    text_add(text, "<thead><tr><th scope=\"col\">trial</th>");
    json_object_foreach(data->parameters, name, value)
        html_element(text, "th scope=\"col\"", NULL, name);
    text_add(text, "<th scope=\"col\">bracket</th><th scope=\"col\">epochs</th>");
    html_element(text, "th scope=\"col\"", NULL, data->metric);
    if (arithmetic)
        text_add(text, "<th scope=\"col\" class=\"word\">arithmetic</th>");
    text_add(text, "<th scope=\"col\" class=\"word\">state</th></tr></thead>\n");
}

static void trial_row(struct text *text, const struct report_data *data,
                      const struct report_trial *trial, bool arithmetic)
{
    const char *name;
    json_t *unused;
    bool winner = trial->number == data->winner;
    text_add(text, winner ? "<tr class=\"winner\">" : "<tr>");
    html_take(text, "th scope=\"row\"", NULL, xasprintf("%d", trial->number));
    json_object_foreach(data->parameters, name, unused)
        html_take(text, "td", NULL, format_value(json_object_get(trial->parameters, name), 4));
    html_take(text, "td", NULL, xasprintf("%d", trial->bracket));
    html_take(text, "td", NULL, xasprintf("%d", trial->epochs));
    html_take(text, "td", NULL, format_measure(trial->value));
    if (arithmetic)
        html_element(text, "td", "word", trial->arithmetic);
    html_element(text, "td", strcmp(trial->state, "failed") == 0 ? "word bad" : "word",
                 winner ? "winner" : trial->state);
    text_add(text, "</tr>\n");
}

void html_trials(struct text *text, const struct report_data *data)
{
    bool arithmetic = arithmetic_differs(data);
    text_add(text, "<table class=\"numbers trials\">\n");
    trials_head(text, data, arithmetic);
    text_add(text, "<tbody>\n");
    for (size_t i = 0; i < data->listed_count; i++)
        trial_row(text, data, &data->trials[i], arithmetic);
    text_add(text, "</tbody>\n</table>\n");
}

/* The number of a trial or an attempt; a dash where none was in hand. */
static char *number_in_hand(int number, int least)
{
    return number < least ? format_value(NULL, 0) : xasprintf("%d", number);
}

void html_faults(struct text *text, const struct report_data *data)
{
    if (data->fault_count == 0)
        return;
    text_add(text, "<section id=\"faults\">\n<h2>Faults</h2>\n"
                   "<div class=\"scroll listing\" tabindex=\"0\" role=\"region\" "
                   "aria-label=\"Faults\">\n<table>\n<thead><tr><th scope=\"col\">trial</th>"
                   "<th scope=\"col\">attempt</th><th scope=\"col\">kind</th>"
                   "<th scope=\"col\">what happened</th><th scope=\"col\">what followed</th>"
                   "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < data->fault_count; i++) {
        const struct report_fault *fault = &data->faults[i];
        text_add(text, "<tr>");
        html_take(text, "th scope=\"row\"", NULL, number_in_hand(fault->trial, 0));
        html_take(text, "td", NULL, number_in_hand(fault->attempt, 1));
        html_element(text, "td", NULL, fault->kind);
        html_element(text, "td", "long", fault->reason);
        html_element(text, "td", NULL, fault->action);
        text_add(text, "</tr>\n");
    }
    text_add(text, "</tbody>\n</table>\n</div>\n</section>\n");
}
