#include "reports/report_markdown.h"

#include "reports/format.h"
#include "reports/layer_table.h"
#include "reports/reproduce.h"

#include <stdlib.h>
#include <string.h>

/* Text from outside, so that it is text and nothing else: what means something to Markdown
 * has a backslash before it, and what means something to HTML is an entity. */
static void add_plain(struct text *text, const char *string)
{
    for (; *string; string++) {
        if (*string == '<')
            text_add(text, "&lt;");
        else if (*string == '&')
            text_add(text, "&amp;");
        else if (*string == '\n' || *string == '\r')
            text_add_char(text, ' ');
        else
            text_addf(text, "%s%c", strchr("\\`*_[]#|~>!", *string) ? "\\" : "", *string);
    }
}

/* A row of a table whose first cell comes from outside; frees the value. */
static void add_row(struct text *text, const char *name, char *value)
{
    text_add(text, "| ");
    add_plain(text, name);
    text_add(text, " | ");
    add_plain(text, value);
    text_add(text, " |\n");
    free(value);
}

/* The longest run of backticks in it, at least two. */
static size_t longest_fence(const char *string)
{
    size_t longest = 2;
    for (; *string; string++) {
        size_t run = strspn(string, "`");
        longest = run > longest ? run : longest;
        string += run > 0 ? run - 1 : 0;
    }
    return longest;
}

/* A block between fences that nothing in it can end. */
static void add_block(struct text *text, const char *language, const char *content)
{
    size_t fence = longest_fence(content) + 1, length = strlen(content);
    for (size_t i = 0; i < fence; i++)
        text_add_char(text, '`');
    text_addf(text, "%s\n", language);
    text_add(text, content);
    text_add(text, length > 0 && content[length - 1] == '\n' ? "" : "\n");
    for (size_t i = 0; i < fence; i++)
        text_add_char(text, '`');
    text_add(text, "\n\n");
}

static void add_summary(struct text *text, const struct report_data *data)
{
    const struct metrics *metrics = &data->metrics;
    double low, high;
    wilson_interval(metrics->correct, metrics->total, &low, &high);
    char *accuracy = format_percent(metrics->accuracy);
    text_add(text, "| | |\n| --- | --- |\n");
    add_row(text, "test accuracy", xasprintf("%s (95 %% interval %.2f to %.2f %%)", accuracy,
                                             low * 100.0, high * 100.0));
    add_row(text, "mistakes", xasprintf("%lld of %lld test images",
                                        (long long)(metrics->total - metrics->correct),
                                        (long long)metrics->total));
    add_row(text, "log loss", format_measure(data->scoring.log_loss));
    add_row(text, "Brier score", format_measure(data->scoring.brier));
    add_row(text, "expected calibration error", format_measure(data->scoring.ece));
    for (int i = 0; i < SCORING_TOPS; i++) {
        if (scoring_tops[i] >= data->classes)
            break;
        char *name = xasprintf("among the top %d", scoring_tops[i]);
        add_row(text, name, format_percent(data->scoring.top[i]));
        free(name);
    }
    add_row(text, "winner", xasprintf("trial %d of %zu", data->winner, data->trial_count));
    add_row(text, data->metric, format_measure(data->winner_value));
    add_row(text, "search", xasprintf("%s, %s: %lld epochs", data->sampler, data->scheduler,
                                      (long long)data->epochs_run));
    add_row(text, "time", format_duration(data->seconds));
    text_add_char(text, '\n');
    free(accuracy);
}

static void add_classes(struct text *text, const struct report_data *data)
{
    char *table = metrics_text(&data->metrics, data->classes, data->class_names);
    text_add(text, "## Classification report\n\n");
    add_block(text, "", table);
    free(table);
    if (data->confused_count > 0)
        text_add(text, "Most confused:\n\n");
    for (size_t i = 0; i < data->confused_count; i++) {
        char *sentence = confused_text(&data->confused[i], &data->metrics, data->class_names);
        text_add(text, "- ");
        add_plain(text, sentence);
        text_add_char(text, '\n');
        free(sentence);
    }
    text_add(text, data->confused_count > 0 ? "\n" : "");
    text_add(text, "![Confusion matrix](confusion.svg)\n\n![Learning curves](curves.svg)\n\n"
                   "![Surest mistakes](mistakes.png)\n\n");
}

static void add_parameters(struct text *text, const struct report_data *data)
{
    const char *name;
    json_t *value;
    text_add(text, "## Hyperparameters\n\n| parameter | value |\n| --- | --- |\n");
    json_object_foreach(data->parameters, name, value)
        add_row(text, name, format_value(value, 0));
    text_add_char(text, '\n');
}

static void add_model(struct text *text, const struct report_data *data)
{
    size_t count;
    struct layer_row *rows = layer_table(data->layers, &count);
    text_add(text, "## Model\n\n| layer (type) | output shape | parameters | FLOPs per image |\n"
                   "| --- | --- | ---: | ---: |\n");
    for (size_t i = 0; i <= count; i++) {
        const char *const cells[] = {rows[i].name, rows[i].shape, rows[i].parameters,
                                     rows[i].flops};
        for (size_t k = 0; k < ARRAY_LENGTH(cells); k++) {
            text_add(text, "| ");
            add_plain(text, cells[k]);
            text_add_char(text, ' ');
        }
        text_add(text, "|\n");
    }
    text_add_char(text, '\n');
    layer_table_free(rows, count);
}

static void add_again(struct text *text, const struct report_data *data)
{
    json_t *versions = reproduce_versions(data), *arithmetic = reproduce_arithmetic(data);
    char *command = reproduce_command(data);
    text_add(text, "## How to do it again\n\n");
    add_block(text, "sh", command);
    text_add(text, "| | |\n| --- | --- |\n");
    add_row(text, "seed", xstrdup(data->seed));
    add_row(text, "programs", reproduce_list(versions));
    add_row(text, "arithmetic", reproduce_list(arithmetic));
    text_add(text, "\nThe study file:\n\n");
    add_block(text, "yaml", data->text);
    free(command);
    json_decref(versions);
    json_decref(arithmetic);
}

void report_markdown(struct text *text, const struct report_data *data)
{
    text_add(text, "# ");
    add_plain(text, data->name);
    text_add(text, "\n\n");
    if (*data->void_reason) {
        text_add(text, "This result may depend on chance: ");
        add_plain(text, data->void_reason);
        text_add(text, ".\n\n");
    }
    add_summary(text, data);
    add_classes(text, data);
    add_parameters(text, data);
    add_model(text, data);
    add_again(text, data);
}
