#include "reports/html_parts.h"

#include "common/base64.h"
#include "reports/escape.h"
#include "reports/gallery.h"
#include "reports/html.h"

#include <stdlib.h>

enum { MISTAKES_SHOWN = 30, ODDS_SHOWN = 3 };

void html_sprite(struct text *text, const struct report_data *data)
{
    const struct report_images *images = &data->images;
    size_t size = 0;
    uint8_t *png = gallery_sprite(data, &size);
    if (!png)
        return;
    int columns = gallery_columns(images->count);
    int rows = ((int)images->count + columns - 1) / columns;
    char *encoded = base64_encode(png, size);
    text_addf(text, "<svg class=\"sprite\" width=\"0\" height=\"0\" aria-hidden=\"true\">"
                    "<image id=\"sprite\" width=\"%d\" height=\"%d\" "
                    "href=\"data:image/png;base64,", columns * images->width,
              rows * images->height);
    text_add(text, encoded);
    text_add(text, "\"/></svg>\n");
    free(encoded);
    free(png);
}

/* ---- specimens ---- */

static void add_digit(struct text *text, const struct report_data *data, size_t index)
{
    const struct report_images *images = &data->images;
    int columns = gallery_columns(images->count);
    text_addf(text, "<svg class=\"digit\" viewBox=\"%d %d %d %d\" role=\"img\"><title>"
                    "test image %lld</title><use href=\"#sprite\"/></svg>",
              (int)index % columns * images->width, (int)index / columns * images->height,
              images->width, images->height,
              (long long)data->predictions.images[images->at[index].prediction]);
}

static void add_verdict(struct text *text, const char *label, const char *predicted, bool mistake)
{
    text_add(text, mistake ? "<p class=\"verdict\">is " : "<p class=\"verdict\">");
    html_element(text, "b", NULL, label);
    if (mistake) {
        text_add(text, ", taken for ");
        html_element(text, "b", "bad", predicted);
    }
    text_add(text, "</p>");
}

/* The most probable class of those that are less probable than the last one; -1: none. */
static int next_class(const double *probabilities, int classes, int last)
{
    int best = -1;
    for (int i = 0; i < classes; i++) {
        bool after = last < 0 || probabilities[i] < probabilities[last] ||
                     (probabilities[i] == probabilities[last] && i > last);
        if (after && (best < 0 || probabilities[i] > probabilities[best]))
            best = i;
    }
    return best;
}

static void add_odds(struct text *text, const struct report_data *data, size_t prediction)
{
    const double *probabilities = report_probabilities(data, prediction);
    int class = -1;
    text_add(text, "<ol class=\"odds\">");
    for (int i = 0; i < ODDS_SHOWN; i++) {
        class = next_class(probabilities, data->classes, class);
        if (class < 0)
            break;
        double percent = probabilities[class] * 100.0;
        text_add(text, "<li>");
        html_element(text, "span", "class", data->class_names[class]);
        text_addf(text, "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span>"
                        "<span class=\"share\">%.1f %%</span></li>", percent, percent);
    }
    text_add(text, "</ol>");
}

static void add_specimen(struct text *text, const struct report_data *data, size_t index,
                         bool odds)
{
    const struct report_image *image = &data->images.at[index];
    const struct report_predictions *all = &data->predictions;
    text_add(text, "<li class=\"specimen\">");
    add_digit(text, data, index);
    add_verdict(text, data->class_names[all->labels[image->prediction]],
                data->class_names[all->predicted[image->prediction]],
                report_is_mistake(data, image));
    if (odds)
        add_odds(text, data, image->prediction);
    text_add(text, "</li>\n");
}

static void add_specimens(struct text *text, const struct report_data *data, const char *class,
                          const size_t *indices, size_t count, bool odds)
{
    text_addf(text, "<ul class=\"%s\">\n", class);
    for (size_t i = 0; i < count; i++)
        add_specimen(text, data, indices[i], odds);
    text_add(text, "</ul>\n");
}

void html_mistakes(struct text *text, const struct report_data *data)
{
    size_t count, *mistakes = gallery_mistakes(data, &count);
    if (data->metrics.correct == data->metrics.total)
        text_add(text, "<p>The model made no mistake.</p>\n");
    else if (count == 0)
        text_add(text, "<p>No images are stored with this study.</p>\n");
    else
        add_specimens(text, data, "specimens", mistakes,
                      count < MISTAKES_SHOWN ? count : MISTAKES_SHOWN, true);
    free(mistakes);
}

void html_samples(struct text *text, const struct report_data *data)
{
    size_t count, *samples = gallery_samples(data, &count);
    if (count == 0)
        text_add(text, "<p>No images are stored with this study.</p>\n");
    else
        add_specimens(text, data, "specimens small", samples, count, false);
    free(samples);
}
