/* Other programs, run to their end. */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include "common/base.h"

/* Runs arguments[0], looked for in $PATH if it names no folder, with stdin from the file
 * `input`, stdout to the descriptor `output` (-1: /dev/null) and the same stderr.  Returns its
 * exit code, or -1 with a failure where it could not be run or was ended by a signal. */
int program_run(char *const arguments[], const char *input, int output, struct failure *why);

#endif
