#include "common/options.h"
#include "tuner/command.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What a turn of the daemon frees the next one needs: giving it back to the system in between
 * costs a tenth of its time. */
enum { TRIM_BYTES = 16 << 20 };

static const struct {
    const char *name;
    enum exit_code (*run)(char *const arguments[], struct failure *why);
} commands[] = {
    {"run", command_run},   {"check", command_check},   {"trials", command_trials},
    {"best", command_best}, {"report", command_report}, {"list", command_list},
    {"export", command_export_study}, {"import", command_import}, {"sql", command_sql},
    {"compare", command_compare},
    {"serve", command_serve}, {"submit", command_submit}, {"status", command_status},
    {"watch", command_watch}, {"pause", command_pause},   {"resume", command_resume},
    {"stop", command_stop},   {"cancel", command_cancel}, {"set", command_set},
    {"logs", command_logs},   {"ask", command_ask},       {"tell", command_tell},
    {"prepare", command_prepare}, /* for the daemon's own use */
};

static const char help[] =
    "Examples:\n"
    "  tuner check search_spaces/quickstart.yaml   what it would do, without doing it\n"
    "  tuner run search_spaces/quickstart.yaml     search, train the winner, write the report\n"
    "  tuner trials quickstart                     every trial with its parameters\n"
    "  tuner best quickstart                       the winner and its test accuracy\n"
    "  tuner report quickstart                     write the report again\n"
    "  tuner list                                  the studies of this home\n"
    "  tuner sql --query by_parameter quickstart   what each value of a parameter came to\n"
    "  tuner serve --detach                        a daemon, for any number of studies\n"
    "  tuner submit search_spaces/quickstart.yaml  gives it one; then tuner status, tuner watch\n"
    "\n"
    "Usage: tuner COMMAND [OPTIONS] ...\n"
    "\n"
    "  run FILE      runs a study, or goes on where it was; Ctrl-C loses nothing\n"
    "  check FILE    checks a study file and shows its plan; makes nothing\n"
    "  trials STUDY  lists the trials\n"
    "  best STUDY    shows the best trial; --config, --model for use elsewhere\n"
    "  report STUDY  writes the report from the database\n"
    "  list          lists the studies\n"
    "  compare STUDY STUDY...  shows studies side by side, and whether they differ\n"
    "  sql [QUERY]   asks the database in SQL; --queries lists what stands ready\n"
    "  export STUDY  writes the best model, or a trial's, for other programs (ONNX, PyTorch,\n"
    "                Keras, C); or all trials as CSV, as JSON or for Optuna\n"
    "  import FILE   takes a study of Optuna's, or a CSV of parameters and values\n"
    "\n"
    "With a daemon (docs/control.md), where `run` only watches:\n"
    "  serve         works on all studies of a home, in the foreground or --detach\n"
    "  submit FILE   gives it a study\n"
    "  status        what it has in hand; of one STUDY, its workers and rungs\n"
    "  watch STUDY   follows a study to its end\n"
    "  pause, resume, stop, cancel STUDY   keep what was learned\n"
    "  set [STUDY]   workers, priority and limits\n"
    "  logs          what it and its workers said\n"
    "  ask STUDY, tell STUDY TRIAL         for a training program of your own\n"
    "\n"
    "Every command explains itself: tuner run --help.\n"
    "The home folder is --home DIR, else $TUNER_HOME, else ./tuning.\n"
    "Exit codes: 0 done, 1 failed, 64 wrong usage, 65 bad input, 71 out of memory,\n"
    "130 interrupted.\n";

static enum exit_code unknown(const char *word, struct failure *why)
{
    const char *names[ARRAY_LENGTH(commands)];
    size_t i;
    for (i = 0; i < ARRAY_LENGTH(commands); i++)
        names[i] = commands[i].name;
    options_unknown(why, "command", word, names, ARRAY_LENGTH(names));
    return EXIT_BAD_USAGE;
}

static enum exit_code dispatch(char *const arguments[], struct failure *why)
{
    size_t i;
    if (arguments[0] == NULL) {
        fputs(help, stderr);
        return EXIT_BAD_USAGE;
    }
    if (strcmp(arguments[0], "--help") == 0 || strcmp(arguments[0], "-h") == 0 ||
        strcmp(arguments[0], "help") == 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (strcmp(arguments[0], "--version") == 0) {
        puts("tuner " TUNER_VERSION);
        return EXIT_DONE;
    }
    for (i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(arguments[0], commands[i].name) == 0)
            return commands[i].run(arguments + 1, why);
    }
    return unknown(arguments[0], why);
}

/* Messages about a study file begin with its place, as compilers' do; the others
 * with the program's name. */
static void show(const struct failure *why)
{
    if (strstr(why->text, ": error: ") != NULL)
        fprintf(stderr, "%s\n", why->text);
    else
        message("%s", why->text);
}

int main(int count, char *arguments[])
{
    struct failure why = FAILURE_NONE;
    enum exit_code code;
    (void)count;
    message_program("tuner");
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
    signal(SIGPIPE, SIG_IGN); /* a dead worker or reader is an error of its write */
    code = dispatch(arguments + 1, &why);
    if (why.text != NULL && code != EXIT_DONE && code != EXIT_INTERRUPTED)
        show(&why);
    failure_clear(&why);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return (int)code;
}
