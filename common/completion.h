/* What lets a shell complete a program's commands, options and their values: a script for
 * bash and one for zsh, made from what --help is made from. */
#ifndef COMMON_COMPLETION_H
#define COMMON_COMPLETION_H

#include "common/commands.h"
#include "common/options.h"
#include "common/text.h"

/* The part of one command. */
void completion_add_bash(struct text *text, const struct options *options);
void completion_add_zsh(struct text *text, const struct options *options);

/* What comes before the parts of the commands in a program's script, and after them. */
void completion_add_bash_head(struct text *text, const struct commands *commands);
void completion_add_bash_foot(struct text *text, const struct commands *commands);
void completion_add_zsh_head(struct text *text, const struct commands *commands);
void completion_add_zsh_foot(struct text *text, const struct commands *commands);

#endif
