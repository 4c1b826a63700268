#include "trainer/command.h"

#include "common/file.h"
#include "common/options.h"
#include "common/seed.h"
#include "trainer/configuration.h"
#include "trainer/train.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char about[] =
    "Trains one network and saves it after every epoch; \"-\" reads the configuration from "
    "stdin.  A configuration is\n"
    "  {\"model\": [...], \"training\": {...},\n"
    "   \"data\": {\"dataset\": \"mnist\", \"validation\": 5000},\n"
    "   \"seed\": \"42\", \"trial\": 0, \"epochs\": 9}\n"
    "of which model and training are needed.\n";

static const char examples[] =
    "trainer train config.json          as the file says; saves model.ckpt\n"
    "trainer train config.json --epochs 5 --threads 2\n"
    "trainer train config.json --data digits/ --output digits.ckpt\n"
    "tuner check study.yaml --trial 3 | trainer train - --data mnist\n";

enum { EPOCHS_MOST = 1000000, THREADS_MOST = 1024 };

struct request {
    const char *configuration, *output;
    const char *data, *seed;        /* NULL: as the file says */
    int64_t epochs, trial, threads; /* epochs 0, trial -1: as the file says */
};

/* SIGINT is blocked while we train, so that it only waits to be seen. */
static bool is_interrupted(void *context)
{
    sigset_t pending;
    (void)context;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;
}

static void print_epoch(int epoch, int epochs, const struct epoch_metrics *metrics,
                        const double *learning_rate)
{
    printf("epoch %d/%d  loss %.4f  accuracy %.4f", epoch, epochs, metrics->train_loss,
           metrics->train_accuracy);
    if (!isnan(metrics->val_accuracy))
        printf("  val_loss %.4f  val_accuracy %.4f", metrics->val_loss, metrics->val_accuracy);
    if (learning_rate)
        printf("  learning_rate %.4g", *learning_rate);
    printf("  %.1f s\n", metrics->seconds);
    fflush(stdout); /* an epoch is worth seeing when it is done, in a pipe too */
}

static void print_end(const struct training *training, int epochs, const char *output)
{
    int done = training_epochs_done(training), best = training_best_epoch(training);
    if (done < epochs)
        printf("stopped early after epoch %d of %d\n", done, epochs);
    printf("saved in %s", output);
    if (best < done)
        printf("; the weights of epoch %d, the best, are those that count", best);
    printf("\n");
}

static enum exit_code train_epochs(struct training *training, int epochs, bool validated,
                                   const char *output, struct failure *why)
{
    double rate_before = training_learning_rate(training);
    while (training_epochs_done(training) < epochs && !training_is_over(training)) {
        struct epoch_metrics metrics;
        int done = training_epochs_done(training);
        double rate = training_learning_rate(training); /* as the epoch begins */
        if (training_epoch(training, is_interrupted, NULL, &metrics) != 0) {
            fail(why, "interrupted after epoch %d of %d%s%s", done, epochs,
                 done > 0 ? "; it is saved in " : "; nothing is saved", done > 0 ? output : "");
            return EXIT_INTERRUPTED;
        }
        print_epoch(training_epochs_done(training), epochs, &metrics,
                    rate != rate_before ? &rate : NULL);
        rate_before = rate;
        if (!epoch_metrics_are_finite(&metrics, validated)) {
            fail(why, "the training diverged; try a smaller learning rate");
            return EXIT_FAILED;
        }
        if (training_save(training, output, why) != 0)
            return why->code;
    }
    print_end(training, epochs, output);
    return EXIT_DONE;
}

static void block_interrupts(void)
{
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
}

static enum exit_code train(const struct request *request,
                            const struct configuration *configuration, struct failure *why)
{
    const struct training_settings settings = {
        .model = configuration->model, .training = configuration->training,
        .seed = configuration->seed, .trial = configuration->trial,
        .schedule_epochs = (int)configuration->epochs, .threads = (int)request->threads};
    struct dataset *dataset = NULL;
    struct training *training = NULL;
    json_t *data = configuration_data(configuration->data, request->data, configuration->seed,
                                      why);
    if (data)
        dataset = dataset_load(data, why);
    if (dataset)
        training = training_new(&settings, dataset, why);
    enum exit_code code = why->code;
    if (training) {
        block_interrupts();
        code = train_epochs(training, settings.schedule_epochs, dataset->validation_count > 0,
                            request->output, why);
    }
    training_free(training);
    dataset_free(dataset);
    json_decref(data);
    return code;
}

/* What the command line says goes before what the file says. */
static int override(const struct request *request, struct configuration *configuration,
                    struct failure *why)
{
    if (request->seed && !seed_parse(request->seed, &configuration->seed))
        return fail_usage(why, "--seed needs a whole number from 0 to 2^64 - 1, "
                          "not '%s'", request->seed);
    if (request->trial >= 0)
        configuration->trial = (uint32_t)request->trial;
    if (request->epochs > 0)
        configuration->epochs = request->epochs;
    if (configuration->epochs == 0)
        return fail_usage(why, "%s does not say how many epochs; give --epochs N",
                          request->configuration);
    if (!request->data && !json_object_get(configuration->data, "dataset"))
        return fail_usage(why, "%s does not name a data set; give --data mnist, --data synthetic "
                          "or --data PATH", request->configuration);
    return 0;
}

/* Found out now rather than after the first epoch. */
static int check_output(const char *path, struct failure *why)
{
    if (folder_exists(path))
        return fail_input(why, "%s: is a folder; name a file with --output", path);
    char *folder = path_folder(path);
    int result = 0;
    if (!folder_exists(folder))
        result = fail_input(why, "%s: there is no folder %s; make it, or name another file with "
                            "--output", path, folder);
    free(folder);
    return result;
}

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    const struct option_rule rules[] = {
        {"data", 0, OPTION_TEXT, &request->data, 0, 0, "mnist|synthetic|PATH",
         "the data set, or the path of IDX, CSV, npz, PNG or CIFAR-10 files, instead of the "
         "file's; MNIST is looked for in $MNIST_DIR, then in data/mnist of $TUNER_HOME "
         "(./tuning), else fetched to there"},
        {"epochs", 0, OPTION_INTEGER, &request->epochs, 1, EPOCHS_MOST, "N",
         "how many, instead of the file's"},
        {"seed", 0, OPTION_TEXT, &request->seed, 0, 0, "N",
         "what all random choices follow from, instead of the file's"},
        {"trial", 0, OPTION_INTEGER, &request->trial, 0, UINT32_MAX, "N", "likewise"},
        {"threads", 0, OPTION_INTEGER, &request->threads, 1, THREADS_MOST, "N",
         "on how many cores; the result is the same (1)"},
        {"output", 'o', OPTION_TEXT, &request->output, 0, 0, "FILE",
         "file to save to (model.ckpt)"},
    };
    const struct options options = {
        "trainer train", rules, ARRAY_LENGTH(rules), "CONFIG.json", 1, 1, .about = about,
        .examples = examples,
        .notes = "Ctrl-C gives up the epoch in hand; what the ones before it learned is saved.\n"};
    return options_parse(&options, arguments, &request->configuration, NULL, why);
}

enum exit_code command_train(char *const arguments[], struct failure *why)
{
    struct request request = {.output = "model.ckpt", .trial = -1, .threads = 1};
    if (parse(arguments, &request, why) != 0)
        return why->code;
    struct configuration *configuration = configuration_read(request.configuration, why);
    if (!configuration)
        return why->code;
    enum exit_code code = override(&request, configuration, why) == 0 &&
                                  check_output(request.output, why) == 0
                              ? train(&request, configuration, why) : why->code;
    configuration_free(configuration);
    return code;
}
