#include "trainer/evaluate.h"

#include "trainer/kernels.h"
#include "trainer/loss.h"

#include <math.h>
#include <stdlib.h>

enum { PIECE_MOST = 500 }; /* images at a time */

size_t evaluate_piece(size_t most, size_t values)
{
    size_t fit = EVALUATE_BYTES / (values * sizeof(float));
    return fit < 1 ? 1 : fit < most ? fit : most;
}

/* Enters the images from `first` on. */
static void enter_piece(const struct image_set *set, size_t first, size_t count,
                        const float *logits, struct loss_sum *sum,
                        struct evaluation *evaluation)
{
    size_t classes = (size_t)evaluation->classes;
    if (set->labels)
        loss_add(count, classes, logits, set->labels + first, sum, 0, NULL);
    loss_softmax(count, classes, logits, evaluation->probabilities + first * classes);
    for (size_t i = 0; i < count; i++)
        evaluation->predicted[first + i] = (uint16_t)loss_predicted(classes, logits + i * classes);
}

int evaluate_images(struct network *network, const struct image_set *set,
                    bool (*stop)(void *), void *context, struct evaluation *evaluation)
{
    struct shape input = network_input(network);
    size_t size = (size_t)(input.height * input.width * input.channels);
    size_t classes = (size_t)network_classes(network), piece = evaluate_piece(PIECE_MOST, size);
    float *images = xreallocarray(NULL, piece * size, sizeof *images);
    float *logits = xreallocarray(NULL, piece * classes, sizeof *logits);
    *evaluation = (struct evaluation){
        .count = set->count, .classes = network_classes(network),
        .predicted = xcalloc(set->count, sizeof(uint16_t)),
        .probabilities = xcalloc(set->count * classes, sizeof(float))};

    struct loss_sum sum = {0};
    int stopped = 0;
    for (size_t first = 0; first < set->count && !stopped; first += piece) {
        size_t count = set->count - first < piece ? set->count - first : piece;
        kernel_pixels(count * size, set->pixels + first * size, images);
        network_predict(network, images, count, logits);
        enter_piece(set, first, count, logits, &sum, evaluation);
        stopped = stop && stop(context);
    }
    evaluation->correct = sum.correct;
    evaluation->loss = set->labels ? sum.loss / (double)set->count : NAN;
    free(logits);
    free(images);
    return stopped;
}

void evaluation_release(struct evaluation *evaluation)
{
    free(evaluation->predicted);
    free(evaluation->probabilities);
    *evaluation = (struct evaluation){0};
}

int evaluate_check_fit(const struct network *network, const char *name, int height, int width,
                       int channels, int classes, struct failure *why)
{
    struct shape input = network_input(network);
    if (input.height != height || input.width != width || input.channels != channels)
        return fail_input(why, "%s takes images of %dx%dx%d, but these have %dx%dx%d; give it "
                          "images of the size that it was trained on", name, input.height,
                          input.width, input.channels, height, width, channels);
    if (network_classes(network) < classes)
        return fail_input(why, "%s knows %d classes, but the images have %d; give it a data set "
                          "of the classes that it was trained on", name,
                          network_classes(network), classes);
    return 0;
}
