#include "common/help.h"

#include "common/completion.h"
#include "common/manual.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_MOST = 22 }; /* characters of a label that the column of help makes room for */

static const struct {
    const char *argument;
    help_form *form;
} forms[] = {
    {"--help", help_add},
    {"-h", help_add},
    {"--help=man", manual_add_command},
    {"--help=bash", completion_add_bash},
    {"--help=zsh", completion_add_zsh},
};

help_form *help_form_of(const char *argument)
{
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (strcmp(argument, forms[i].argument) == 0)
            return forms[i].form;
    }
    return NULL;
}

static void add_spaces(struct text *text, size_t count)
{
    while (count-- > 0)
        text_add_char(text, ' ');
}

/* Adds words and a line's end after them, from the column `at` on, with the spaces that are
 * between them; further lines begin at `indent`. */
static void add_words(struct text *text, const char *words, size_t length, size_t at,
                      size_t indent)
{
    const char *end = words + length;
    size_t gap = 0;
    while (words < end) {
        size_t size = strcspn(words, " \n");
        if (gap > 0 && at + gap + size > HELP_WIDTH) {
            text_add_char(text, '\n');
            add_spaces(text, indent);
            at = indent;
        } else {
            add_spaces(text, gap);
            at += gap;
        }
        text_add_bytes(text, words, size);
        at += size;
        words += size;
        gap = strspn(words, " ");
        words += gap;
    }
    text_add_char(text, '\n');
}

void help_add_text(struct text *text, const char *lines)
{
    while (lines && *lines) {
        size_t length = strcspn(lines, "\n");
        if (*lines == ' ') {
            text_add_bytes(text, lines, length);
            text_add_char(text, '\n');
        } else {
            add_words(text, lines, length, 0, 0);
        }
        lines += length + (lines[length] == '\n');
    }
}

void help_add_examples(struct text *text, const char *lines)
{
    text_add(text, "Examples:\n");
    while (lines && *lines) {
        size_t length = strcspn(lines, "\n");
        text_add(text, "  ");
        text_add_bytes(text, lines, length);
        text_add_char(text, '\n');
        lines += length + (lines[length] == '\n');
    }
}

void help_add_row(struct text *text, const char *label, size_t column, const char *help)
{
    size_t length = strlen(label);
    text_addf(text, "  %s", label);
    if (length + 4 > column) {
        text_add_char(text, '\n');
        length = 0;
        add_spaces(text, column);
    } else {
        add_spaces(text, column - length - 2);
    }
    add_words(text, help, strlen(help), column, column);
}

char *help_label(const struct option_rule *rule)
{
    struct text label = TEXT_EMPTY;
    text_addf(&label, "--%s", rule->name);
    if (rule->letter)
        text_addf(&label, ", -%c", rule->letter);
    if (rule->placeholder)
        text_addf(&label, " %s", rule->placeholder);
    return text_take(&label);
}

void help_add_exit_codes(struct text *text, const char *exit_codes)
{
    char *line = xasprintf("Exit codes: %s.\n", exit_codes);
    help_add_text(text, line);
    free(line);
}

/* ---- usage ---- */

/* "STUDY [OTHER]": those that may be left out in brackets. */
static void add_words_of(struct text *text, const struct options *options)
{
    const char *words = options->words;
    for (size_t i = 0; words && *words; i++) {
        size_t length = strcspn(words, " ");
        text_addf(text, i < options->least_words ? " %.*s" : " [%.*s]", (int)length, words);
        words += length + strspn(words + length, " ");
    }
}

char *help_usage(const struct options *options)
{
    struct text text = TEXT_EMPTY;
    const char *lines = options->usage;
    if (!lines) {
        text_add(&text, options->command);
        add_words_of(&text, options);
        text_add(&text, options->rule_count > 0 ? " [OPTIONS]\n" : "\n");
    }
    while (lines && *lines) {
        size_t length = strcspn(lines, "\n");
        text_addf(&text, "%s %.*s\n", options->command, (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
    return text_take(&text);
}

static void add_usage(struct text *text, const struct options *options)
{
    static const char heading[] = "Usage: ";
    const size_t indent = sizeof heading - 1;
    char *usage = help_usage(options);
    const char *line = usage;
    while (*line) {
        size_t length = strcspn(line, "\n");
        if (line == usage)
            text_add(text, heading);
        else
            add_spaces(text, indent);
        add_words(text, line, length, indent, indent + strlen(options->command) + 1);
        line += length + 1;
    }
    free(usage);
}

/* ---- all ---- */

static void add_options(struct text *text, const struct options *options)
{
    size_t column = 0;
    for (size_t i = 0; i < options->rule_count; i++) {
        char *label = help_label(&options->rules[i]);
        size_t length = strlen(label);
        if (length <= LABEL_MOST && length + 4 > column)
            column = length + 4;
        free(label);
    }
    for (size_t i = 0; i < options->rule_count; i++) {
        char *label = help_label(&options->rules[i]);
        help_add_row(text, label, column, options->rules[i].help);
        free(label);
    }
}

void help_add(struct text *text, const struct options *options)
{
    if (options->examples) {
        help_add_examples(text, options->examples);
        text_add_char(text, '\n');
    }
    add_usage(text, options);
    if (options->about) {
        text_add_char(text, '\n');
        help_add_text(text, options->about);
    }
    if (options->rule_count > 0) {
        text_add_char(text, '\n');
        add_options(text, options);
    }
    if (options->notes || options->exit_codes)
        text_add_char(text, '\n');
    help_add_text(text, options->notes);
    if (options->exit_codes)
        help_add_exit_codes(text, options->exit_codes);
}
