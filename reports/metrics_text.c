/* The layout of scikit-learn's classification_report: a column of names as wide as
 * the widest of them and of "weighted avg", then columns of nine. */
#include "reports/metrics.h"

#include "reports/columns.h"

#include <string.h>

/* Without a single right answer scikit-learn counts in reals, and shows it. */
static void add_support(struct text *text, const struct metrics *metrics, int64_t support)
{
    if (metrics->correct > 0)
        text_addf(text, " %9lld\n", (long long)support);
    else
        text_addf(text, " %9.1f\n", (double)support);
}

static void add_row(struct text *text, const struct metrics *metrics, const char *name,
                    size_t width, const struct class_metrics *row)
{
    columns_right(text, name, width);
    text_addf(text, "  %9.4f %9.4f %9.4f", row->precision, row->recall, row->f1);
    add_support(text, metrics, row->support);
}

static size_t name_width(const struct metrics *metrics, int classes, const char *const *names)
{
    size_t width = strlen("weighted avg");
    for (int index = 0; index < classes; index++) {
        size_t length = columns_count(names[index]);
        if (metrics_class_seen(&metrics->per_class[index]) && length > width)
            width = length;
    }
    return width;
}

/* Of one label for every image, precision and recall are both the accuracy, and the
 * figure printed is their F1, which differs from it in the last bit now and then. */
static double accuracy_printed(double accuracy)
{
    return accuracy == 0.0 ? 0.0 : 2.0 * accuracy * accuracy / (accuracy + accuracy);
}

char *metrics_text(const struct metrics *metrics, int classes, const char *const *names)
{
    struct text text = TEXT_EMPTY;
    size_t width = name_width(metrics, classes, names);

    columns_right(&text, "", width);
    text_add(&text, "  precision    recall  f1-score   support\n\n");
    for (int index = 0; index < classes; index++)
        if (metrics_class_seen(&metrics->per_class[index]))
            add_row(&text, metrics, names[index], width, &metrics->per_class[index]);
    text_add_char(&text, '\n');
    columns_right(&text, "accuracy", width);
    text_addf(&text, "  %9s %9s %9.4f", "", "", accuracy_printed(metrics->accuracy));
    add_support(&text, metrics, metrics->total);
    add_row(&text, metrics, "macro avg", width, &metrics->macro);
    add_row(&text, metrics, "weighted avg", width, &metrics->weighted);
    return text_take(&text);
}
