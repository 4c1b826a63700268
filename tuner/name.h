/* Names that become names in SQL: a study's and its parameters'. */
#ifndef TUNER_NAME_H
#define TUNER_NAME_H

#include <stdbool.h>

enum { NAME_LENGTH_MAX = 64 };

/* [A-Za-z][A-Za-z0-9_]{0,63} */
bool name_is_valid(const char *name);
/* A keyword of SQL as SQLite has them, or a name that SQLite keeps for itself. */
bool name_is_reserved(const char *name);

#endif
