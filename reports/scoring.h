/* How good the probabilities are that a model gives, beyond which class is the largest.
 * Defined as scikit-learn defines them, where it does.
 *
 *   log loss   mean of -ln p(true class), each image's p kept within e and 1 - e (e: the
 *              distance from 1 to the next double) and summing to 1
 *   Brier      mean of sum over the classes of (p - 1 or 0)^2 (Brier, 1950): from 0 to 2
 *   top k      share of the images whose true class is among the k most probable; of equal
 *              ones, the class with the larger number is taken to be more probable
 *   ECE        sum over the bins of |accuracy - confidence| x share of the images, where
 *              confidence is the probability of the predicted class (Guo et al., "On
 *              Calibration of Modern Neural Networks", ICML 2017) */
#ifndef REPORTS_SCORING_H
#define REPORTS_SCORING_H

#include <stdint.h>

enum { SCORING_BINS = 15, SCORING_TOPS = 3 };
/* The k of top k: 2, 3, 5. */
extern const int scoring_tops[SCORING_TOPS];

/* Confidences above i / SCORING_BINS, up to and with (i + 1) / SCORING_BINS. */
struct scoring_bin {
    int64_t count;
    double confidence, accuracy; /* means; 0 in an empty bin */
};

struct scoring {
    int64_t images;
    double log_loss, brier, ece;
    double top[SCORING_TOPS];
    struct scoring_bin bins[SCORING_BINS];
};

/* From a scoring that is all zero: adds images one by one, then makes means of the sums.
 * `label` and `predicted` are from 0 to classes - 1. */
void scoring_add(struct scoring *scoring, const double *probabilities /* [classes] */,
                 int classes, int label, int predicted);
void scoring_finish(struct scoring *scoring);

#endif
