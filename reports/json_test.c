#include "reports/json_parts.h"

#include "reports/gallery.h"

#include <stdlib.h>

/* ---- the figures ---- */

static json_t *scores_json(const struct class_metrics *scores)
{
    return json_pack("{s:o, s:o, s:o, s:I}", "precision", json_number(scores->precision),
                     "recall", json_number(scores->recall), "f1", json_number(scores->f1),
                     "support", (json_int_t)scores->support);
}

static json_t *classes_json(const struct report_data *data)
{
    json_t *classes = json_array();
    for (int i = 0; i < data->classes; i++) {
        const struct class_metrics *scores = &data->metrics.per_class[i];
        json_t *one = json_pack("{s:s}", "name", data->class_names[i]);
        json_object_update_new(one, scores_json(scores));
        json_object_set_new(one, "predicted", json_integer(scores->predicted));
        json_array_append_new(classes, one);
    }
    return classes;
}

static json_t *confusion_json(const struct confusion *confusion)
{
    json_t *rows = json_array();
    for (int label = 0; label < confusion->classes; label++) {
        json_t *row = json_array();
        for (int predicted = 0; predicted < confusion->classes; predicted++)
            json_array_append_new(row, json_integer(confusion_at(confusion, label, predicted)));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *top_json(const struct report_data *data)
{
    json_t *top = json_object();
    for (int i = 0; i < SCORING_TOPS; i++) {
        char *k = xasprintf("%d", scoring_tops[i]);
        if (scoring_tops[i] < data->classes)
            json_object_set_new(top, k, json_number(data->scoring.top[i]));
        free(k);
    }
    return top;
}

static json_t *reliability_json(const struct scoring *scoring)
{
    json_t *bins = json_array();
    for (int i = 0; i < SCORING_BINS; i++) {
        const struct scoring_bin *bin = &scoring->bins[i];
        bool empty = bin->count == 0;
        json_array_append_new(bins, json_pack(
            "{s:f, s:f, s:I, s:o, s:o}", "low", (double)i / SCORING_BINS, "high",
            (i + 1.0) / SCORING_BINS, "count", (json_int_t)bin->count, "confidence",
            empty ? json_null() : json_number(bin->confidence), "accuracy",
            empty ? json_null() : json_number(bin->accuracy)));
    }
    return bins;
}

static json_t *confused_json(const struct report_data *data)
{
    json_t *pairs = json_array();
    for (size_t i = 0; i < data->confused_count; i++) {
        const struct confused *pair = &data->confused[i];
        char *text = confused_text(pair, &data->metrics, data->class_names);
        json_array_append_new(pairs, json_pack("{s:i, s:i, s:I, s:f, s:s}", "label", pair->label,
                                               "predicted", pair->predicted, "count",
                                               (json_int_t)pair->count, "share", pair->share,
                                               "text", text));
        free(text);
    }
    return pairs;
}

json_t *json_test(const struct report_data *data)
{
    const struct metrics *metrics = &data->metrics;
    double low, high;
    wilson_interval(metrics->correct, metrics->total, &low, &high);
    json_t *test = json_pack("{s:I, s:I, s:o, s:[f, f], s:o, s:o, s:o, s:o}", "images",
                             (json_int_t)metrics->total, "correct", (json_int_t)metrics->correct,
                             "accuracy", json_number(metrics->accuracy), "interval", low, high,
                             "log_loss", json_number(data->scoring.log_loss), "brier",
                             json_number(data->scoring.brier), "top_k", top_json(data), "ece",
                             json_number(data->scoring.ece));
    json_object_set_new(test, "reliability", reliability_json(&data->scoring));
    json_object_set_new(test, "per_class", classes_json(data));
    json_object_set_new(test, "averages", json_pack("{s:o, s:o}", "macro",
                                                    scores_json(&metrics->macro), "weighted",
                                                    scores_json(&metrics->weighted)));
    json_object_set_new(test, "confusion", confusion_json(&data->confusion));
    json_object_set_new(test, "most_confused", confused_json(data));
    return test;
}

/* ---- the images ---- */

static json_t *entry_json(const struct report_data *data, const struct report_image *image)
{
    const double *probabilities = report_probabilities(data, image->prediction);
    const struct report_predictions *all = &data->predictions;
    json_t *list = json_array();
    for (int i = 0; i < data->classes; i++)
        json_array_append_new(list, json_number(probabilities[i]));
    return json_pack("{s:I, s:i, s:i, s:o, s:o}", "image",
                     (json_int_t)all->images[image->prediction], "label",
                     all->labels[image->prediction], "predicted",
                     all->predicted[image->prediction], "probability",
                     json_number(report_confidence(data, image->prediction)), "probabilities",
                     list);
}

json_t *json_images(const struct report_data *data)
{
    const struct report_images *images = &data->images;
    json_t *entries = json_array();
    if (images->count == 0) {
        json_decref(entries);
        return json_null();
    }
    for (size_t i = 0; i < images->count; i++)
        json_array_append_new(entries, entry_json(data, &images->at[i]));
    return json_pack("{s:i, s:i, s:i, s:i, s:o}", "width", images->width, "height",
                     images->height, "channels", images->channels, "columns",
                     gallery_columns(images->count), "entries", entries);
}

static json_t *indices_json(size_t *indices, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer((json_int_t)indices[i]));
    free(indices);
    return list;
}

json_t *json_mistakes(const struct report_data *data)
{
    size_t count, *indices = gallery_mistakes(data, &count);
    return indices_json(indices, count);
}

json_t *json_samples(const struct report_data *data)
{
    size_t count, *indices = gallery_samples(data, &count);
    return indices_json(indices, count);
}

json_t *json_cells(const struct report_data *data)
{
    const struct report_images *images = &data->images;
    json_t *cells = json_object();
    for (size_t i = 0; i < images->count; i++) {
        size_t prediction = images->at[images->surest[i]].prediction;
        char *name = xasprintf("%d,%d", data->predictions.labels[prediction],
                               data->predictions.predicted[prediction]);
        json_t *list = json_object_get(cells, name);
        if (!list) {
            list = json_array();
            json_object_set_new(cells, name, list);
        }
        json_array_append_new(list, json_integer((json_int_t)images->surest[i]));
        free(name);
    }
    return cells;
}
