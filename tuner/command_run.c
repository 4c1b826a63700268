#include "tuner/command.h"

#include "common/options.h"
#include "reports/report.h"
#include "tuner/home.h"
#include "tuner/name.h"
#include "tuner/summary.h"
#include "tuner/tuner.h"

#include <stdio.h>
#include <stdlib.h>

static const char about[] =
    "Runs the study of a file: searches, trains the winner anew, evaluates it once on the test "
    "set and writes the report.  Run again, it goes on where it was.\n";

static const char examples[] =
    "tuner run search_spaces/quickstart.yaml\n"
    "tuner run study.yaml --workers 4 --home /data/tuning\n"
    "tuner run study.yaml --fresh        the same draws again, under a new name\n";

static const char notes[] =
    "Ctrl-C finishes the epochs in hand and records them; twice stops at once.\n"
    "Progress goes to stderr, the result to stdout.\n";

static int write_report(struct store *store, const char *home, const char *study,
                        struct failure *why)
{
    char *folder = home_report(home, study);
    int result = report_write(store, study, folder, why);
    free(folder);
    return result;
}

/* After a finished study: the report, and what the user came for on stdout. */
static enum exit_code show_result(const char *home, const char *study, bool json,
                                  struct failure *why)
{
    char *database = home_database(home);
    struct store *store = store_open(database, STORE_READ, why);
    enum exit_code code = EXIT_FAILED;
    if (store != NULL && write_report(store, home, study, why) == 0 &&
        summary_print(store, home, study, json, why) == 0)
        code = EXIT_DONE;
    else if (why->code != EXIT_DONE)
        code = why->code;
    store_close(store);
    free(database);
    return code;
}

/* Runs the study under another name than its file gives it. */
static int rename_study(struct study *study, const char *name, struct failure *why)
{
    if (!name_is_valid(name))
        return fail_usage(why, "--name %s: a study's name is a letter, then up to 63 letters, "
                               "digits and _", name);
    free(study->name);
    study->name = xstrdup(name);
    return 0;
}

static enum exit_code run(const char *file, const char *name, struct tuner_options *options,
                          bool json, struct failure *why)
{
    struct study *study = study_load(file, why);
    enum exit_code code;
    if (study == NULL)
        return why->code;
    if (name != NULL && rename_study(study, name, why) != 0) {
        study_free(study);
        return why->code;
    }
    code = tuner_run(study, options, why);
    if (code == EXIT_DONE)
        code = show_result(options->home, study->name, json, why);
    else if (code == EXIT_INTERRUPTED)
        message("interrupted; everything so far is recorded. "
                "To go on: tuner run %s --home %s --name %s", file, options->home, study->name);
    study_free(study);
    return code;
}

enum exit_code command_run(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *trainer = NULL, *name = NULL, *words[1];
    int64_t workers = 0;
    bool fresh = false, any_precision = false, quiet = false, json = false;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR",
         "where database, checkpoints, logs and reports are (default: $TUNER_HOME, else ./tuning)"},
        {"workers", 0, OPTION_INTEGER, &workers, 1, 1024, "N",
         "so many at once (default: as the study says, else one per core)"},
        {"fresh", 0, OPTION_FLAG, &fresh, 0, 0, NULL,
         "start over under a new name, such as study_2"},
        {"name", 0, OPTION_TEXT, &name, 0, 0, "NAME",
         "run it as the study NAME, rather than as its file says"},
        {"trainer", 0, OPTION_TEXT, &trainer, 0, 0, "PROGRAM",
         "the trainer to launch (default: the one beside the tuner)"},
        {"any-precision", 0, OPTION_FLAG, &any_precision, 0, 0, NULL,
         "go on although `precision: auto` means another precision here than where the study "
         "began, and its trials are then no more alike"},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "the result as JSON"},
        {"quiet", 'q', OPTION_FLAG, &quiet, 0, 0, NULL, "no progress"},
    };
    const struct options options = {
        "tuner run", rules, ARRAY_LENGTH(rules), "STUDY.yaml", 1, 1, .about = about,
        .examples = examples, .notes = notes,
        .exit_codes = "0 done, 1 failed, 64 wrong usage, 65 bad input, 130 interrupted"};
    struct tuner_options settings = {0};
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    path = home_path(home);
    settings = (struct tuner_options){.home = path, .trainer = trainer, .workers = (int)workers,
                                      .fresh = fresh, .any_precision = any_precision,
                                      .quiet = quiet};
    code = run(words[0], name, &settings, json, why);
    free(path);
    return code;
}
