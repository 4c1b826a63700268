#include "reports/metrics.h"

#include "common/base.h"

#include <math.h>
#include <stdlib.h>

void confusion_init(struct confusion *confusion, int classes)
{
    confusion->classes = classes;
    confusion->counts = xcalloc((size_t)classes * (size_t)classes, sizeof(int64_t));
}

void confusion_release(struct confusion *confusion)
{
    free(confusion->counts);
    confusion->counts = NULL;
    confusion->classes = 0;
}

static size_t cell(const struct confusion *confusion, int label, int predicted)
{
    return (size_t)label * (size_t)confusion->classes + (size_t)predicted;
}

void confusion_add(struct confusion *confusion, int label, int predicted)
{
    confusion_add_many(confusion, label, predicted, 1);
}

void confusion_add_many(struct confusion *confusion, int label, int predicted, int64_t images)
{
    confusion->counts[cell(confusion, label, predicted)] += images;
}

int64_t confusion_at(const struct confusion *confusion, int label, int predicted)
{
    return confusion->counts[cell(confusion, label, predicted)];
}

static double share(int64_t part, int64_t whole)
{
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

/* In this order of operations, because a last bit can decide how the fourth digit
 * is rounded and the text is to agree with scikit-learn's to the character. */
static double f1_score(double precision, double recall)
{
    double sum = precision + recall;
    return sum == 0.0 ? 0.0 : 2.0 * precision * recall / sum;
}

/* The sum as NumPy adds: eight running sums, halves beyond 128 values.  For the
 * same reason as above. */
static double sum_pairwise(const double *values, size_t count)
{
    if (count < 8) {
        double sum = 0.0;
        for (size_t i = 0; i < count; i++)
            sum += values[i];
        return sum;
    }
    if (count > 128) {
        size_t half = count / 2;
        half -= half % 8;
        return sum_pairwise(values, half) + sum_pairwise(values + half, count - half);
    }
    double lanes[8];
    size_t i;
    for (i = 0; i < 8; i++)
        lanes[i] = values[i];
    for (; i < count - count % 8; i += 8)
        for (size_t lane = 0; lane < 8; lane++)
            lanes[lane] += values[i + lane];
    double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                 ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    for (; i < count; i++)
        sum += values[i];
    return sum;
}

static void compute_class(const struct confusion *confusion, int index, struct class_metrics *one)
{
    one->support = 0;
    one->predicted = 0;
    for (int other = 0; other < confusion->classes; other++) {
        one->support += confusion_at(confusion, index, other);
        one->predicted += confusion_at(confusion, other, index);
    }
    int64_t right = confusion_at(confusion, index, index);
    one->precision = share(right, one->predicted);
    one->recall = share(right, one->support);
    one->f1 = f1_score(one->precision, one->recall);
}

bool metrics_class_seen(const struct class_metrics *one)
{
    return one->support > 0 || one->predicted > 0;
}

/* Averages over the classes that were seen, each weighed by its support or by 1. */
static struct class_metrics average(const struct metrics *metrics, int classes, bool by_support)
{
    double *columns = xcalloc(3 * (size_t)classes, sizeof(double));
    double *precision = columns, *recall = columns + classes, *f1 = columns + 2 * classes;
    double weights = 0.0;
    size_t count = 0;
    for (int index = 0; index < classes; index++) {
        const struct class_metrics *one = &metrics->per_class[index];
        if (!metrics_class_seen(one))
            continue;
        double weight = by_support ? (double)one->support : 1.0;
        precision[count] = one->precision * weight;
        recall[count] = one->recall * weight;
        f1[count] = one->f1 * weight;
        weights += weight;
        count++;
    }
    if (weights == 0.0)
        weights = 1.0; /* nothing was added either: the averages are 0 */
    struct class_metrics mean = {
        .precision = sum_pairwise(precision, count) / weights,
        .recall = sum_pairwise(recall, count) / weights,
        .f1 = sum_pairwise(f1, count) / weights,
        .support = metrics->total,
        .predicted = metrics->total,
    };
    free(columns);
    return mean;
}

void metrics_compute(const struct confusion *confusion, struct metrics *metrics)
{
    int classes = confusion->classes;
    *metrics = (struct metrics){0};
    metrics->per_class = xcalloc((size_t)classes, sizeof *metrics->per_class);
    for (int index = 0; index < classes; index++) {
        compute_class(confusion, index, &metrics->per_class[index]);
        metrics->total += metrics->per_class[index].support;
        metrics->correct += confusion_at(confusion, index, index);
    }
    metrics->accuracy = share(metrics->correct, metrics->total);
    metrics->macro = average(metrics, classes, false);
    metrics->weighted = average(metrics, classes, true);
}

void metrics_release(struct metrics *metrics)
{
    free(metrics->per_class);
    metrics->per_class = NULL;
}

/* With p = k/n and z the normal distribution's 97.5 % point:
 * (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). */
void wilson_interval(int64_t successes, int64_t total, double *low, double *high)
{
    const double z = 1.959963984540054;
    *low = 0.0;
    *high = 1.0;
    if (total == 0)
        return;
    double n = (double)total, p = (double)successes / n;
    double middle = p + z * z / (2.0 * n);
    double reach = z * sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    double scale = 1.0 + z * z / n;
    /* Exact at the ends, where the formula leaves a rounding error. */
    if (successes > 0)
        *low = (middle - reach) / scale;
    if (successes < total)
        *high = (middle + reach) / scale;
}
