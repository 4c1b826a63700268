/* Classification metrics from a confusion matrix: precision, recall, F1, averages;
 * defined as scikit-learn's classification_report defines them. */
#ifndef REPORTS_METRICS_H
#define REPORTS_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct confusion {
    int classes;
    int64_t *counts;  /* [true class][predicted class] */
};

void confusion_init(struct confusion *confusion, int classes);
void confusion_release(struct confusion *confusion);
void confusion_add(struct confusion *confusion, int label, int predicted);
int64_t confusion_at(const struct confusion *confusion, int label, int predicted);

struct class_metrics {
    double precision, recall, f1; /* 0 where the denominator is 0 */
    int64_t support;
};

struct metrics {
    struct class_metrics *per_class; /* [classes] */
    struct class_metrics macro, weighted;
    double accuracy;
    int64_t total;
};
void metrics_compute(const struct confusion *confusion, struct metrics *metrics);
void metrics_release(struct metrics *metrics);

/* The text of scikit-learn's classification_report(digits=4), byte for byte, for
 * classes named `names`.  The caller frees it. */
char *metrics_text(const struct metrics *metrics, int classes, const char *const *names);

/* Wilson's 95 % interval for a share (Wilson, JASA 1927). */
void wilson_interval(int64_t successes, int64_t total, double *low, double *high);

#endif
