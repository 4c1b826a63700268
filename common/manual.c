#include "common/manual.h"

#include "common/help.h"

#include <stdlib.h>
#include <string.h>

/* ---- the markup ---- */

/* Adds a piece as it stands: what troff would take for markup, or print as another character
 * than a user has to type, is written as its escape. */
static void add_escaped(struct text *text, const char *piece, size_t length)
{
    static const struct {
        char character;
        const char *escape;
    } escapes[] = {
        {'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'`', "\\(ga"},
        {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"},
    };
    for (size_t i = 0; i < length; i++) {
        const char *escape = NULL;
        for (size_t e = 0; e < ARRAY_LENGTH(escapes); e++) {
            if (piece[i] == escapes[e].character)
                escape = escapes[e].escape;
        }
        if (escape)
            text_add(text, escape);
        else
            text_add_char(text, piece[i]);
    }
}

/* Adds one line of a text; what is in backquotes becomes bold. */
static void add_line(struct text *text, const char *line, size_t length)
{
    const char *end = line + length;
    bool bold = false;
    if (*line == '.')
        text_add(text, "\\&"); /* no request */
    while (line < end) {
        const char *quote = memchr(line, '`', (size_t)(end - line));
        const char *until = quote ? quote : end;
        add_escaped(text, line, (size_t)(until - line));
        line = until;
        if (quote) {
            bold = !bold;
            text_add(text, bold ? "\\fB" : "\\fR");
            line++;
        }
    }
    text_add_char(text, '\n');
}

/* Adds lines that are shown as they are. */
static void add_literal(struct text *text, const char *lines, const char *font)
{
    text_add(text, ".nf\n");
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        text_addf(text, "\\&\\f%s", font);
        add_escaped(text, lines, length);
        text_add(text, "\\fR\n");
        lines += length + (lines[length] == '\n');
    }
    text_add(text, ".fi\n");
}

static void add_text(struct text *text, const char *lines)
{
    bool literal = false, begun = false;
    while (lines && *lines) {
        size_t length = strcspn(lines, "\n");
        if ((*lines == ' ') != literal) {
            literal = !literal;
            text_add(text, literal ? ".nf\n" : ".fi\n");
        } else if (begun && !literal && length > 0) {
            text_add(text, ".br\n");
        }
        begun = length > 0;
        if (length == 0 && !literal)
            text_add(text, ".PP\n");
        else
            add_line(text, lines, length);
        lines += length + (lines[length] == '\n');
    }
    if (literal)
        text_add(text, ".fi\n");
}

/* ---- a command ---- */

static void add_option(struct text *text, const struct option_rule *rule)
{
    text_add(text, ".TP\n\\fB\\-\\-");
    add_escaped(text, rule->name, strlen(rule->name));
    text_add(text, "\\fR");
    if (rule->letter)
        text_addf(text, ", \\fB\\-%c\\fR", rule->letter);
    if (rule->placeholder) {
        text_add(text, " \\fI");
        add_escaped(text, rule->placeholder, strlen(rule->placeholder));
        text_add(text, "\\fR");
    }
    text_add_char(text, '\n');
    add_line(text, rule->help, strlen(rule->help));
}

static void add_examples(struct text *text, const char *examples)
{
    text_add(text, ".PP\nExamples:\n.RS 4\n");
    add_literal(text, examples, "R");
    text_add(text, ".RE\n");
}

void manual_add_command(struct text *text, const struct options *options)
{
    char *usage = help_usage(options);
    text_addf(text, ".SS \"%s\"\n", options->command);
    add_literal(text, usage, "B");
    free(usage);
    if (options->about) {
        text_add(text, ".PP\n");
        add_text(text, options->about);
    }
    for (size_t i = 0; i < options->rule_count; i++)
        add_option(text, &options->rules[i]);
    if (options->notes) {
        text_add(text, ".PP\n");
        add_text(text, options->notes);
    }
    if (options->exit_codes) {
        text_add(text, ".PP\nExit codes: ");
        add_escaped(text, options->exit_codes, strlen(options->exit_codes));
        text_add(text, ".\n");
    }
    if (options->examples)
        add_examples(text, options->examples);
}

/* ---- a program ---- */

void manual_add_head(struct text *text, const struct commands *commands)
{
    text_addf(text, ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n", commands->program,
              commands->program, commands->version);
    text_addf(text, ".SH NAME\n%s \\- ", commands->program);
    add_line(text, commands->summary, strlen(commands->summary));
    text_addf(text, ".SH SYNOPSIS\n\\fB%s\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n",
              commands->program);
    text_add(text, ".SH DESCRIPTION\n");
    add_text(text, commands->about);
    text_add(text, ".SH EXAMPLES\n");
    add_literal(text, commands->examples, "R");
    text_add(text, ".SH COMMANDS\n");
}

void manual_add_foot(struct text *text, const struct commands *commands)
{
    text_add(text, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < commands->variable_count; i++) {
        const struct commands_variable *variable = &commands->variables[i];
        text_addf(text, ".TP\n\\fB%s\\fR\n", variable->name);
        add_line(text, variable->help, strlen(variable->help));
    }
    text_add(text, ".SH EXIT STATUS\n");
    add_escaped(text, commands->exit_codes, strlen(commands->exit_codes));
    text_addf(text, ".\n.SH SEE ALSO\n.BR %s (1)\n", commands->see_also);
}
