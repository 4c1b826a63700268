#include "trainer/command.h"

#include "common/json_text.h"
#include "common/options.h"
#include "common/schema.h"
#include "trainer/bf16.h"
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
    "2048 x 2048 x 2048) and how fast it trains and evaluates networks on drawn digits:\n"
    "short epochs of whole batches, with the shuffling and the optimizer's steps.  The\n"
    "measurements take turns for some seconds, and the best of each counts, so that other\n"
    "work on the machine spoils them less.\n"
    "\n"
    "  small          conv 32 of 3x3, max_pool 2, conv 64 of 3x3, max_pool 2, dense 128,\n"
    "                 dense 10\n"
    "  vgg            two conv 32 of 5x5, max_pool 2, two conv 64 of 3x3, max_pool 2,\n"
    "                 dense 256, dense 10; padding same\n"
    "  small+dropout  small with a dropout before each dense layer, 0.25 and 0.5; so\n"
    "                 small+augmentation with images moved, turned, zoomed and sheared,\n"
    "                 small+batch_norm with one behind each conv, small+all with all three\n"
    "\n"
    "with relu between, adam, and batches of 64, each in fp32, and trained in bf16 too where\n"
    "the processor has instructions for it.  The ratio is that of useful FLOP/s to\n"
    "sgemm's.  Useful are the forward pass, and in training the gradients of the weights and\n"
    "of each layer's input, but for the first layer's input, which nobody needs.\n"
    "\n"
    "  --json  a list of objects: network, precision, train_images_per_s,\n"
    "          eval_images_per_s, sgemm_ratio (of training), eval_sgemm_ratio, sgemm_gflops\n";

enum { SIDE = 2048, BATCH = 64, ROUNDS_LEAST = 2, ROUNDS_MOST = 100 };
static const double rounds_seconds = 10;

/* The largest counts of the rows below. */
enum { TRAIN_MOST = 8 * BATCH, TEST_MOST = 32 * BATCH };

/* JSON, as in docs/protocol.md. */
#define CONV(filters, kernel, padding)                                                           \
    "{\"type\": \"conv\", \"filters\": " #filters ", \"kernel\": " #kernel                       \
    ", \"padding\": \"" #padding "\", \"activation\": \"relu\"}, "
#define POOL "{\"type\": \"max_pool\", \"size\": 2}, "
#define NORM "{\"type\": \"batch_norm\"}, "
#define DROPOUT(rate) "{\"type\": \"dropout\", \"rate\": " #rate "}, "
#define DENSE(units, dropout, next_dropout)                                                      \
    "{\"type\": \"flatten\"}, " dropout "{\"type\": \"dense\", \"units\": " #units                 \
    ", \"activation\": \"relu\"}, " next_dropout "{\"type\": \"dense\", \"units\": 10}"
#define SMALL(norm, dropout, next_dropout)                                                       \
    "[" CONV(32, 3, valid) norm POOL CONV(64, 3, valid) norm POOL                                \
    DENSE(128, dropout, next_dropout) "]"
#define VGG                                                                                      \
    "[" CONV(32, 5, same) CONV(32, 5, same) POOL CONV(64, 3, same) CONV(64, 3, same) POOL        \
    DENSE(256, "", "") "]"
#define ADAM(more)                                                                               \
    "{\"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.001}, \"batch_size\": 64" more "}"
#define MOVED                                                                                    \
    ADAM(", \"augmentation\": {\"shift\": 2, \"rotate\": 10, \"zoom\": 0.1, \"shear\": 10}")

/* What is measured: a new row is a new line here.  Each takes some hundredths of a second a
 * turn, as sgemm does: a longer measurement would meet other work more often. */
static const struct bench_row {
    const char *network, *model, *training;
    size_t train_images, test_images;
} table[] = {
    {"small", SMALL("", "", ""), ADAM(""), 8 * BATCH, 32 * BATCH},
    {"vgg", VGG, ADAM(""), BATCH, 4 * BATCH},
    {"small+dropout", SMALL("", DROPOUT(0.25), DROPOUT(0.5)), ADAM(""), 8 * BATCH, 32 * BATCH},
    {"small+augmentation", SMALL("", "", ""), MOVED, 8 * BATCH, 32 * BATCH},
    {"small+batch_norm", SMALL(NORM, "", ""), ADAM(""), 8 * BATCH, 32 * BATCH},
    {"small+all", SMALL(NORM, DROPOUT(0.25), DROPOUT(0.5)), MOVED, 8 * BATCH, 32 * BATCH},
};
enum { ROWS = ARRAY_LENGTH(table), RUNNERS_MOST = ROWS * PRECISION_COUNT };

/* A row as it is measured, with the shortest time that each took so far, in seconds. */
struct runner {
    const struct bench_row *row;
    enum precision precision;
    struct dataset dataset; /* the first images of the one that all share */
    json_t *model, *settings;
    struct training *training;
    double train, evaluate;
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
    data_synthetic_load(TRAIN_MOST, TEST_MOST, 0, dataset);
    dataset->train_count = TRAIN_MOST;
    dataset->train_index = xcalloc(TRAIN_MOST, sizeof *dataset->train_index);
    for (uint32_t i = 0; i < TRAIN_MOST; i++)
        dataset->train_index[i] = i;
    return dataset;
}

static json_t *checked(const char *text, json_t *(*check)(const json_t *, struct failure *),
                       struct failure *why)
{
    json_t *plain = json_loads(text, 0, NULL);
    json_t *complete = check(plain, why);
    json_decref(plain);
    return complete;
}

static int runner_open(struct runner *runner, const struct bench_row *row,
                       enum precision precision, const struct dataset *dataset,
                       struct failure *why)
{
    *runner = (struct runner){.row = row, .precision = precision, .dataset = *dataset};
    runner->dataset.train_count = row->train_images;
    runner->dataset.test.count = row->test_images;
    runner->model = checked(row->model, schema_check_model, why);
    if (runner->model)
        runner->settings = checked(row->training, schema_check_training, why);
    if (!runner->settings)
        return -1;
    json_object_set_new(runner->settings, "precision", json_string(precision_name(precision)));
    runner->training = training_new(
        &(struct training_settings){.model = runner->model, .training = runner->settings,
                                    .schedule_epochs = ROUNDS_MOST, .threads = 1},
        &runner->dataset, why);
    return runner->training ? 0 : -1;
}

static void runner_close(struct runner *runner)
{
    training_free(runner->training);
    json_decref(runner->settings);
    json_decref(runner->model);
}

static void runner_turn(struct runner *runner)
{
    struct epoch_metrics metrics;
    struct evaluation evaluation;
    training_epoch(runner->training, NULL, NULL, &metrics);
    keep_shortest(metrics.seconds, &runner->train);
    double begun = clock_seconds();
    evaluate_images(training_network(runner->training), &runner->dataset.test, NULL, NULL,
                    &evaluation);
    keep_shortest(clock_seconds() - begun, &runner->evaluate);
    evaluation_release(&evaluation);
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

/* Takes turns, so that what disturbs the machine disturbs all alike; gives the seconds of
 * a product. */
static double measure(struct runner *runners, size_t count)
{
    float *a = make_matrix(), *b = make_matrix(), *c = floats_zero((size_t)SIDE * SIDE);
    double begun = clock_seconds(), product = 0;
    for (int round = 0; round < ROUNDS_MOST; round++) {
        if (round >= ROUNDS_LEAST && clock_seconds() - begun >= rounds_seconds)
            break;
        keep_shortest(time_product(a, b, c), &product);
        for (size_t i = 0; i < count; i++)
            runner_turn(&runners[i]);
    }
    free(a);
    free(b);
    free(c);
    return product;
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
static json_t *make_row(const struct runner *runner, double product)
{
    const struct network *network = training_network(runner->training);
    double sgemm = 2.0 * SIDE * SIDE * SIDE / product;
    double train = (double)runner->row->train_images / runner->train;
    double evaluate = (double)runner->row->test_images / runner->evaluate;
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "network", runner->row->network,
                     "precision", precision_name(runner->precision), "train_images_per_s", train,
                     "eval_images_per_s", evaluate, "sgemm_ratio",
                     train * training_flops(network) / sgemm, "eval_sgemm_ratio",
                     evaluate * network_flops(network) / sgemm, "sgemm_gflops", sgemm / 1e9);
}

static double number(const json_t *row, const char *name)
{
    return json_number_value(json_object_get(row, name));
}

static void print_row(const json_t *row)
{
    printf("%-18s  %-9s  %8.0f  %7.1f%%  %8.0f  %7.1f%%\n",
           json_string_value(json_object_get(row, "network")),
           json_string_value(json_object_get(row, "precision")), number(row, "train_images_per_s"),
           100 * number(row, "sgemm_ratio"), number(row, "eval_images_per_s"),
           100 * number(row, "eval_sgemm_ratio"));
}

static void print_table(const json_t *rows)
{
    char *arithmetic = describe_arithmetic(bf16_kernels() ? PRECISION_BF16 : PRECISION_FP32);
    printf("%s, one thread; sgemm %d x %d x %d: %.1f GFLOP/s\n\n", arithmetic, SIDE, SIDE, SIDE,
           number(json_array_get(rows, 0), "sgemm_gflops"));
    printf("                               train              evaluate\n"
           "network             precision  images/s  of sgemm  images/s  of sgemm\n");
    for (size_t i = 0; i < json_array_size(rows); i++)
        print_row(json_array_get(rows, i));
    free(arithmetic);
}

/* The rows, or NULL. */
static json_t *bench(struct failure *why)
{
    struct runner runners[RUNNERS_MOST] = {0};
    struct dataset *dataset = draw_digits();
    size_t opened = 0, count = bf16_kernels() ? RUNNERS_MOST : ROWS; /* all in fp32, then bf16 */
    while (opened < count &&
           runner_open(&runners[opened], &table[opened % ROWS], (enum precision)(opened / ROWS),
                       dataset, why) == 0)
        opened++;
    json_t *rows = NULL;
    if (opened == count) {
        double product = measure(runners, count);
        rows = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(rows, make_row(&runners[i], product));
    }
    for (size_t i = 0; i < count; i++)
        runner_close(&runners[i]);
    dataset_free(dataset);
    return rows;
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
    json_t *rows = parsed == 0 ? bench(why) : NULL;
    if (rows && json)
        json_text_print(rows);
    else if (rows)
        print_table(rows);
    json_decref(rows);
    return why->code;
}
