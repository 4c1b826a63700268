#include "reports/chart_compare.h"

#include "reports/axis.h"
#include "reports/columns.h"
#include "reports/compare_rows.h"
#include "reports/svg.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 760, HEIGHT = 380, COLOURS = 8, NAME_MOST = 18 };
static const double left = 52, right = 600, top = 20, bottom = 330;

struct plot {
    struct axis x, y;
    int last; /* epoch */
};

static struct plot lay_out(const struct compare *compare)
{
    struct plot plot = {.last = 0};
    double low = INFINITY, high = -INFINITY;
    compare_epochs(compare, &plot.last, 1);
    for (size_t i = 0; i < compare->count; i++)
        for (int epoch = 1; epoch <= plot.last; epoch++) {
            double value = compare_accuracy(&compare->studies[i], epoch);
            if (isfinite(value)) {
                low = fmin(low, value);
                high = fmax(high, value);
            }
        }
    plot.x = axis_counted((size_t)plot.last, 9);
    plot.y = low > high ? axis_round(0.0, 1.0, 5) : axis_round(fmin(low, high - 0.01), high, 5);
    return plot;
}

static void draw_axes(struct text *text, const struct plot *plot)
{
    char tick[AXIS_LABEL_SIZE];
    for (int i = 0; i < plot->y.ticks; i++) {
        double y = axis_place(&plot->y, axis_tick(&plot->y, i), bottom, top);
        struct svg_label beside = {"tick", SVG_END, left - 8, y + 4, 0, 0};
        svg_line(text, i == 0 ? "axis" : "grid", left, y, right, y);
        axis_label(&plot->y, i, tick);
        svg_label(text, &beside, tick);
    }
    for (int i = 0; i < plot->x.ticks; i++) {
        double x = axis_place(&plot->x, axis_tick(&plot->x, i), left, right);
        struct svg_label below = {"tick", SVG_MIDDLE, x, bottom + 19, 0, 0};
        svg_line(text, "axis", x, bottom, x, bottom + 4);
        axis_label(&plot->x, i, tick);
        svg_label(text, &below, tick);
    }
    struct svg_label epoch = {"name", SVG_MIDDLE, (left + right) / 2, bottom + 40, 0, 0};
    svg_label(text, &epoch, "epoch");
}

static void draw_study(struct text *text, const struct plot *plot, const struct report_data *data,
                       const char *class)
{
    double *x = xcalloc((size_t)plot->last, sizeof *x);
    double *y = xcalloc((size_t)plot->last, sizeof *y);
    for (int epoch = 1; epoch <= plot->last; epoch++) {
        x[epoch - 1] = axis_place(&plot->x, epoch, left, right);
        y[epoch - 1] = axis_place(&plot->y, compare_accuracy(data, epoch), bottom, top);
    }
    svg_curve(text, class, x, y, (size_t)plot->last);
    free(x);
    free(y);
}

static void draw_name(struct text *text, const char *name, const char *class, size_t index)
{
    double y = top + 8 + 22.0 * (double)index;
    struct svg_label label = {"legend", SVG_START, right + 40, y + 4, 0, 0};
    struct text cut = TEXT_EMPTY;
    columns_cut(&cut, name, NAME_MOST);
    svg_line(text, class, right + 14, y, right + 34, y);
    svg_label(text, &label, text_string(&cut));
    text_free(&cut);
}

void chart_compare(struct text *text, const struct compare *compare)
{
    const struct plot plot = lay_out(compare);
    svg_begin(text, WIDTH, HEIGHT, "Accuracy by epoch of each study's winner", false);
    draw_axes(text, &plot);
    for (size_t i = 0; i < compare->count; i++) {
        char *class = xasprintf("curve study-%zu", i % COLOURS);
        draw_study(text, &plot, &compare->studies[i], class);
        draw_name(text, compare->studies[i].name, class, i);
        free(class);
    }
    svg_end(text);
}
