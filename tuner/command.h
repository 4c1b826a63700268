/* The subcommands of the tuner, each as common/commands.h wants it: it takes its own
 * arguments, a NULL-terminated list after its name, and returns an exit code; `why` holds the
 * message when that is neither 0 nor 130. */
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
enum exit_code command_sql(char *const arguments[], struct failure *why);
enum exit_code command_compare(char *const arguments[], struct failure *why);
enum exit_code command_list(char *const arguments[], struct failure *why);
enum exit_code command_import(char *const arguments[], struct failure *why);
enum exit_code command_export_study(char *const arguments[], struct failure *why);
enum exit_code command_serve(char *const arguments[], struct failure *why);
enum exit_code command_submit(char *const arguments[], struct failure *why);
enum exit_code command_status(char *const arguments[], struct failure *why);
enum exit_code command_watch(char *const arguments[], struct failure *why);
enum exit_code command_pause(char *const arguments[], struct failure *why);
enum exit_code command_resume(char *const arguments[], struct failure *why);
enum exit_code command_stop(char *const arguments[], struct failure *why);
enum exit_code command_cancel(char *const arguments[], struct failure *why);
enum exit_code command_set(char *const arguments[], struct failure *why);
enum exit_code command_logs(char *const arguments[], struct failure *why);
enum exit_code command_ask(char *const arguments[], struct failure *why);
enum exit_code command_tell(char *const arguments[], struct failure *why);

#endif
