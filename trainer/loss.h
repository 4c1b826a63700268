/* Softmax and cross-entropy, and how many predictions are right.
 *
 *   p_c = exp(z_c - max z) / sum over k of exp(z_k - max z)
 *   loss = -log p_label;   dloss/dz_c = p_c - [c = label]
 *
 * With label smoothing a (Szegedy et al. 2016) the label's share of 1 is shared out: of
 * K classes each is meant by a / K, and the label by 1 - a more.  With q_c for that,
 *
 *   loss = - sum over c of q_c log p_c;   dloss/dz_c = p_c - q_c
 *
 * Sums are in double.  The predicted class is the first of the largest logits.  A
 * logit that is not a number makes the loss not a number. */
#ifndef TRAINER_LOSS_H
#define TRAINER_LOSS_H

#include <stddef.h>
#include <stdint.h>

struct loss_sum {
    double loss;    /* over the images, not yet divided by their number */
    size_t correct;
};

/* Adds the images to `sum`.  `gradient` (may be NULL) is set to dloss/dz * scale. */
void loss_add(size_t count, size_t classes, const float *logits /* [count][classes] */,
              const uint16_t *labels /* [count] */, struct loss_sum *sum, float scale,
              float *gradient /* [count][classes] */);

/* The same with label smoothing, from 0 (none) to below 1. */
void loss_add_smoothed(size_t count, size_t classes,
                       const float *logits /* [count][classes] */,
                       const uint16_t *labels /* [count] */, double smoothing,
                       struct loss_sum *sum, float scale, float *gradient /* [count][classes] */);

/* The largest logit's class, the first of equals. */
size_t loss_predicted(size_t classes, const float *logits /* [classes] */);

/* p above, of each image; may be in place. */
void loss_softmax(size_t count, size_t classes, const float *logits /* [count][classes] */,
                  float *probabilities /* [count][classes] */);

#endif
