#include "reports/html_parts.h"

#include "reports/escape.h"
#include "reports/format.h"
#include "reports/html.h"
#include "reports/reproduce.h"

#include <stdlib.h>
#include <string.h>

void html_name(struct text *text, const struct report_data *data)
{
    escape_markup(text, data->name);
}

/* One of the user's own is known by its folder or file rather than by the format. */
static const char *dataset_name(const struct report_data *data)
{
    const char *name = json_string_value(json_object_get(data->dataset, "dataset"));
    const char *slash = strrchr(data->folder, '/');
    if (*data->folder)
        return slash && slash[1] ? slash + 1 : data->folder;
    return name ? name : "unnamed data";
}

void html_lead(struct text *text, const struct report_data *data)
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

static char *interval_text(const struct metrics *metrics)
{
    double low, high;
    wilson_interval(metrics->correct, metrics->total, &low, &high);
    return xasprintf("95 %% interval: %.2f\xE2\x80\x93%.2f %%", low * 100.0, high * 100.0);
}

void html_figures(struct text *text, const struct report_data *data)
{
    const struct metrics *metrics = &data->metrics;
    char *total = format_count(metrics->total);
    char *training = format_duration(data->training_seconds);
    add_figure(text, "Test accuracy", format_percent(metrics->accuracy),
               interval_text(metrics));
    add_figure(text, "Mistakes", format_count(metrics->total - metrics->correct),
               xasprintf("of %s test images", total));
    add_figure(text, "Trials", format_count((int64_t)data->trial_count),
               data->trials_failed > 0 ? xasprintf("%zu of them failed", data->trials_failed)
                                       : xasprintf("%s, %s", data->sampler, data->scheduler));
    add_figure(text, "Epochs", format_count(data->epochs_run),
               xasprintf("%s of training", training));
    add_figure(text, "Time taken", format_duration(data->seconds),
               data->started_ms > 0 ? format_time(data->started_ms)
                                    : xstrdup(""));
    if (json_array_size(data->layers) > 0)
        add_figure(text, "Model", format_count(report_parameter_count(data)),
                   xstrdup("parameters"));
    free(total);
    free(training);
}

void html_again(struct text *text, const struct report_data *data)
{
    json_t *versions = reproduce_versions(data), *arithmetic = reproduce_arithmetic(data);
    html_take(text, "pre", "command", reproduce_command(data));
    text_add(text, "<p>The seed explains every draw: the same study file and seed give the same "
                   "trials. This page is written anew, from the database alone, by ");
    html_take(text, "code", NULL, xasprintf("tuner report %s", data->name));
    text_add(text, ".</p>\n<table class=\"settings\"><tbody>\n");
    html_setting(text, "seed", xstrdup(data->seed));
    html_setting(text, "programs", reproduce_list(versions));
    html_setting(text, "arithmetic", reproduce_list(arithmetic));
    text_add(text, "</tbody></table>\n<h3>The study file as it was run</h3>\n");
    html_element(text, "pre", "file", data->text);
    json_decref(versions);
    json_decref(arithmetic);
}
