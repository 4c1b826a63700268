#include "tuner/command.h"

#include <stdio.h>

enum exit_code command_help(int parsed, const char *help)
{
    if (parsed > 0)
        fputs(help, stdout);
    return parsed > 0 ? EXIT_DONE : EXIT_BAD_USAGE;
}
