/* The subcommands of the trainer.  Each takes its own arguments (a NULL-terminated
 * list after its name) and returns an exit code; `why` holds the message when that
 * is not 0. */
#ifndef TRAINER_COMMAND_H
#define TRAINER_COMMAND_H

#include "common/base.h"

#define TRAINER_VERSION "1.0"

enum exit_code command_train(char *const arguments[], struct failure *why);
enum exit_code command_evaluate(char *const arguments[], struct failure *why);
enum exit_code command_predict(char *const arguments[], struct failure *why);
enum exit_code command_summary(char *const arguments[], struct failure *why);
enum exit_code command_synth(char *const arguments[], struct failure *why);
enum exit_code command_worker(char *const arguments[], struct failure *why);
enum exit_code command_bench(char *const arguments[], struct failure *why);
enum exit_code command_export(char *const arguments[], struct failure *why);

#endif
