#include "trainer/describe.h"

#include "common/rng.h"
#include "trainer/bf16.h"
#include "trainer/gemm.h"
#include "trainer/isa.h"
#include "trainer/train.h"
#include "trainer/winograd.h"

#include <stdlib.h>

json_t *describe_layers(const struct network *network)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < network_layer_count(network); i++) {
        struct layer_summary layer;
        network_layer(network, i, &layer);
        json_t *output =
            layer.flat ? json_pack("[i]", layer.output.channels)
                       : json_pack("[i, i, i]", layer.output.height, layer.output.width,
                                   layer.output.channels);
        json_array_append_new(layers, json_pack("{s:s, s:s, s:o, s:I, s:f}", "name", layer.name,
                                                "type", layer.type, "output", output,
                                                "parameters", (json_int_t)layer.parameters,
                                                "flops", layer.flops));
    }
    return layers;
}

char *describe_arithmetic(enum precision precision)
{
    const char *isa = isa_name(isa_chosen());
    const char *winograd = winograd_is_on() ? "+winograd" : "";
    if (precision == PRECISION_BF16)
        return xasprintf("%s bf16 + %s%s+%s", bf16_kernels(), isa, winograd, gemm_kernels());
    return xasprintf("%s%s+%s fp32", isa, winograd, gemm_kernels());
}

/* ---- Speed ---- */

enum { SPEED_EPOCH_IMAGES = 1 << 20, SPEED_LEAST_STEPS = 3 };
static const double speed_seconds = 0.3;

/* Asked before each step.  The first step warms caches up and is not counted. */
struct stopwatch {
    int asked;
    double started, now;
};

static bool has_run_long_enough(void *context)
{
    struct stopwatch *watch = context;
    watch->now = clock_seconds();
    if (++watch->asked == 2)
        watch->started = watch->now;
    return watch->asked > SPEED_LEAST_STEPS && watch->now - watch->started >= speed_seconds;
}

/* One batch of random images, seen again and again in an epoch longer than the
 * stopwatch lets it become. */
static struct dataset *random_dataset(const struct dataset *shape, size_t batch)
{
    struct rng rng;
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    size_t size = (size_t)(shape->height * shape->width * shape->channels);
    dataset->height = shape->height;
    dataset->width = shape->width;
    dataset->channels = shape->channels;
    dataset->classes = shape->classes;
    dataset->training.count = batch;
    dataset->training.pixels = xreallocarray(NULL, batch, size);
    dataset->training.labels = xreallocarray(NULL, batch, sizeof(uint16_t));
    rng_init(&rng, 0, 0, RNG_SYNTHETIC, 0);
    for (size_t i = 0; i < batch * size; i++)
        dataset->training.pixels[i] = (uint8_t)(rng_u32(&rng) >> 24);
    for (size_t i = 0; i < batch; i++)
        dataset->training.labels[i] = (uint16_t)(i % (size_t)shape->classes);

    dataset->train_count = SPEED_EPOCH_IMAGES;
    dataset->train_index = xreallocarray(NULL, SPEED_EPOCH_IMAGES, sizeof(uint32_t));
    for (size_t i = 0; i < SPEED_EPOCH_IMAGES; i++)
        dataset->train_index[i] = (uint32_t)(i % batch);
    return dataset;
}

double describe_speed(const json_t *model, const json_t *training, const struct dataset *dataset,
                      int threads, struct failure *why)
{
    size_t batch = (size_t)json_integer_value(json_object_get(training, "batch_size"));
    if (batch > dataset->train_count) /* as in a real training */
        batch = dataset->train_count;
    struct training_settings settings = {.model = model, .training = training,
                                         .schedule_epochs = 1, .threads = threads};
    struct stopwatch watch = {0};
    struct epoch_metrics metrics;
    struct dataset *random = random_dataset(dataset, batch);
    struct training *trial = training_new(&settings, random, why);
    double speed = -1;
    if (trial) {
        training_epoch(trial, has_run_long_enough, &watch, &metrics);
        double seconds = watch.now - watch.started;
        speed = seconds > 0 ? (double)(watch.asked - 2) * (double)batch / seconds : 0;
    }
    training_free(trial);
    dataset_free(random);
    return speed;
}
