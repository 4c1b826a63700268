#include "reports/report_read.h"

#include <stdlib.h>

enum { CLASSES_MOST = 4096 /* more than any image data set has; guards the matrix's size */ };

/* As many classes as the data set says, and as the predictions need. */
static int count_classes(struct report_data *data, const json_t *rows, struct failure *why)
{
    json_int_t classes = json_integer_value(json_object_get(data->dataset, "classes"));
    json_int_t least = 0;
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row) {
        json_int_t label = json_integer_value(json_object_get(row, "label"));
        json_int_t predicted = json_integer_value(json_object_get(row, "predicted"));
        json_int_t larger = label > predicted ? label : predicted;
        json_int_t smaller = label < predicted ? label : predicted;
        larger = larger > CLASSES_MOST ? CLASSES_MOST : larger; /* any more are as many too many */
        classes = larger >= classes ? larger + 1 : classes;
        least = smaller < least ? smaller : least;
    }
    if (classes < 1 || classes > CLASSES_MOST || least < 0)
        return fail(why, "the predictions of '%s' name classes from %lld to %lld, which cannot "
                         "be; the database was changed by another program", data->name,
                    (long long)least, (long long)classes - 1);
    data->classes = (int)classes;
    return 0;
}

/* A class of which a row says nothing has the probability 0. */
static void take_probabilities(const json_t *row, double *probabilities, int classes)
{
    json_t *list = row_json(row, "probabilities");
    for (int i = 0; i < classes; i++)
        probabilities[i] = json_number_value(json_array_get(list, (size_t)i));
    json_decref(list);
}

static void take_predictions(struct report_data *data, const json_t *rows)
{
    struct report_predictions *all = &data->predictions;
    size_t index;
    json_t *row;
    all->count = json_array_size(rows);
    all->images = xcalloc(all->count, sizeof *all->images);
    all->labels = xcalloc(all->count, sizeof *all->labels);
    all->predicted = xcalloc(all->count, sizeof *all->predicted);
    all->probabilities = xcalloc(all->count, (size_t)data->classes * sizeof(double));
    json_array_foreach(rows, index, row) {
        all->images[index] = json_integer_value(json_object_get(row, "image"));
        all->labels[index] = row_integer(row, "label", 0);
        all->predicted[index] = row_integer(row, "predicted", 0);
        take_probabilities(row, all->probabilities + index * (size_t)data->classes, data->classes);
    }
}

static void name_classes(struct report_data *data)
{
    data->class_names = xcalloc((size_t)data->classes, sizeof *data->class_names);
    for (int i = 0; i < data->classes; i++)
        data->class_names[i] = xasprintf("%d", i);
}

static void compute(struct report_data *data)
{
    const struct report_predictions *all = &data->predictions;
    confusion_init(&data->confusion, data->classes);
    for (size_t i = 0; i < all->count; i++) {
        confusion_add(&data->confusion, all->labels[i], all->predicted[i]);
        scoring_add(&data->scoring, report_probabilities(data, i), data->classes, all->labels[i],
                    all->predicted[i]);
    }
    metrics_compute(&data->confusion, &data->metrics);
    scoring_finish(&data->scoring);
    data->confused_count = confused_find(&data->confusion, data->confused, REPORT_CONFUSED_MOST);
}

int report_read_test(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = report_rows(store,
                               "SELECT image, label, predicted, probabilities FROM predictions "
                               "WHERE study = ?1 ORDER BY image", data->name, why);
    int result = -1;
    if (!rows)
        return -1;
    if (json_array_size(rows) == 0)
        fail(why, "the final evaluation of '%s' saw no image; its data set has no test images",
             data->name);
    else
        result = count_classes(data, rows, why);
    if (result == 0) {
        take_predictions(data, rows);
        name_classes(data);
        compute(data);
    }
    json_decref(rows);
    return result;
}
