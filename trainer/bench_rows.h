/* The networks that `trainer bench` measures: small and vgg, small with what training may have
 * beside, and that of each study in search_spaces/ at the middle of its ranges
 * (bench_networks.json, which bench/shipped.py makes of them). */
#ifndef TRAINER_BENCH_ROWS_H
#define TRAINER_BENCH_ROWS_H

#include "common/base.h"

#include <jansson.h>

/* The largest counts of a row. */
enum { BENCH_TRAIN_MOST = 512, BENCH_TEST_MOST = 2048 };

struct bench_row {
    char *network;
    json_t *model, *training;         /* complete, as the schema gives them */
    size_t train_images, test_images; /* of a turn; whole batches */
};

/* [*count]; release with bench_rows_free().  NULL on failure. */
struct bench_row *bench_rows(size_t *count, struct failure *why);
void bench_rows_free(struct bench_row *rows, size_t count);

#endif
