#include "trainer/command.h"

#include "common/json_text.h"
#include "common/options.h"
#include "common/schema.h"
#include "trainer/describe.h"
#include "trainer/evaluate.h"
#include "trainer/floats.h"
#include "trainer/gemm.h"
#include "trainer/train.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Examples:\n"
    "  trainer bench\n"
    "  trainer bench --json | jq '.[].train_images_per_s'\n"
    "\n"
    "Usage: trainer bench [--json]\n"
    "\n"
    "Measures, on one thread, how fast this machine multiplies matrices (sgemm of OpenBLAS,\n"
    "1024 x 1024 x 1024) and how fast it trains and evaluates networks on drawn digits:\n"
    "whole epochs, with the shuffling and the optimizer's steps.  The measurements take\n"
    "turns for some seconds, and the best of each counts, so that other work on the machine\n"
    "spoils them less.\n"
    "\n"
    "  small               conv 32 of 3x3, max_pool 2, conv 64 of 3x3, max_pool 2,\n"
    "                      dense 128, dense 10; relu between; adam, batches of 64\n"
    "  small+dropout       the same with a dropout before each dense layer, .25 and .5\n"
    "  small+augmentation  the first with its images shifted, turned, zoomed and sheared\n"
    "\n"
    "The ratio is that of useful FLOP/s to sgemm's.  Useful are the forward pass, and in\n"
    "training the gradients of the weights and of each layer's input, but for the first\n"
    "layer's input, which nobody needs.\n"
    "\n"
    "  --json  a list of objects: network, precision, train_images_per_s,\n"
    "          eval_images_per_s, sgemm_ratio (of training), eval_sgemm_ratio, sgemm_gflops\n";

enum { SIDE = 1024, PRODUCTS = 3, TRAIN_IMAGES = 40 * 64, TEST_IMAGES = 2500 };
enum { ROUNDS_LEAST = 2, ROUNDS_MOST = 20 };
static const double rounds_seconds = 8;

/* JSON, as in docs/protocol.md. */
#define SMALL(dropout, other_dropout)                                                        \
    "[{\"type\": \"conv\", \"filters\": 32, \"kernel\": 3, \"activation\": \"relu\"},"          \
    " {\"type\": \"max_pool\", \"size\": 2},"                                                \
    " {\"type\": \"conv\", \"filters\": 64, \"kernel\": 3, \"activation\": \"relu\"},"          \
    " {\"type\": \"max_pool\", \"size\": 2}, {\"type\": \"flatten\"}," dropout                 \
    " {\"type\": \"dense\", \"units\": 128, \"activation\": \"relu\"}," other_dropout          \
    " {\"type\": \"dense\", \"units\": 10}]"
#define DROPOUT(rate) " {\"type\": \"dropout\", \"rate\": " rate "},"
#define ADAM                                                                                 \
    "\"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.001}, \"batch_size\": 64"
#define AUGMENTATION                                                                         \
    "\"augmentation\": {\"shift\": 2, \"rotate\": 10, \"zoom\": 0.1, \"shear\": 10}"

static const struct bench_network {
    const char *name, *model, *training;
} networks[] = {
    {"small", SMALL("", ""), "{" ADAM "}"},
    {"small+dropout", SMALL(DROPOUT("0.25"), DROPOUT("0.5")), "{" ADAM "}"},
    {"small+augmentation", SMALL("", ""), "{" ADAM ", " AUGMENTATION "}"},
};
enum { NETWORKS = ARRAY_LENGTH(networks) };

/* The shortest time that each measurement took so far, in seconds. */
struct times {
    double product, train[NETWORKS], evaluate[NETWORKS];
};

static void keep_shortest(double seconds, double *shortest)
{
    if (*shortest <= 0 || seconds < *shortest)
        *shortest = seconds;
}

/* ---- what is measured ---- */

static struct dataset *draw_digits(void)
{
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    data_synthetic_load(TRAIN_IMAGES, TEST_IMAGES, 0, dataset);
    dataset->train_count = TRAIN_IMAGES;
    dataset->train_index = xcalloc(TRAIN_IMAGES, sizeof *dataset->train_index);
    for (uint32_t i = 0; i < TRAIN_IMAGES; i++)
        dataset->train_index[i] = i;
    return dataset;
}

/* Values like weights: of both signs and none of them tiny, which would be slow. */
static float *make_matrix(void)
{
    float *matrix = floats_new((size_t)SIDE * SIDE);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
        matrix[i] = (float)((int)(i * 31 % 255) - 127) / 127.0f;
    return matrix;
}

static double time_product(const float *a, const float *b, float *c)
{
    double begun = clock_seconds();
    gemm(SIDE, SIDE, SIDE, a, b, c);
    return clock_seconds() - begun;
}

static double time_evaluation(struct network *network, const struct dataset *dataset)
{
    struct evaluation evaluation;
    double begun = clock_seconds();
    evaluate_images(network, &dataset->test, NULL, NULL, &evaluation);
    double seconds = clock_seconds() - begun;
    evaluation_release(&evaluation);
    return seconds;
}

static void measure_network(struct training *training, const struct dataset *dataset,
                            double *train, double *evaluate)
{
    struct epoch_metrics metrics;
    training_epoch(training, NULL, NULL, &metrics);
    keep_shortest(metrics.seconds, train);
    keep_shortest(time_evaluation(training_network(training), dataset), evaluate);
}

/* Takes turns, so that what disturbs the machine disturbs all alike. */
static struct times measure(struct training *const trainings[NETWORKS],
                            const struct dataset *dataset)
{
    struct times times = {0};
    float *a = make_matrix(), *b = make_matrix(), *c = floats_zero((size_t)SIDE * SIDE);
    double begun = clock_seconds();
    for (int round = 0; round < ROUNDS_MOST; round++) {
        if (round >= ROUNDS_LEAST && clock_seconds() - begun >= rounds_seconds)
            break;
        for (int i = 0; i < PRODUCTS; i++)
            keep_shortest(time_product(a, b, c), &times.product);
        for (int i = 0; i < NETWORKS; i++)
            measure_network(trainings[i], dataset, &times.train[i], &times.evaluate[i]);
    }
    free(a);
    free(b);
    free(c);
    return times;
}

/* ---- what is shown ---- */

/* FLOPs of a step for one image: forward, weights' gradients, inputs' gradients. */
static double training_flops(const struct network *network)
{
    struct layer_summary first;
    network_layer(network, 0, &first);
    return 3 * network_flops(network) - first.flops;
}

/* The figures, under the names of --json; new reference. */
static json_t *make_row(const char *name, const struct network *network, double product_seconds,
                        double train_seconds, double evaluate_seconds)
{
    double sgemm = 2.0 * SIDE * SIDE * SIDE / product_seconds;
    double train = TRAIN_IMAGES / train_seconds, evaluate = TEST_IMAGES / evaluate_seconds;
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "network", name, "precision",
                     "fp32", "train_images_per_s", train, "eval_images_per_s", evaluate,
                     "sgemm_ratio", train * training_flops(network) / sgemm, "eval_sgemm_ratio",
                     evaluate * network_flops(network) / sgemm, "sgemm_gflops", sgemm / 1e9);
}

static double number(const json_t *row, const char *name)
{
    return json_number_value(json_object_get(row, name));
}

static void print_row(const json_t *row)
{
    printf("%-18s  %-9s  %-8s  %9.0f  %7.1f%%\n",
           json_string_value(json_object_get(row, "network")),
           json_string_value(json_object_get(row, "precision")), "train",
           number(row, "train_images_per_s"), 100 * number(row, "sgemm_ratio"));
    printf("%-18s  %-9s  %-8s  %9.0f  %7.1f%%\n", "", "", "evaluate",
           number(row, "eval_images_per_s"), 100 * number(row, "eval_sgemm_ratio"));
}

static void print_table(const json_t *rows)
{
    char *arithmetic = describe_arithmetic();
    printf("%s, one thread; sgemm %d x %d x %d: %.1f GFLOP/s\n\n", arithmetic, SIDE, SIDE, SIDE,
           number(json_array_get(rows, 0), "sgemm_gflops"));
    printf("network             precision  work       images/s  of sgemm\n");
    for (size_t i = 0; i < json_array_size(rows); i++)
        print_row(json_array_get(rows, i));
    free(arithmetic);
}

/* ---- the command ---- */

static struct training *start(const struct bench_network *network, const struct dataset *dataset,
                              struct failure *why)
{
    json_t *plain_model = json_loads(network->model, 0, NULL);
    json_t *plain_training = json_loads(network->training, 0, NULL);
    json_t *model = schema_check_model(plain_model, why);
    json_t *settings = model ? schema_check_training(plain_training, why) : NULL;
    struct training *training = NULL;
    if (settings)
        training = training_new(&(struct training_settings){.model = model, .training = settings,
                                                            .schedule_epochs = 1, .threads = 1},
                                dataset, why);
    json_decref(settings);
    json_decref(model);
    json_decref(plain_training);
    json_decref(plain_model);
    return training;
}

static int bench_networks(json_t *rows, struct failure *why)
{
    struct dataset *dataset = draw_digits();
    struct training *trainings[NETWORKS] = {NULL};
    int started = 0;
    while (started < NETWORKS && (trainings[started] = start(&networks[started], dataset, why)))
        started++;
    if (started == NETWORKS) {
        struct times times = measure(trainings, dataset);
        for (int i = 0; i < NETWORKS; i++)
            json_array_append_new(rows, make_row(networks[i].name, training_network(trainings[i]),
                                                 times.product, times.train[i],
                                                 times.evaluate[i]));
    }
    for (int i = 0; i < NETWORKS; i++)
        training_free(trainings[i]);
    dataset_free(dataset);
    return started == NETWORKS ? 0 : -1;
}

enum exit_code command_bench(char *const arguments[], struct failure *why)
{
    bool json = false;
    const struct option_rule rules[] = {{"json", 0, OPTION_FLAG, &json, 0, 0}};
    const struct options options = {"trainer bench", rules, ARRAY_LENGTH(rules), NULL, 0, 0};
    int parsed = options_parse(&options, arguments, NULL, NULL, why);
    if (parsed > 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    json_t *rows = json_array();
    if (parsed == 0 && bench_networks(rows, why) == 0) {
        if (json)
            json_text_print(rows);
        else
            print_table(rows);
    }
    json_decref(rows);
    return why->code;
}
