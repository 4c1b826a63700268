#include "reports/report_html.h"

#include "common/base.h"
#include "common/embed.h"
#include "reports/chart_confusion.h"
#include "reports/chart_curves.h"
#include "reports/escape.h"
#include "reports/format.h"
#include "reports/html.h"
#include "reports/html_tables.h"
#include "reports/page.h"
#include "reports/svg.h"

#include <stdlib.h>
#include <string.h>

EMBED(report_page, "reports/web/page.html");
EMBED(report_style, "reports/web/style.css");
extern const char report_page[], report_style[];

/* ---- the summary ---- */

static void add_name(struct text *text, const struct report_data *data)
{
    escape_markup(text, data->name);
}

static const char *dataset_name(const struct report_data *data)
{
    const char *name = json_string_value(json_object_get(data->dataset, "dataset"));
    return name ? name : "unnamed data";
}

/* What was done, in one or two sentences. */
static void add_lead(struct text *text, const struct report_data *data)
{
    char *value = format_measure(data->winner_value);
    char *images = format_count(data->metrics.total);
    struct text lead = TEXT_EMPTY;
    text_addf(&lead, "Trial %d of %zu is the best: %s %s after %d epoch%s. ", data->winner,
              data->trial_count, data->metric, value, data->winner_epochs,
              data->winner_epochs == 1 ? "" : "s");
    if (data->final.count > 0)
        text_add(&lead, "It was trained anew on training and validation images and then ");
    else
        text_add(&lead, "Its model was ");
    text_addf(&lead, "tested once, on the %s test images of the data set %s.", images,
              dataset_name(data));
    html_take(text, "p", "lead", text_take(&lead));
    if (*data->void_reason)
        html_take(text, "p", "notice",
                  xasprintf("This result may depend on chance: %s.", data->void_reason));
    if (*data->note)
        html_element(text, "p", "notice", data->note);
    free(value);
    free(images);
}

/* A large figure with what it is above and a remark below; frees both strings. */
static void add_figure(struct text *text, const char *name, char *value, char *remark)
{
    text_add(text, "<div>");
    html_element(text, "dt", NULL, name);
    html_take(text, "dd", "figure", value);
    html_take(text, "dd", "remark", remark);
    text_add(text, "</div>\n");
}

static size_t trials_failed(const struct report_data *data)
{
    size_t failed = 0;
    for (size_t i = 0; i < data->trial_count; i++)
        failed += strcmp(data->trials[i].state, "failed") == 0;
    return failed;
}

static double model_parameters(const struct report_data *data)
{
    double sum = 0.0;
    size_t index;
    json_t *layer;
    json_array_foreach(data->layers, index, layer)
        sum += json_number_value(json_object_get(layer, "parameters"));
    return sum;
}

static char *interval_text(const struct metrics *metrics)
{
    double low, high;
    wilson_interval(metrics->correct, metrics->total, &low, &high);
    return xasprintf("95 %% interval: %.2f\xE2\x80\x93%.2f %%", low * 100.0, high * 100.0);
}

static void add_figures(struct text *text, const struct report_data *data)
{
    const struct metrics *metrics = &data->metrics;
    char *total = format_count(metrics->total);
    size_t failed = trials_failed(data);
    add_figure(text, "Test accuracy", format_percent(metrics->accuracy),
               interval_text(metrics));
    add_figure(text, "Mistakes", format_count(metrics->total - metrics->correct),
               xasprintf("of %s test images", total));
    add_figure(text, "Trials", format_count((int64_t)data->trial_count),
               failed > 0 ? xasprintf("%zu of them failed", failed)
                          : xasprintf("%s, %s", data->sampler, data->scheduler));
    add_figure(text, "Epochs", format_count(data->epochs_run), xstrdup("trained in the search"));
    add_figure(text, "Time taken", format_duration(data->seconds),
               data->started_ms > 0 ? format_time(data->started_ms)
                                    : xstrdup(""));
    add_figure(text, "Model", format_count((int64_t)model_parameters(data)),
               xstrdup("parameters"));
    free(total);
}

/* ---- how to do it again ---- */

/* A path as a shell takes it for one word. */
static char *shell_word(const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_./-+=:,@%";
    if (*word && *word != '-' && strspn(word, plain) == strlen(word))
        return xstrdup(word);
    struct text quoted = TEXT_EMPTY;
    text_add_char(&quoted, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            text_add(&quoted, "'\\''");
        else
            text_add_char(&quoted, *word);
    }
    text_add_char(&quoted, '\'');
    return text_take(&quoted);
}

static void add_again(struct text *text, const struct report_data *data)
{
    char *file = shell_word(data->file);
    html_take(text, "pre", "command", xasprintf("tuner run %s", file));
    text_add(text, "<p>Seed ");
    html_element(text, "code", NULL, data->seed);
    text_add(text, " explains every draw. This page is written anew, from the database alone, "
                   "by ");
    html_take(text, "code", NULL, xasprintf("tuner report %s", data->name));
    text_add(text, ". The study file as it was run:</p>\n");
    html_element(text, "pre", "file", data->text);
    free(file);
}

/* ---- the page ---- */

static void add_confusion(struct text *text, const struct report_data *data)
{
    /* A matrix of many classes takes the page's whole width, and is not shrunk to a
     * telephone's. */
    text_addf(text, "<div class=\"scroll%s\">\n", data->classes > 12 ? " many" : "");
    chart_confusion(text, &data->confusion, data->class_names, false);
    text_add(text, "</div>\n");
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
    text_add(text, svg_style);
}

/* What fills each slot of web/page.html. */
static const struct part {
    const char *slot;
    void (*add)(struct text *text, const struct report_data *data);
} parts[] = {
    {"style", add_style},
    {"name", add_name},
    {"lead", add_lead},
    {"figures", add_figures},
    {"classes", html_classes},
    {"confusion", add_confusion},
    {"loss", add_loss},
    {"accuracy", add_accuracy},
    {"parameters", html_parameters},
    {"training", html_training},
    {"layers", html_layers},
    {"trials", html_trials},
    {"faults", html_faults},
    {"again", add_again},
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
