#include "reports/chart_reliability.h"

#include "common/base.h"
#include "reports/axis.h"
#include "reports/format.h"
#include "reports/svg.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 400, HEIGHT = 406 };
static const double left = 52, right = 384, top = 20, bottom = 352; /* a square */

static void draw_axes(struct text *text, const struct axis *axis)
{
    char tick[AXIS_LABEL_SIZE];
    for (int i = 0; i < axis->ticks; i++) {
        double x = axis_place(axis, axis_tick(axis, i), left, right);
        double y = axis_place(axis, axis_tick(axis, i), bottom, top);
        struct svg_label beside = {"tick", SVG_END, left - 8, y + 4, 0, 0};
        struct svg_label below = {"tick", SVG_MIDDLE, x, bottom + 19, 0, 0};
        axis_label(axis, i, tick);
        svg_line(text, i == 0 ? "axis" : "grid", left, y, right, y);
        svg_line(text, "axis", x, bottom, x, bottom + 4);
        svg_label(text, &beside, tick);
        svg_label(text, &below, tick);
    }
    struct svg_label sure = {"name", SVG_MIDDLE, (left + right) / 2, bottom + 42, 0, 0};
    struct svg_label true_share = {"name", SVG_MIDDLE, 14, (top + bottom) / 2, 0, -90};
    svg_label(text, &sure, "confidence");
    svg_label(text, &true_share, "accuracy");
    svg_line(text, "diagonal", left, bottom, right, top);
}

static void draw_bin(struct text *text, const struct axis *axis, const struct scoring *scoring,
                     int index)
{
    const struct scoring_bin *bin = &scoring->bins[index];
    double from = axis_place(axis, (double)index / SCORING_BINS, left, right);
    double to = axis_place(axis, (index + 1.0) / SCORING_BINS, left, right);
    double y = axis_place(axis, bin->accuracy, bottom, top);
    double x = axis_place(axis, bin->confidence, left, right);
    double wanted = axis_place(axis, bin->confidence, bottom, top);
    if (bin->count == 0)
        return;
    /* A bin of one image is seen still. */
    double strength = 0.3 + 0.6 * log((double)bin->count) / log((double)scoring->images + 1.0);
    char *count = format_count(bin->count), *sure = format_percent(bin->confidence);
    char *right_share = format_percent(bin->accuracy);
    char *title = xasprintf("%s image%s: sure to %s, right in %s", count,
                            bin->count == 1 ? "" : "s", sure, right_share);
    svg_rect(text, "right", from + 1, y, to - from - 2, bottom - y, strength, title);
    svg_line(text, "gap", x, y, x, wanted);
    svg_circle(text, "gap", x, y, 3);
    free(count);
    free(sure);
    free(right_share);
    free(title);
}

void chart_reliability(struct text *text, const struct scoring *scoring)
{
    const struct axis axis = axis_round(0.0, 1.0, 5);
    svg_begin(text, WIDTH, HEIGHT, "Reliability diagram: accuracy by confidence", false);
    draw_axes(text, &axis);
    for (int i = 0; i < SCORING_BINS; i++)
        draw_bin(text, &axis, scoring, i);
    svg_end(text);
}
