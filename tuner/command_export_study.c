/* export: a study for other programs. */
#include "tuner/command.h"

#include "common/options.h"
#include "common/program.h"
#include "tuner/history.h"
#include "tuner/home.h"
#include "tuner/prepare.h"
#include "tuner/trained_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "STUDY [--onnx FILE] [--safetensors FILE] [--npz FILE] [--c FILE] [--csv FILE] [--json FILE] "
    "[--optuna FILE] [OPTIONS]\n";

static const char about[] =
    "Writes the final model of a study for other programs, checked against the network itself "
    "(docs/models.md describes the files), or the study with its trials (docs/database.md).\n";

static const char examples[] =
    "tuner export quickstart --onnx quickstart.onnx\n"
    "tuner export quickstart --trial 12 --onnx trial_12.onnx --pixels unit\n"
    "tuner export quickstart --optuna quickstart.optuna.db --csv quickstart.csv\n";

/* What can be written.  A model is written by the trainer, which has options of these names. */
static const struct {
    const char *name; /* of the option */
    /* Writes what the database has; NULL: it is of the model. */
    int (*write)(const struct visit *visit, const char *path, struct failure *why);
    const char *placeholder, *help; /* of the option */
} kinds[] = {
    {"csv", history_write_csv, "FILE",
     "a line for each trial with its parameters, state and value"},
    {"json", history_write_json, "FILE", "the trials with all their epochs"},
    {"optuna", history_write_optuna, "FILE",
     "the same as an SQLite storage of Optuna's, in a new file"},
    {"onnx", NULL, "FILE", "ONNX, operator set 13"},
    {"safetensors", NULL, "FILE", "PyTorch's names and layouts, and a script that loads them"},
    {"npz", NULL, "FILE", "Keras's, likewise"},
    {"c", NULL, "FILE.c", "a C source file that needs nothing else, and its header"},
};
enum { KINDS = ARRAY_LENGTH(kinds) };

struct request {
    const char *study, *home, *trainer, *pixels;
    int64_t trial;            /* -1: not said */
    const char *paths[KINDS]; /* NULL: not asked for */
};

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    const struct option_rule rest[] = {
        {"trial", 0, OPTION_INTEGER, &request->trial, 0, INT32_MAX, "N",
         "a trial's model, as its newest checkpoint has it, instead of the final one"},
        {"pixels", 0, OPTION_CHOICE, &request->pixels, 0, 0, "bytes|unit",
         "what the exported network takes: pixels from 0 to 255 (the default), or from 0 to 1"},
        {"trainer", 0, OPTION_TEXT, &request->trainer, 0, 0, "PROGRAM",
         "the trainer that writes models (default: the one beside the tuner)"},
        {"home", 0, OPTION_TEXT, &request->home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    struct option_rule rules[KINDS + ARRAY_LENGTH(rest)];
    const struct options options = {
        "tuner export", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1,
        .usage = usage, .about = about, .examples = examples};
    size_t i, asked = 0;
    int parsed;
    for (i = 0; i < KINDS; i++)
        rules[i] = (struct option_rule){kinds[i].name, 0, OPTION_TEXT, &request->paths[i], 0, 0,
                                        kinds[i].placeholder, kinds[i].help};
    memcpy(rules + KINDS, rest, sizeof rest);
    parsed = options_parse(&options, arguments, &request->study, NULL, why);
    for (i = 0; i < KINDS; i++)
        asked += request->paths[i] != NULL;
    if (parsed == 0 && asked == 0)
        return fail_usage(why, "say what to write, such as --onnx model.onnx; see tuner export "
                               "--help");
    return parsed;
}

/* ---- models ---- */

/* trainer export MODEL --pixels KIND --onnx FILE ...; what it says is shown as it is. */
static enum exit_code run_trainer(const struct request *request, const char *model,
                                  struct failure *why)
{
    char *own = prepare_own_trainer(), *made[1 + KINDS] = {NULL};
    char *words[ARRAY_LENGTH(made) + 4] = {own, "export", (char *)model};
    size_t count = 0, i;
    int code;
    if (request->trainer != NULL)
        words[0] = (char *)request->trainer;
    if (request->pixels != NULL)
        made[count++] = xasprintf("--pixels=%s", request->pixels);
    for (i = 0; i < KINDS; i++) {
        if (request->paths[i] != NULL && kinds[i].write == NULL)
            made[count++] = xasprintf("--%s=%s", kinds[i].name, request->paths[i]);
    }
    memcpy(words + 3, made, count * sizeof *made);
    fflush(stdout);
    code = program_run(words, "/dev/null", STDOUT_FILENO, why);
    for (i = 0; i < count; i++)
        free(made[i]);
    free(own);
    return code < 0 ? EXIT_FAILED : (enum exit_code)code;
}

static bool wants_model(const struct request *request)
{
    size_t i;
    for (i = 0; i < KINDS; i++) {
        if (request->paths[i] != NULL && kinds[i].write == NULL)
            return true;
    }
    return false;
}

static enum exit_code write_models(const struct request *request, const struct visit *visit,
                                   struct failure *why)
{
    struct trained_model model;
    enum exit_code code;
    if (trained_model_open(&model, visit, request->trial, why) != 0)
        return why->code;
    code = run_trainer(request, model.path, why);
    trained_model_close(&model);
    return code;
}

/* ---- all ---- */

static int write_rest(const struct request *request, const struct visit *visit,
                      struct failure *why)
{
    size_t i;
    for (i = 0; i < KINDS; i++) {
        if (request->paths[i] == NULL || kinds[i].write == NULL)
            continue;
        if (kinds[i].write(visit, request->paths[i], why) != 0)
            return -1;
        printf("%s: written\n", request->paths[i]);
    }
    return 0;
}

enum exit_code command_export_study(char *const arguments[], struct failure *why)
{
    struct request request = {.trial = -1};
    struct visit visit;
    enum exit_code code = EXIT_DONE;
    if (parse(arguments, &request, why) != 0)
        return why->code;
    if (visit_enter(&visit, request.home, request.study, why) == 0 &&
        write_rest(&request, &visit, why) == 0 && wants_model(&request))
        code = write_models(&request, &visit, why);
    visit_leave(&visit);
    return code != EXIT_DONE ? code : why->code;
}
