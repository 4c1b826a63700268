/* Classification metrics from a confusion matrix: precision, recall, F1, averages;
 * defined as scikit-learn's classification_report defines them.
 *
 * With tp, fp and fn of one class: precision = tp / (tp + fp), recall = tp / (tp + fn),
 * F1 = 2 precision recall / (precision + recall); each 0 where its denominator is 0.
 * The macro average is the plain mean over the classes, the weighted one weighs each
 * class by its support.  A class that neither occurs nor is predicted takes no part
 * in the averages and has no row in the text. */
#ifndef REPORTS_METRICS_H
#define REPORTS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct confusion {
    int classes;
    int64_t *counts;  /* [true class][predicted class] */
};

void confusion_init(struct confusion *confusion, int classes);
void confusion_release(struct confusion *confusion);
/* Both from 0 to classes - 1. */
void confusion_add(struct confusion *confusion, int label, int predicted);
void confusion_add_many(struct confusion *confusion, int label, int predicted, int64_t images);
int64_t confusion_at(const struct confusion *confusion, int label, int predicted);

struct class_metrics {
    double precision, recall, f1;
    int64_t support;   /* how often the class is true */
    int64_t predicted; /* how often it was predicted */
};

struct metrics {
    struct class_metrics *per_class;      /* [classes] */
    struct class_metrics macro, weighted; /* support and predicted: all images */
    double accuracy;
    int64_t total, correct;
};
void metrics_compute(const struct confusion *confusion, struct metrics *metrics);
void metrics_release(struct metrics *metrics);
/* Whether the class occurs or is predicted at all. */
bool metrics_class_seen(const struct class_metrics *one);

/* The text of scikit-learn's classification_report(digits=4), byte for byte, for
 * classes named `names` (UTF-8; lined up by characters).  The caller frees it. */
char *metrics_text(const struct metrics *metrics, int classes, const char *const *names);

/* Wilson's 95 % interval for a share (Wilson, JASA 1927); 0 to 1 when total is 0. */
void wilson_interval(int64_t successes, int64_t total, double *low, double *high);

#endif
