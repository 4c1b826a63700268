/* How a trained network does on images with known labels. */
#ifndef TRAINER_EVALUATE_H
#define TRAINER_EVALUATE_H

#include "trainer/data.h"
#include "trainer/network.h"

struct evaluation {
    size_t count; /* images */
    int classes;
    uint16_t *predicted;   /* [count]: the class of the largest logit, the first of equals */
    float *probabilities;  /* [count][classes]: softmax of the logits */
    double loss;           /* mean cross-entropy; not finite if a logit is not */
    size_t correct;
};

/* How many images of so many values are worked on at once: `most`, or fewer of large ones, so that
 * they take EVALUATE_BYTES at the most, but never less than one. */
enum { EVALUATE_BYTES = 64 << 20 };
size_t evaluate_piece(size_t most, size_t values);

/* Evaluates all images of a set.  `stop` (may be NULL) is asked between pieces of
 * some hundred images; when it says true the rest is left out and 1 is returned,
 * otherwise 0.  A set without labels has no loss and none correct. */
int evaluate_images(struct network *network, const struct image_set *set,
                    bool (*stop)(void *), void *context, struct evaluation *evaluation);
void evaluation_release(struct evaluation *evaluation);

/* Bad input when the network takes images of another size than these, or knows fewer
 * classes than `classes`; `name` is the network's, for the message. */
int evaluate_check_fit(const struct network *network, const char *name, int height, int width,
                       int channels, int classes, struct failure *why);

#endif
