#include "reports/scoring.h"

#include <float.h>
#include <math.h>

const int scoring_tops[SCORING_TOPS] = {2, 3, 5};

static double log_loss(const double *probabilities, int classes, int label)
{
    double sum = 0.0;
    for (int i = 0; i < classes; i++)
        sum += fmin(fmax(probabilities[i], DBL_EPSILON), 1.0 - DBL_EPSILON);
    return -log(fmin(fmax(probabilities[label], DBL_EPSILON), 1.0 - DBL_EPSILON) / sum);
}

static double brier(const double *probabilities, int classes, int label)
{
    double sum = 0.0;
    for (int i = 0; i < classes; i++) {
        double error = probabilities[i] - (i == label ? 1.0 : 0.0);
        sum += error * error;
    }
    return sum;
}

/* How many classes are more probable than the label. */
static int rank(const double *probabilities, int classes, int label)
{
    int before = 0;
    for (int i = 0; i < classes; i++)
        before += probabilities[i] > probabilities[label] ||
                  (probabilities[i] == probabilities[label] && i > label);
    return before;
}

static struct scoring_bin *bin_of(struct scoring *scoring, double confidence)
{
    int index = (int)ceil(confidence * SCORING_BINS) - 1;
    index = index < 0 ? 0 : index >= SCORING_BINS ? SCORING_BINS - 1 : index;
    return &scoring->bins[index];
}

void scoring_add(struct scoring *scoring, const double *probabilities, int classes, int label,
                 int predicted)
{
    int before = rank(probabilities, classes, label);
    struct scoring_bin *bin = bin_of(scoring, probabilities[predicted]);
    scoring->images++;
    scoring->log_loss += log_loss(probabilities, classes, label);
    scoring->brier += brier(probabilities, classes, label);
    for (int i = 0; i < SCORING_TOPS; i++)
        scoring->top[i] += before < scoring_tops[i];
    bin->count++;
    bin->confidence += probabilities[predicted];
    bin->accuracy += label == predicted;
}

static void finish_bin(struct scoring *scoring, struct scoring_bin *bin)
{
    if (bin->count == 0)
        return;
    double count = (double)bin->count;
    bin->confidence /= count;
    bin->accuracy /= count;
    scoring->ece += fabs(bin->accuracy - bin->confidence) * count / (double)scoring->images;
}

void scoring_finish(struct scoring *scoring)
{
    if (scoring->images == 0)
        return;
    double images = (double)scoring->images;
    scoring->log_loss /= images;
    scoring->brier /= images;
    for (int i = 0; i < SCORING_TOPS; i++)
        scoring->top[i] /= images;
    for (int i = 0; i < SCORING_BINS; i++)
        finish_bin(scoring, &scoring->bins[i]);
}
