/* This program among others: what it is started with, and others run to their end. */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include "common/base.h"

/* Opens /dev/null in the place of what this process was started without of stdin, stdout and
 * stderr, so that no database and no socket gets one of their numbers.  Has a JSON value for
 * which there is no memory end the program, as everything else.  Of main(), at first. */
void program_begin(void);

/* Runs arguments[0], looked for in $PATH if it names no folder, with stdin from the file
 * `input`, stdout to the descriptor `output` (-1: /dev/null) and the same stderr.  Returns its
 * exit code, or -1 with a failure where it could not be run or was ended by a signal. */
int program_run(char *const arguments[], const char *input, int output, struct failure *why);

#endif
