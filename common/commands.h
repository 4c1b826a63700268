/* The commands of a program: a table from which one is called, and from which the program's
 * --help, its manual page and what shells complete are made. */
#ifndef COMMON_COMMANDS_H
#define COMMON_COMMANDS_H

#include "common/base.h"

struct command {
    const char *name;
    /* Takes its own arguments, a NULL-terminated list after its name; must begin with
     * options_parse(), which is how it explains itself.  `why` holds the message when the exit
     * code is neither 0 nor 130. */
    enum exit_code (*run)(char *const arguments[], struct failure *why);
    const char *words;   /* as the list shows them, "STUDY", or "" */
    const char *summary; /* what it does, begun small; NULL: for programs, and shown nowhere */
    const char *heading; /* a line above it and those that follow, or NULL */
};

struct commands_variable {
    const char *name, *help; /* of the environment */
};

/* Texts are as in common/options.h. */
struct commands {
    const char *program, *version;
    const char *summary; /* what the program is, without a full stop */
    const char *about;   /* a text */
    const char *examples;
    const struct command *list;
    size_t count;
    const char *notes; /* a text, after the list */
    const struct commands_variable *variables;
    size_t variable_count;
    const char *exit_codes;
    const char *see_also; /* another program's page */
};

/* Calls the command that arguments[0] names with the rest of them, or shows --help, --version
 * or what `help` is asked for; without any argument the help goes to stderr. */
enum exit_code commands_run(const struct commands *commands, char *const arguments[],
                            struct failure *why);

#endif
