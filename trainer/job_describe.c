#include "trainer/job.h"

#include "common/schema.h"
#include "trainer/describe.h"
#include "trainer/train.h"

#include <stdlib.h>

static void describe_precision(enum precision precision, json_t *answer)
{
    char *arithmetic = describe_arithmetic(precision);
    json_object_set_new(answer, "precision", json_string(precision_name(precision)));
    json_object_set_new(answer, "arithmetic", json_string(arithmetic));
    free(arithmetic);
}

/* A whole training is made, so that whatever a run would refuse is refused here. */
static int describe_network(const json_t *job, const struct dataset *dataset, json_t *answer,
                            struct failure *why)
{
    int result = -1;
    struct training *trial = NULL;
    json_t *model = schema_check_model(json_object_get(job, "model"), why);
    json_t *training =
        model ? schema_check_training(json_object_get(job, "training"), why) : NULL;
    const struct training_settings settings = {.model = model, .training = training,
                                               .schedule_epochs = 1, .threads = 1};
    if (training)
        trial = training_new(&settings, dataset, why);
    if (!trial)
        goto done;
    const struct network *network = training_network(trial);
    json_object_set_new(answer, "layers", describe_layers(network));
    json_object_set_new(answer, "parameters",
                        json_integer((json_int_t)network_parameter_count(network)));
    json_object_set_new(answer, "flops", json_real(network_flops(network)));
    describe_precision(training_precision(trial), answer);
    if (json_is_true(json_object_get(job, "measure"))) {
        double speed = describe_speed(model, training, dataset, 1, why);
        if (speed < 0)
            goto done;
        json_object_set_new(answer, "images_per_s", json_real(speed));
    }
    result = 0;
done:
    training_free(trial);
    json_decref(training);
    json_decref(model);
    return result;
}

int job_describe(struct worker *worker, const json_t *job, struct failure *why)
{
    int64_t id = 0;
    if (job_integer(job, "id", 0, INT64_MAX, &id, why) != 0)
        return -1;
    struct dataset *dataset = worker_dataset(worker, job, why);
    if (!dataset)
        return -1;
    json_t *answer = json_pack("{s:s, s:I, s:o}", "type", "described", "id", (json_int_t)id,
                               "data", dataset_describe(dataset));
    if (json_object_get(job, "model") && describe_network(job, dataset, answer, why) != 0) {
        json_decref(answer);
        return -1;
    }
    worker_say(worker, answer);
    return 0;
}
