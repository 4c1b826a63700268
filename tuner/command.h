/* The subcommands of the tuner.  Each takes its own arguments (a NULL-terminated
 * list after its name) and returns an exit code; `why` holds the message when that
 * is neither 0 nor 130. */
#ifndef TUNER_COMMAND_H
#define TUNER_COMMAND_H

#include "common/base.h"

#define TUNER_VERSION "1.0"

enum exit_code command_prepare(char *const arguments[], struct failure *why);
enum exit_code command_run(char *const arguments[], struct failure *why);
enum exit_code command_check(char *const arguments[], struct failure *why);
enum exit_code command_trials(char *const arguments[], struct failure *why);
enum exit_code command_best(char *const arguments[], struct failure *why);
enum exit_code command_report(char *const arguments[], struct failure *why);
enum exit_code command_list(char *const arguments[], struct failure *why);

#endif
