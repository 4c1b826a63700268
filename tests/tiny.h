/* Small things to train on, for the trainer's tests. */
#ifndef TESTS_TINY_H
#define TESTS_TINY_H

#include "common/rng.h"
#include "trainer/data.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The formula of tests/golden_step.py. */
static inline double tiny_number(size_t i, size_t salt)
{
    return (double)((i * 7919 + salt * 104729 + 13) % 10007) / 10007.0 - 0.5;
}

static inline json_t *tiny_json(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    if (!json) {
        message("%s in %s", error.text, text);
        abort();
    }
    return json;
}

/* 8x8 images of one bright bar each, whose place gives the class, with noise. */
static inline struct dataset *tiny_dataset(size_t count, size_t validation)
{
    struct dataset *data = xcalloc(1, sizeof *data);
    struct rng rng;
    rng_init(&rng, 7, 0, RNG_SYNTHETIC, 0);
    data->height = data->width = 8;
    data->channels = 1;
    data->classes = 4;
    data->training.count = count + validation;
    data->training.pixels = xmalloc((count + validation) * 64);
    data->training.labels = xcalloc(count + validation, sizeof(uint16_t));
    for (size_t i = 0; i < count + validation; i++) {
        size_t label = rng_below(&rng, 4);
        data->training.labels[i] = (uint16_t)label;
        for (size_t p = 0; p < 64; p++) {
            uint64_t bright = p / 8 / 2 == label ? 150 : 0;
            data->training.pixels[i * 64 + p] = (uint8_t)(bright + rng_below(&rng, 100));
        }
    }
    data->train_index = xcalloc(count, sizeof *data->train_index);
    data->validation_index = xcalloc(validation + 1, sizeof *data->validation_index);
    data->train_count = count;
    data->validation_count = validation;
    for (size_t i = 0; i < count; i++)
        data->train_index[i] = (uint32_t)i;
    for (size_t i = 0; i < validation; i++)
        data->validation_index[i] = (uint32_t)(count + i);
    return data;
}

static inline void tiny_dataset_free(struct dataset *data)
{
    free(data->training.pixels);
    free(data->training.labels);
    free(data->train_index);
    free(data->validation_index);
    free(data);
}

/* A network for it with every kind of layer. */
#define TINY_MODEL                                                                             \
    "[{\"type\":\"conv\",\"filters\":6,\"kernel\":3,\"stride\":1,\"padding\":\"same\","        \
    "\"activation\":\"relu\",\"weights\":\"he\"},"                                             \
    "{\"type\":\"max_pool\",\"size\":2,\"stride\":0,\"padding\":\"valid\"},"                   \
    "{\"type\":\"conv\",\"filters\":4,\"kernel\":2,\"stride\":1,\"padding\":\"valid\","        \
    "\"activation\":\"none\",\"weights\":\"glorot\"},"                                         \
    "{\"type\":\"relu\"},"                                                                     \
    "{\"type\":\"avg_pool\",\"size\":2,\"stride\":1,\"padding\":\"same\"},"                    \
    "{\"type\":\"flatten\"},"                                                                  \
    "{\"type\":\"dropout\",\"rate\":0.25},"                                                    \
    "{\"type\":\"dense\",\"units\":8,\"activation\":\"relu\",\"weights\":\"he\"},"             \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"none\",\"weights\":\"glorot\"}]"

/* Another, with the layers that the first has not. */
#define TINY_OTHER_MODEL                                                                       \
    "[{\"type\":\"conv\",\"filters\":6,\"kernel\":3,\"stride\":1,\"padding\":\"same\","        \
    "\"activation\":\"gelu\",\"weights\":\"he\"},"                                             \
    "{\"type\":\"leaky_relu\",\"slope\":0.1},{\"type\":\"gelu\"},{\"type\":\"elu\"},"            \
    "{\"type\":\"conv\",\"filters\":8,\"kernel\":4,\"stride\":4,\"padding\":\"valid\","        \
    "\"activation\":\"tanh\",\"weights\":\"glorot\"},"                                         \
    "{\"type\":\"global_avg_pool\"},"                                                          \
    "{\"type\":\"dense\",\"units\":12,\"activation\":\"sigmoid\",\"weights\":\"glorot\"},"     \
    "{\"type\":\"tanh\"},{\"type\":\"sigmoid\"},"                                              \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"none\",\"weights\":\"glorot\"}]"

/* And one with a residual, whose shortcut has weights, and what depends on the batch. */
#define TINY_RESIDUAL_MODEL                                                                    \
    "[{\"type\":\"conv\",\"filters\":4,\"kernel\":3,\"stride\":1,\"padding\":\"same\","        \
    "\"activation\":\"none\",\"weights\":\"he\"},"                                             \
    "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-5},{\"type\":\"relu\"},"         \
    "{\"type\":\"residual\",\"layers\":["                                                      \
    "{\"type\":\"conv\",\"filters\":6,\"kernel\":3,\"stride\":2,\"padding\":\"same\","         \
    "\"activation\":\"none\",\"weights\":\"he\"},"                                             \
    "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-5},"                             \
    "{\"type\":\"residual\",\"layers\":[{\"type\":\"relu\"},"                                  \
    "{\"type\":\"dropout\",\"rate\":0.1}]}]},"                                                 \
    "{\"type\":\"relu\"},{\"type\":\"flatten\"},"                                              \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"none\",\"weights\":\"glorot\"}]"

/* And one with channels enough for Winograd's transforms, where the processor has them. */
#define TINY_WIDE_MODEL                                                                        \
    "[{\"type\":\"conv\",\"filters\":16,\"kernel\":3,\"stride\":1,\"padding\":\"same\","       \
    "\"activation\":\"relu\",\"weights\":\"he\"},"                                             \
    "{\"type\":\"conv\",\"filters\":16,\"kernel\":3,\"stride\":1,\"padding\":\"same\","       \
    "\"activation\":\"none\",\"weights\":\"he\"},"                                             \
    "{\"type\":\"max_pool\",\"size\":4,\"stride\":0,\"padding\":\"valid\"},{\"type\":\"flatten\"}," \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"none\",\"weights\":\"glorot\"}]"

#define TINY_ADAM                                                                              \
    "{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.01,\"beta1\":0.9,\"beta2\":0.999,"  \
    "\"epsilon\":1e-7},\"learning_rate_schedule\":{\"type\":\"linear\",\"warmup\":0.2,"        \
    "\"final\":0.1,\"over\":\"max_epochs\"},\"batch_size\":20}"

/* A path in a folder for scratch files, which this program has alone; the caller frees it. */
static inline char *tiny_path(const char *name)
{
    const char *parent = getenv("TEST_TMP");
    char *folder = xasprintf("%s/tiny-%ld", parent ? parent : "/tmp", (long)getpid());
    mkdir(folder, 0700); /* it may be there already */
    char *path = xasprintf("%s/%s", folder, name);
    free(folder);
    return path;
}

#endif
