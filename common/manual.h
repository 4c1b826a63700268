/* Manual pages, in the markup of man(7), made from what --help is made from. */
#ifndef COMMON_MANUAL_H
#define COMMON_MANUAL_H

#include "common/commands.h"
#include "common/options.h"
#include "common/text.h"

/* What one command's part of its program's page says. */
void manual_add_command(struct text *text, const struct options *options);

/* What comes before the parts of the commands in a program's page, and after them. */
void manual_add_head(struct text *text, const struct commands *commands);
void manual_add_foot(struct text *text, const struct commands *commands);

#endif
