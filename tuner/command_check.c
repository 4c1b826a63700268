#include "tuner/command.h"

#include "common/json_text.h"
#include "common/options.h"
#include "common/text.h"
#include "tuner/home.h"
#include "tuner/prepare.h"
#include "tuner/sampler.h"
#include "tuner/study_plan.h"
#include "tuner/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 3 };

static const char about[] =
    "Checks a study file as strictly as `tuner run` does, and shows the search space, the "
    "brackets and rungs, how many epochs they take, a first guess of the time, three sample "
    "configurations, and the arithmetic that trials would use on this machine.  Runs no trial "
    "and makes nothing.\n";

static const char examples[] =
    "tuner check search_spaces/quickstart.yaml\n"
    "tuner check study.yaml --trial 7 > seven.json && trainer train seven.json\n";

/* A study that was looked at from all sides. */
struct inspection {
    struct study *study;
    struct prepared prepared;
    struct plan plan;
    struct sampler *sampler;
    int workers;
};

/* The parameters of a trial; NULL when there is none of that number. */
static json_t *trial_values(const struct inspection *inspection, int trial, struct failure *why)
{
    struct sampler *sampler = sampler_new(inspection->study->sampler, &inspection->study->space,
                                          inspection->study->seed, inspection->study->points);
    json_t *values = NULL;
    int i;
    for (i = 0; i <= trial && (i == 0 || values != NULL); i++) {
        json_decref(values);
        values = sampler_propose(sampler, (uint32_t)i);
    }
    if (values == NULL)
        fail_usage(why, "there is no trial %d: the search space has %d configurations", trial,
                   i - 1);
    sampler_free(sampler);
    return values;
}

static json_t *middle_values(const struct space *space)
{
    json_t *values = json_object();
    size_t i;
    for (i = 0; i < space->count; i++)
        json_object_set_new(values, space->parameters[i].name,
                            parameter_at(&space->parameters[i], 0.5));
    return values;
}

/* ---- the first guess of the time ---- */

/* Seconds for the whole study, 0 when unknown: the measured rate of one worker, scaled
 * to all epochs of the plan. */
static double guess_seconds(const struct inspection *inspection)
{
    double rate = json_number_value(json_object_get(inspection->prepared.described,
                                                    "images_per_s"));
    double images = json_number_value(json_object_get(inspection->prepared.shape, "train"));
    double validation = json_number_value(json_object_get(inspection->prepared.shape,
                                                          "validation"));
    double final_images = images + validation;
    if (inspection->study->retrain_on_all)
        final_images = fmax(final_images, json_number_value(json_object_get(
                                              inspection->prepared.shape, "images")));
    /* A forward pass alone takes about a third of a training step. */
    double work = (double)inspection->plan.epochs * (images + validation / 3);
    double last = inspection->study->retrain
                      ? (double)inspection->study->max_epochs * final_images : 0;
    return rate > 0 ? work / rate / inspection->workers + last / rate : 0;
}

/* ---- for people ---- */

static void print_space(const struct study *study)
{
    size_t i, width = 0;
    for (i = 0; i < study->space.count; i++) {
        size_t length = strlen(study->space.parameters[i].name);
        width = length > width ? length : width;
    }
    printf("search space\n");
    for (i = 0; i < study->space.count; i++) {
        char *text = parameter_text(&study->space.parameters[i]);
        printf("  %-*s  %s\n", (int)width, study->space.parameters[i].name, text);
        free(text);
    }
}

static void print_bracket(const struct bracket_plan *bracket)
{
    int r;
    printf("  %7d ", bracket->number);
    for (r = 0; r < bracket->rung_count; r++)
        printf("%s%d x %d", r > 0 ? "  ->  " : " ", bracket->rungs[r].places,
               bracket->rungs[r].epochs);
    putchar('\n');
}

static void print_plan(const struct inspection *inspection)
{
    const struct plan *plan = &inspection->plan;
    int b;
    if (inspection->study->scheduler == SCHEDULER_HYPERBAND) {
        printf("\nhyperband, R = %d, eta = %d\n  bracket  rungs: trials x epochs\n",
               inspection->study->max_epochs, inspection->study->eta);
        for (b = 0; b < plan->bracket_count; b++)
            print_bracket(&plan->brackets[b]);
        printf("\n%d configurations, %lld epochs (%lld if every rung started anew)\n",
               plan->trials, (long long)plan->epochs, (long long)plan->epochs_anew);
    } else if (plan->epochs > 0) {
        printf("\n%d configurations of %d epochs each, %lld epochs in all\n", plan->trials,
               inspection->study->max_epochs, (long long)plan->epochs);
    } else {
        printf("\n%d configurations, each with its own number of epochs\n", plan->trials);
    }
}

static void print_shortage(const struct inspection *inspection)
{
    double size = sampler_size(inspection->sampler);
    if (size > 0 && size < inspection->plan.trials)
        printf("the search space has only %.0f configurations; the study ends when they are "
               "tried\n", size);
}

static void print_guess(const struct inspection *inspection)
{
    double seconds = guess_seconds(inspection);
    if (seconds <= 0)
        return;
    printf("about %.0f %s with %d worker%s, going by a few steps of the first configuration "
           "(%.0f images/s)\n", seconds < 120 ? seconds : seconds / 60,
           seconds < 120 ? "s" : "min", inspection->workers, inspection->workers == 1 ? "" : "s",
           json_number_value(json_object_get(inspection->prepared.described, "images_per_s")));
}

static json_t *sample_rows(struct inspection *inspection)
{
    json_t *rows = json_array();
    uint32_t trial;
    for (trial = 0; trial < SAMPLES; trial++) {
        json_t *values = sampler_propose(inspection->sampler, trial);
        json_t *row;
        if (values == NULL)
            break;
        row = json_pack("{s:i}", "trial", (int)trial);
        json_object_update(row, values);
        json_array_append_new(rows, row);
        json_decref(values);
    }
    return rows;
}

/* What a trainer found; other programs than a trainer have data of their own. */
static void print_data(const struct inspection *inspection)
{
    const json_t *shape = inspection->prepared.shape;
    const char *kind = json_string_value(json_object_get(inspection->prepared.data, "dataset"));
    const char *folder = json_string_value(json_object_get(inspection->study->data, "folder"));
    if (inspection->study->outside) {
        printf("trained by programs that ask and tell\n\n");
        return;
    }
    printf("data %s: %lld training, %lld validation, %lld test images of %lldx%lldx%lld, "
           "%d classes\n",
           folder ? folder : kind,
           (long long)json_integer_value(json_object_get(shape, "train")),
           (long long)json_integer_value(json_object_get(shape, "validation")),
           (long long)json_integer_value(json_object_get(shape, "test")),
           (long long)json_integer_value(json_object_get(shape, "height")),
           (long long)json_integer_value(json_object_get(shape, "width")),
           (long long)json_integer_value(json_object_get(shape, "channels")),
           inspection->prepared.classes);
    printf("arithmetic %s\n\n", inspection->prepared.arithmetic);
}

static void print_inspection(struct inspection *inspection)
{
    const struct study *study = inspection->study;
    json_t *samples = sample_rows(inspection);
    printf("study %s: the %s of %s is sought; %s\n", study->name,
           study->maximize ? "maximum" : "minimum", study->metric, study->file);
    print_data(inspection);
    print_space(study);
    print_plan(inspection);
    print_shortage(inspection);
    print_guess(inspection);
    printf("\nsample configurations\n");
    table_print(samples);
    json_decref(samples);
}

/* ---- for programs ---- */

static json_t *rungs_json(const struct bracket_plan *bracket)
{
    json_t *rungs = json_array();
    int r;
    for (r = 0; r < bracket->rung_count; r++)
        json_array_append_new(rungs, json_pack("{s:i, s:i, s:i}", "trials",
                                               bracket->rungs[r].places, "epochs",
                                               bracket->rungs[r].epochs, "keep",
                                               bracket->rungs[r].keep));
    return rungs;
}

static void print_json(struct inspection *inspection)
{
    const struct study *study = inspection->study;
    json_t *brackets = json_array(), *parameters = json_array(), *whole;
    size_t i;
    int b;
    for (b = 0; b < inspection->plan.bracket_count; b++)
        json_array_append_new(brackets, json_pack("{s:i, s:o}", "bracket",
                                                  inspection->plan.brackets[b].number, "rungs",
                                                  rungs_json(&inspection->plan.brackets[b])));
    for (i = 0; i < study->space.count; i++)
        json_array_append_new(parameters, parameter_json(&study->space.parameters[i]));
    whole = json_pack("{s:s, s:O?, s:s?, s:o, s:o, s:i, s:I, s:I, s:f, s:o}", "study", study->name,
                      "data", inspection->prepared.shape, "arithmetic",
                      inspection->prepared.arithmetic, "parameters", parameters, "brackets",
                      brackets, "configurations", inspection->plan.trials, "epochs",
                      (json_int_t)inspection->plan.epochs, "epochs_anew",
                      (json_int_t)inspection->plan.epochs_anew, "seconds",
                      guess_seconds(inspection), "samples", sample_rows(inspection));
    json_text_print(whole);
    json_decref(whole);
}

/* The configuration that values make, as `trainer train` takes it.  Takes the values over. */
static int print_configuration(const struct inspection *inspection, int trial, json_t *values,
                               struct failure *why)
{
    const struct study *study = inspection->study;
    json_t *data = inspection->prepared.data, *training;
    json_t *configuration = study_configure(study, values, inspection->prepared.classes, why);
    if (configuration == NULL) {
        json_decref(values);
        return -1;
    }
    training = json_object_get(configuration, "training");
    json_object_set(configuration, "data", data);
    json_object_set(configuration, "seed", json_object_get(data, "seed"));
    json_object_set_new(configuration, "trial", json_integer(trial));
    json_object_set_new(configuration, "parameters", values);
    json_object_set_new(configuration, "epochs",
                        json_integer(study->max_epochs > 0
                                         ? study->max_epochs
                                         : json_integer_value(json_object_get(training,
                                                                              "epochs"))));
    json_text_print(configuration);
    json_decref(configuration);
    return 0;
}

static int print_trial(const struct inspection *inspection, int trial, struct failure *why)
{
    json_t *values;
    if (trial >= inspection->plan.trials)
        return fail_usage(why, "there is no trial %d: the plan has %d, from 0", trial,
                          inspection->plan.trials);
    values = trial_values(inspection, trial, why);
    return values != NULL ? print_configuration(inspection, trial, values, why) : -1;
}

/* ---- the command ---- */

static int inspect(const char *file, const char *home, const char *trainer, int workers,
                   enum purpose purpose, struct inspection *inspection, struct failure *why)
{
    struct study *study = study_load(file, why);
    if (study == NULL)
        return -1;
    inspection->study = study;
    inspection->workers = study_workers(study, workers);
    inspection->sampler = sampler_new(study->sampler, &study->space, study->seed, study->points);
    if (study_plan(study, sampler_size(inspection->sampler), &inspection->plan, why) != 0)
        return -1;
    return study->outside ? 0 : prepare(study, home, trainer, purpose, &inspection->prepared, why);
}

enum exit_code command_check(char *const arguments[], struct failure *why)
{
    const char *home_option = NULL, *trainer = NULL, *words[1];
    int64_t workers = 0, trial = -1;
    bool json = false, middle = false;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home_option, 0, 0, "DIR",
         "where data sets are looked for (default: $TUNER_HOME, else ./tuning)"},
        {"trial", 0, OPTION_INTEGER, &trial, 0, PLAN_TRIALS_MAX, "N",
         "print the whole configuration of trial N, for `trainer train`"},
        {"middle", 0, OPTION_FLAG, &middle, 0, 0, NULL,
         "likewise, of the middle of every range, which no trial need have"},
        {"trainer", 0, OPTION_TEXT, &trainer, 0, 0, "PROGRAM",
         "the trainer to ask (default: the one beside the tuner)"},
        {"workers", 0, OPTION_INTEGER, &workers, 1, 1024, "N", "for the guess of the time"},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "all of it as JSON"},
    };
    const struct options options = {
        "tuner check", rules, ARRAY_LENGTH(rules), "STUDY.yaml", 1, 1, .about = about,
        .examples = examples,
        .exit_codes = "0 the study can run, 64 wrong usage, 65 bad input (file:line:column: "
                      "error:)"};
    struct inspection inspection = {0};
    char *home;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    home = home_path(home_option);
    /* A configuration is printed without a guess of the time. */
    const enum purpose purpose = trial >= 0 || middle ? PURPOSE_SHOW : PURPOSE_GUESS;
    if (inspect(words[0], home, trainer, (int)workers, purpose, &inspection, why) == 0) {
        if (trial >= 0)
            print_trial(&inspection, (int)trial, why);
        else if (middle)
            print_configuration(&inspection, 0, middle_values(&inspection.study->space), why);
        else if (json)
            print_json(&inspection);
        else
            print_inspection(&inspection);
    }
    prepared_release(&inspection.prepared);
    sampler_free(inspection.sampler);
    study_free(inspection.study);
    free(home);
    return why->code;
}
