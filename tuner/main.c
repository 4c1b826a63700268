#include "common/commands.h"
#include "common/program.h"
#include "tuner/command.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What a turn of the daemon frees the next one needs: giving it back to the system in between
 * costs a tenth of its time. */
enum { TRIM_BYTES = 16 << 20 };

static const struct command list[] = {
    {"run", command_run, "STUDY.yaml",
     "runs a study, or goes on where it was; Ctrl-C loses nothing", NULL},
    {"check", command_check, "STUDY.yaml", "checks a study file and shows its plan; makes nothing",
     NULL},
    {"trials", command_trials, "STUDY", "lists the trials", NULL},
    {"best", command_best, "STUDY", "shows the best trial; --config, --model for use elsewhere",
     NULL},
    {"report", command_report, "STUDY", "writes the report from the database", NULL},
    {"list", command_list, "", "lists the studies", NULL},
    {"compare", command_compare, "STUDY...", "shows studies side by side, and whether they differ",
     NULL},
    {"sql", command_sql, "[QUERY]",
     "asks the database in SQL; --queries lists what stands ready", NULL},
    {"export", command_export_study, "STUDY",
     "writes the best model, or a trial's, for other programs (ONNX, PyTorch, Keras, C); or all "
     "trials as CSV, as JSON or for Optuna", NULL},
    {"import", command_import, "FILE",
     "takes a study of Optuna's, or a CSV of parameters and values", NULL},
    {"serve", command_serve, "", "works on all studies of a home, in the foreground or --detach",
     "With a daemon (docs/control.md), where `run` only watches:"},
    {"submit", command_submit, "STUDY.yaml", "gives it a study", NULL},
    {"status", command_status, "[STUDY]",
     "what it has in hand; of one STUDY, its workers and rungs", NULL},
    {"watch", command_watch, "STUDY", "follows a study to its end", NULL},
    {"pause", command_pause, "STUDY", "starts nothing new for it; what runs goes on", NULL},
    {"resume", command_resume, "STUDY", "goes on with one that was paused", NULL},
    {"stop", command_stop, "STUDY", "lets its running segments end, and puts it down", NULL},
    {"cancel", command_cancel, "STUDY", "ends its workers now; what was recorded stays", NULL},
    {"set", command_set, "[STUDY]", "workers, priority and limits", NULL},
    {"logs", command_logs, "[STUDY]", "what it and its workers said", NULL},
    {"ask", command_ask, "STUDY", "draws a configuration for a training program of your own", NULL},
    {"tell", command_tell, "STUDY TRIAL", "says how that went", NULL},
    {"prepare", command_prepare, "", NULL, NULL}, /* for the daemon's own use */
};

static const struct commands_variable variables[] = {
    {"TUNER_HOME", "the home folder of commands without --home; `./tuning` if it is not set"},
    {"MNIST_DIR", "a folder with the files of MNIST, before data/mnist of the home is looked "
                  "into and they are fetched"},
};

static const struct commands commands = {
    .program = "tuner",
    .version = TUNER_VERSION,
    .summary = "hyperparameter tuning for image classifiers",
    .about =
        "Searches the best settings of an image classifier, as a study file describes them: "
        "launches workers that train (trainer(1)), records every trial in an SQLite database, "
        "and writes a report about the best model.  A study that was interrupted, in whatever "
        "way, goes on where it was when it is run again.\n",
    .examples =
        "tuner check search_spaces/quickstart.yaml   what it would do, without doing it\n"
        "tuner run search_spaces/quickstart.yaml     search, train the winner, report\n"
        "tuner trials quickstart                     every trial with its parameters\n"
        "tuner best quickstart                       the winner and its test accuracy\n"
        "tuner report quickstart                     write the report again\n"
        "tuner list                                  the studies of this home\n"
        "tuner sql --query by_parameter quickstart   what each parameter value did\n"
        "tuner serve --detach                        a daemon, for many studies\n"
        "tuner submit search_spaces/quickstart.yaml  then tuner status, tuner watch\n",
    .list = list,
    .count = ARRAY_LENGTH(list),
    .notes = "Every command explains itself: tuner run --help.\n"
             "The home folder is --home DIR, else $TUNER_HOME, else ./tuning.\n",
    .variables = variables,
    .variable_count = ARRAY_LENGTH(variables),
    .exit_codes = "0 done, 1 failed, 64 wrong usage, 65 bad input, 71 out of memory, "
                  "130 interrupted",
    .see_also = "trainer",
};

/* Messages about a study file begin with its place, as compilers' do; the others
 * with the program's name. */
static void show(const struct failure *why)
{
    make_visible(why->text);
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
    program_begin();
    message_program("tuner");
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
    signal(SIGPIPE, SIG_IGN); /* a dead worker or reader is an error of its write */
    code = commands_run(&commands, arguments + 1, &why);
    if (why.text != NULL && code != EXIT_DONE && code != EXIT_INTERRUPTED)
        show(&why);
    failure_clear(&why);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return (int)code;
}
