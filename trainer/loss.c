#include "trainer/loss.h"

#include <math.h>

size_t loss_predicted(size_t classes, const float *logits)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++) {
        if (logits[c] > logits[best])
            best = c;
    }
    return best;
}

/* log of the sum of exp(logit - largest). */
static double log_sum(size_t classes, const float *logits, double largest)
{
    double sum = 0.0;
    for (size_t c = 0; c < classes; c++)
        sum += exp(logits[c] - largest);
    return log(sum);
}

/* The sum of q_c (z_c - largest) of one image; without smoothing only the label counts. */
static double aimed_at(size_t classes, const float *logits, size_t label, double smoothing,
                       double largest)
{
    double aimed = (1.0 - smoothing) * (logits[label] - largest);
    for (size_t c = 0; smoothing > 0.0 && c < classes; c++)
        aimed += smoothing / (double)classes * (logits[c] - largest);
    return aimed;
}

void loss_add_smoothed(size_t count, size_t classes, const float *logits, const uint16_t *labels,
                       double smoothing, struct loss_sum *sum, float scale, float *gradient)
{
    double least = smoothing / (double)classes;
    for (size_t i = 0; i < count; i++, logits += classes) {
        size_t label = labels[i];
        size_t predicted = loss_predicted(classes, logits);
        double largest = logits[predicted];
        double total = log_sum(classes, logits, largest);
        sum->loss += total - aimed_at(classes, logits, label, smoothing, largest);
        sum->correct += predicted == label;
        for (size_t c = 0; gradient && c < classes; c++) {
            double probability = exp(logits[c] - largest - total);
            double meant = c == label ? 1.0 - smoothing + least : least;
            *gradient++ = (float)((probability - meant) * scale);
        }
    }
}

void loss_add(size_t count, size_t classes, const float *logits, const uint16_t *labels,
              struct loss_sum *sum, float scale, float *gradient)
{
    loss_add_smoothed(count, classes, logits, labels, 0.0, sum, scale, gradient);
}

void loss_softmax(size_t count, size_t classes, const float *logits, float *probabilities)
{
    for (size_t i = 0; i < count; i++, logits += classes, probabilities += classes) {
        double largest = logits[loss_predicted(classes, logits)];
        double total = log_sum(classes, logits, largest);
        for (size_t c = 0; c < classes; c++)
            probabilities[c] = (float)exp(logits[c] - largest - total);
    }
}
