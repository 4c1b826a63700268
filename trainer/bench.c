#include "trainer/bench.h"

#include "trainer/bench_rows.h"
#include "trainer/bf16.h"
#include "trainer/evaluate.h"
#include "trainer/floats.h"
#include "trainer/gemm.h"
#include "trainer/train.h"

#include <stdlib.h>

enum { ROUNDS_LEAST = 2, ROUNDS_MOST = 100 };

/* A row as it is measured, with the shortest time that each took so far, in seconds. */
struct runner {
    const struct bench_row *row;
    enum precision precision;
    struct dataset dataset; /* the first images of the one that all share */
    json_t *settings;
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
    data_synthetic_load(BENCH_TRAIN_MOST, BENCH_TEST_MOST, 0, dataset);
    dataset->train_count = BENCH_TRAIN_MOST;
    dataset->train_index = xcalloc(BENCH_TRAIN_MOST, sizeof *dataset->train_index);
    for (uint32_t i = 0; i < BENCH_TRAIN_MOST; i++)
        dataset->train_index[i] = i;
    return dataset;
}

static int runner_open(struct runner *runner, const struct bench_row *row,
                       enum precision precision, const struct dataset *dataset,
                       struct failure *why)
{
    *runner = (struct runner){.row = row, .precision = precision, .dataset = *dataset};
    runner->dataset.train_count = row->train_images;
    runner->dataset.test.count = row->test_images;
    runner->settings = json_copy(row->training);
    json_object_set_new(runner->settings, "precision", json_string(precision_name(precision)));
    runner->training = training_new(
        &(struct training_settings){.model = row->model, .training = runner->settings,
                                    .schedule_epochs = 2 * ROUNDS_MOST, .threads = 1},
        &runner->dataset, why);
    return runner->training ? 0 : -1;
}

static void runner_close(struct runner *runner)
{
    training_free(runner->training);
    json_decref(runner->settings);
}

/* Other rows have had the caches meanwhile, as no other step of a training has: what is measured
 * comes second. */
static void runner_turn(struct runner *runner)
{
    struct epoch_metrics metrics;
    training_epoch(runner->training, NULL, NULL, &metrics);
    training_epoch(runner->training, NULL, NULL, &metrics);
    keep_shortest(metrics.seconds, &runner->train);
    for (int i = 0; i < 2; i++) {
        struct evaluation evaluation;
        double begun = clock_seconds();
        evaluate_images(training_network(runner->training), &runner->dataset.test, NULL, NULL,
                        &evaluation);
        keep_shortest(clock_seconds() - begun, &runner->evaluate);
        evaluation_release(&evaluation);
    }
}

/* Values like weights: of both signs and none of them tiny, which would be slow. */
static float *make_matrix(void)
{
    float *matrix = floats_new((size_t)BENCH_SIDE * BENCH_SIDE);
    for (size_t i = 0; i < (size_t)BENCH_SIDE * BENCH_SIDE; i++)
        matrix[i] = (float)((int)(i * 31 % 255) - 127) / 127.0f;
    return matrix;
}

static double time_product(const float *a, const float *b, float *c)
{
    double begun = clock_seconds();
    gemm(BENCH_SIDE, BENCH_SIDE, BENCH_SIDE, a, b, c);
    return clock_seconds() - begun;
}

/* Takes turns, so that what disturbs the machine disturbs all alike; gives the seconds of
 * a product. */
static double measure(struct runner *runners, size_t count, double seconds)
{
    float *a = make_matrix(), *b = make_matrix(), *c = floats_zero((size_t)BENCH_SIDE * BENCH_SIDE);
    double begun = clock_seconds(), product = 0;
    for (int round = 0; round < ROUNDS_MOST; round++) {
        if (round >= ROUNDS_LEAST && clock_seconds() - begun >= seconds)
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

/* ---- the figures ---- */

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
    double sgemm = 2.0 * BENCH_SIDE * BENCH_SIDE * BENCH_SIDE / product;
    double train = (double)runner->row->train_images / runner->train;
    double evaluate = (double)runner->row->test_images / runner->evaluate;
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "network", runner->row->network,
                     "precision", precision_name(runner->precision), "train_images_per_s", train,
                     "eval_images_per_s", evaluate, "sgemm_ratio",
                     train * training_flops(network) / sgemm, "eval_sgemm_ratio",
                     evaluate * network_flops(network) / sgemm, "sgemm_gflops", sgemm / 1e9);
}

static json_t *measure_rows(struct runner *runners, size_t count, double seconds)
{
    double product = measure(runners, count, seconds);
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, make_row(&runners[i], product));
    return rows;
}

json_t *bench_measure(double seconds, struct failure *why)
{
    size_t row_count, opened = 0;
    struct bench_row *rows = bench_rows(&row_count, why);
    if (!rows)
        return NULL;
    size_t count = bf16_kernels() ? PRECISION_COUNT * row_count : row_count;
    struct runner *runners = xcalloc(count, sizeof *runners);
    struct dataset *dataset = draw_digits();
    while (opened < count && runner_open(&runners[opened], &rows[opened % row_count],
                                         (enum precision)(opened / row_count), dataset, why) == 0)
        opened++;
    json_t *measured = opened == count ? measure_rows(runners, count, seconds) : NULL;
    for (size_t i = 0; i < count; i++)
        runner_close(&runners[i]);
    dataset_free(dataset);
    free(runners);
    bench_rows_free(rows, row_count);
    return measured;
}
