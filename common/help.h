/* What a command says of itself, made from its table of options: the --help of a terminal;
 * and, for whoever builds and packages, its part of the manual and of the scripts with which
 * shells complete (common/manual.h, common/completion.h). */
#ifndef COMMON_HELP_H
#define COMMON_HELP_H

#include "common/options.h"
#include "common/text.h"

enum { HELP_WIDTH = 80 }; /* characters of a line, as a terminal has at least */

typedef void help_form(struct text *text, const struct options *options);

/* --help: examples first, then usage, what it does, and the options. */
help_form help_add;

/* What an argument asks for: "--help" and "-h" for help_add, "--help=man", "--help=bash" and
 * "--help=zsh" for the other forms; NULL when it is none of them. */
help_form *help_form_of(const char *argument);

/* Each way to write the command, a line each, with its name.  The caller frees it. */
char *help_usage(const struct options *options);

/* The name of an option as a user writes it, "--output, -o FILE". */
char *help_label(const struct option_rule *rule);

/* Adds `label` in a column of `column` characters, two before it included, and beside it
 * `help`, broken where it is too long; below a label that does not fit. */
void help_add_row(struct text *text, const char *label, size_t column, const char *help);

/* Adds a text (common/options.h), each of its lines broken at HELP_WIDTH. */
void help_add_text(struct text *text, const char *lines);

/* Adds "Exit codes: ..." and a full stop. */
void help_add_exit_codes(struct text *text, const char *exit_codes);

/* Adds "Examples:" and each line after two spaces. */
void help_add_examples(struct text *text, const char *lines);

#endif
