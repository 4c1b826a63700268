#include "trainer/bench_rows.h"

#include "common/embed.h"
#include "common/schema.h"

#include <stdlib.h>

EMBED(shipped_networks, "trainer/bench_networks.json");
extern const char shipped_networks[];

enum { BATCH = 64 };

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

/* A new row is a new line here.  Each takes some hundredths of a second a turn, as sgemm does: a
 * longer measurement would meet other work more often. */
static const struct {
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

/* Images of a turn of a study's network, but for what its batches have more. */
enum { SHIPPED_TRAIN = 2 * BATCH, SHIPPED_TEST = 8 * BATCH };

/* Takes name, model and training over; the latter two are completed. */
static int row_set(struct bench_row *row, char *network, json_t *model, json_t *training,
                   struct failure *why)
{
    row->network = network;
    row->model = schema_check_model(model, why);
    row->training = row->model ? schema_check_training(training, why) : NULL;
    json_decref(model);
    json_decref(training);
    return row->training ? 0 : -1;
}

static int row_set_shipped(struct bench_row *row, const json_t *shipped, struct failure *why)
{
    const json_t *training = json_object_get(shipped, "training");
    size_t batch = (size_t)json_integer_value(json_object_get(training, "batch_size"));
    row->train_images = (SHIPPED_TRAIN + batch - 1) / batch * batch;
    row->test_images = SHIPPED_TEST;
    return row_set(row, xstrdup(json_string_value(json_object_get(shipped, "study"))),
                   json_incref(json_object_get(shipped, "model")),
                   json_incref(json_object_get(shipped, "training")), why);
}

struct bench_row *bench_rows(size_t *count, struct failure *why)
{
    json_t *shipped = json_loads(shipped_networks, 0, NULL);
    size_t most = ARRAY_LENGTH(table) + json_array_size(shipped);
    struct bench_row *rows = xcalloc(most, sizeof *rows);
    int failed = 0;
    for (*count = 0; !failed && *count < most; ++*count) {
        size_t i = *count;
        struct bench_row *row = &rows[i];
        if (i >= ARRAY_LENGTH(table)) {
            failed = row_set_shipped(row, json_array_get(shipped, i - ARRAY_LENGTH(table)), why);
            continue;
        }
        row->train_images = table[i].train_images;
        row->test_images = table[i].test_images;
        failed = row_set(row, xstrdup(table[i].network), json_loads(table[i].model, 0, NULL),
                         json_loads(table[i].training, 0, NULL), why);
    }
    json_decref(shipped);
    if (failed) {
        bench_rows_free(rows, *count);
        return NULL;
    }
    return rows;
}

void bench_rows_free(struct bench_row *rows, size_t count)
{
    for (size_t i = 0; rows && i < count; i++) {
        free(rows[i].network);
        json_decref(rows[i].model);
        json_decref(rows[i].training);
    }
    free(rows);
}
