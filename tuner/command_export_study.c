/* export: a study for other programs. */
#include "tuner/command.h"

#include "common/options.h"
#include "common/program.h"
#include "tuner/history.h"
#include "tuner/prepare.h"
#include "tuner/trained_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Examples:\n"
    "  tuner export quickstart --onnx quickstart.onnx\n"
    "  tuner export quickstart --trial 12 --onnx trial_12.onnx --pixels unit\n"
    "  tuner export quickstart --optuna quickstart.optuna.db --csv quickstart.csv\n"
    "\n"
    "Usage: tuner export STUDY [--onnx FILE] [--safetensors FILE] [--npz FILE] [--c FILE]\n"
    "                          [--csv FILE] [--json FILE] [--optuna FILE] [OPTIONS]\n"
    "\n"
    "Writes the final model of a study for other programs, checked against the network itself\n"
    "(docs/models.md describes the files), or the study with its trials (docs/database.md).\n"
    "\n"
    "  --csv FILE         a line for each trial with its parameters, state and value\n"
    "  --json FILE        the trials with all their epochs\n"
    "  --optuna FILE      the same as an SQLite storage of Optuna's, in a new file\n"
    "  --onnx FILE        ONNX, operator set 13\n"
    "  --safetensors FILE PyTorch's names and layouts, and a script that loads them\n"
    "  --npz FILE         Keras's, likewise\n"
    "  --c FILE           a C source file that needs nothing else, and its header\n"
    "  --trial N          a trial's model, as its newest checkpoint has it, instead of the\n"
    "                     final one\n"
    "  --pixels KIND      what the exported network takes: \"bytes\", pixels from 0 to 255 (the\n"
    "                     default); \"unit\", pixels from 0 to 1\n"
    "  --trainer PROGRAM  the trainer that writes models (default: the one beside the tuner)\n"
    "  --home DIR\n";

/* What can be written.  A model is written by the trainer, which has options of these names. */
static const struct {
    const char *name; /* of the option */
    /* Writes what the database has; NULL: it is of the model. */
    int (*write)(const struct visit *visit, const char *path, struct failure *why);
} kinds[] = {
    {"onnx", NULL},
    {"safetensors", NULL},
    {"npz", NULL},
    {"c", NULL},
    {"csv", history_write_csv},
    {"json", history_write_json},
    {"optuna", history_write_optuna},
};
enum { KINDS = ARRAY_LENGTH(kinds) };

struct request {
    const char *study, *home, *trainer, *pixels;
    int64_t trial;            /* -1: not said */
    const char *paths[KINDS]; /* NULL: not asked for */
};

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    struct option_rule rules[4 + KINDS] = {
        {"home", 0, OPTION_TEXT, &request->home, 0, 0},
        {"trainer", 0, OPTION_TEXT, &request->trainer, 0, 0},
        {"pixels", 0, OPTION_TEXT, &request->pixels, 0, 0},
        {"trial", 0, OPTION_INTEGER, &request->trial, 0, INT32_MAX},
    };
    const struct options options = {"tuner export", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1};
    size_t i, asked = 0;
    int parsed;
    for (i = 0; i < KINDS; i++)
        rules[4 + i] = (struct option_rule){kinds[i].name, 0, OPTION_TEXT, &request->paths[i],
                                            0, 0};
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
    int parsed = parse(arguments, &request, why);
    if (parsed > 0)
        fputs(help, stdout);
    if (parsed != 0)
        return why->code;
    if (visit_enter(&visit, request.home, request.study, why) == 0 &&
        write_rest(&request, &visit, why) == 0 && wants_model(&request))
        code = write_models(&request, &visit, why);
    visit_leave(&visit);
    return code != EXIT_DONE ? code : why->code;
}
