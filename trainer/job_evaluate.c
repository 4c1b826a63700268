#include "trainer/job.h"

#include "common/base64.h"
#include "trainer/checkpoint.h"
#include "trainer/describe.h"
#include "trainer/evaluate.h"
#include "trainer/shown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_BYTES = 26, /* of one probability in JSON, its comma included */
    IMAGE_BYTES = 32,  /* of an image's label, prediction and brackets */
    PIXELS_BYTES = 40  /* around an image's pixels */
};

/* What is to be said: of each image the prediction, of some the pixels too. */
struct answer {
    const json_t *job;
    const struct evaluation *evaluation;
    const struct image_set *set;
    size_t pixels; /* of one image, channels counted */
    bool *shown;   /* [evaluation->count] */
};

/* Six significant digits: more would say nothing and make long lines. */
static json_t *rounded(float value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.6g", (double)value);
    return json_real(strtod(digits, NULL));
}

static json_t *image_pixels(const struct answer *answer, size_t image)
{
    char *text = base64_encode(answer->set->pixels + image * answer->pixels, answer->pixels);
    json_t *object = json_pack("{s:I, s:s}", "image", (json_int_t)image, "pixels", text);
    free(text);
    return object;
}

static json_t *prediction_piece(const struct answer *answer, size_t first, size_t count)
{
    const struct evaluation *evaluation = answer->evaluation;
    json_t *labels = json_array(), *predicted = json_array(), *probabilities = json_array();
    json_t *images = json_array();
    for (size_t i = first; i < first + count; i++) {
        const float *values = evaluation->probabilities + i * (size_t)evaluation->classes;
        json_t *row = json_array();
        for (int c = 0; c < evaluation->classes; c++)
            json_array_append_new(row, rounded(values[c]));
        json_array_append_new(labels, json_integer(answer->set->labels[i]));
        json_array_append_new(predicted, json_integer(evaluation->predicted[i]));
        json_array_append_new(probabilities, row);
        if (answer->shown[i])
            json_array_append_new(images, image_pixels(answer, i));
    }
    return json_pack("{s:s, s:O, s:O, s:I, s:o, s:o, s:o, s:o}", "type", "predictions", "trial",
                     json_object_get(answer->job, "trial"), "attempt",
                     json_object_get(answer->job, "attempt"), "first", (json_int_t)first, "labels",
                     labels, "predicted", predicted, "probabilities", probabilities, "images",
                     images);
}

/* How many images from `first` on go into one message. */
static size_t piece_size(const struct answer *answer, size_t first)
{
    size_t each = IMAGE_BYTES + NUMBER_BYTES * (size_t)answer->evaluation->classes;
    size_t shown = PIXELS_BYTES + base64_length(answer->pixels);
    size_t left = answer->evaluation->count - first, count = 0, bytes = 0;
    while (count < left && count < PROTOCOL_PREDICTIONS_MAX) {
        bytes += each + (answer->shown[first + count] ? shown : 0);
        if (bytes > PROTOCOL_PREDICTIONS_BYTES && count > 0)
            break;
        count++;
    }
    return count;
}

static void say_predictions(struct worker *worker, const struct answer *answer)
{
    size_t count;
    for (size_t first = 0; first < answer->evaluation->count; first += count) {
        count = piece_size(answer, first);
        worker_say(worker, prediction_piece(answer, first, count));
    }
}

static size_t image_bytes(const struct dataset *dataset)
{
    return (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels;
}

static int evaluate_network(struct worker *worker, const json_t *job, struct network *network,
                            const struct dataset *dataset, struct failure *why)
{
    struct evaluation evaluation = {0};
    int result = 0;
    if (evaluate_images(network, &dataset->test, worker_is_abandoned, worker, &evaluation) != 0)
        goto done;
    if (!isfinite(evaluation.loss)) {
        result = fail_input(why, "the network's output is not finite; its training diverged");
        goto done;
    }
    struct answer answer = {job, &evaluation, &dataset->test, image_bytes(dataset), NULL};
    answer.shown = shown_choose(&evaluation, dataset->test.labels, answer.pixels);
    say_predictions(worker, &answer);
    free(answer.shown);
    worker_say(worker, json_pack("{s:s, s:O, s:O, s:I, s:f, s:o}", "type", "done", "trial",
                                 json_object_get(job, "trial"), "attempt",
                                 json_object_get(job, "attempt"), "images",
                                 (json_int_t)evaluation.count, "loss", evaluation.loss, "layers",
                                 describe_layers(network)));
done:
    evaluation_release(&evaluation);
    return result;
}

int job_evaluate(struct worker *worker, const json_t *job, struct failure *why)
{
    const char *checkpoint = json_string_value(json_object_get(job, "checkpoint"));
    const char *set = json_string_value(json_object_get(job, "set"));
    int64_t number = 0, threads = 1;
    if (job_integer(job, "trial", 0, UINT32_MAX, &number, why) != 0 ||
        job_integer(job, "attempt", 0, INT64_MAX, &number, why) != 0 ||
        (json_object_get(job, "threads") &&
         job_integer(job, "threads", 1, PROTOCOL_THREADS_MAX, &threads, why) != 0))
        return -1;
    if (!checkpoint || !set || strcmp(set, "test") != 0)
        return fail_input(why, "the message needs a \"checkpoint\" and \"set\": \"test\"");
    struct dataset *dataset = worker_dataset(worker, job, why);
    if (!dataset)
        return -1;
    struct network *network = checkpoint_load_network(checkpoint, (int)threads, NULL, why);
    if (!network)
        return -1;
    int result = evaluate_check_fit(network, checkpoint, dataset->height, dataset->width,
                                    dataset->channels, dataset->classes, why);
    if (result == 0)
        result = evaluate_network(worker, job, network, dataset, why);
    network_free(network);
    return result;
}
