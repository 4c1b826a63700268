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

void loss_add(size_t count, size_t classes, const float *logits, const uint16_t *labels,
              struct loss_sum *sum, float scale, float *gradient)
{
    for (size_t i = 0; i < count; i++, logits += classes) {
        size_t label = labels[i];
        size_t predicted = loss_predicted(classes, logits);
        double largest = logits[predicted];
        double total = log_sum(classes, logits, largest);
        sum->loss += total - (logits[label] - largest);
        sum->correct += predicted == label;
        for (size_t c = 0; gradient && c < classes; c++) {
            double probability = exp(logits[c] - largest - total);
            *gradient++ = (float)((probability - (c == label)) * scale);
        }
    }
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
