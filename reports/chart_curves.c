#include "reports/chart_curves.h"

#include "common/base.h"
#include "reports/axis.h"
#include "reports/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL_WIDTH = 460, PANEL_HEIGHT = 300, SERIES_MAX = 3 };

/* The plot's edges inside a panel. */
static const double plot_left = 52, plot_right = 448, plot_top = 56, plot_bottom = 258;

struct series {
    const char *name, *class;
    double *epochs, *values; /* [count] */
    size_t count;
};

struct panel {
    const char *title;
    struct series series[SERIES_MAX];
    size_t series_count;
    struct axis x, y;
    double left;             /* of the whole panel in the picture */
};

static double epoch_value(const struct report_epoch *epoch, enum chart_measure measure,
                          bool validation)
{
    if (measure == CHART_LOSS)
        return validation ? epoch->val_loss : epoch->train_loss;
    return validation ? epoch->val_accuracy : epoch->train_accuracy;
}

/* Adds a series unless it has no value at all. */
static void add_series(struct panel *panel, const char *name, const char *class,
                       const struct report_curve *curve, enum chart_measure measure,
                       bool validation)
{
    struct series series = {.name = name, .class = class, .count = curve->count};
    bool any = false;
    series.epochs = xcalloc(curve->count, sizeof(double));
    series.values = xcalloc(curve->count, sizeof(double));
    for (size_t i = 0; i < curve->count; i++) {
        series.epochs[i] = curve->epochs[i].epoch;
        series.values[i] = epoch_value(&curve->epochs[i], measure, validation);
        any = any || isfinite(series.values[i]);
    }
    if (any) {
        panel->series[panel->series_count++] = series;
    } else {
        free(series.epochs);
        free(series.values);
    }
}

/* The bounds of all values; low > high when there are none. */
static void value_range(const struct panel *panel, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t s = 0; s < panel->series_count; s++)
        for (size_t i = 0; i < panel->series[s].count; i++) {
            double value = panel->series[s].values[i];
            if (isfinite(value)) {
                *low = fmin(*low, value);
                *high = fmax(*high, value);
            }
        }
}

static size_t last_epoch(const struct panel *panel)
{
    double last = 0;
    for (size_t s = 0; s < panel->series_count; s++)
        if (panel->series[s].count > 0)
            last = fmax(last, panel->series[s].epochs[panel->series[s].count - 1]);
    return (size_t)last;
}

/* Losses are seen from 0; accuracies close up, since theirs differ little. */
static struct axis value_axis(const struct panel *panel, enum chart_measure measure)
{
    double low, high;
    value_range(panel, &low, &high);
    if (low > high)
        return axis_round(0.0, 1.0, 5);
    if (measure == CHART_LOSS)
        return axis_round(fmin(low, 0.0), high, 5);
    return axis_round(fmin(low, fmax(high - 0.01, 0.0)), fmax(high, 0.01), 5);
}

static void panel_fill(struct panel *panel, const struct report_data *data,
                       enum chart_measure measure, double left)
{
    *panel = (struct panel){.title = measure == CHART_LOSS ? "Loss" : "Accuracy", .left = left};
    add_series(panel, "training", "curve training", &data->search, measure, false);
    add_series(panel, "validation", "curve validation", &data->search, measure, true);
    add_series(panel, "final training", "curve final", &data->final, measure, false);
    panel->x = axis_counted(last_epoch(panel), 9);
    panel->y = value_axis(panel, measure);
}

static void panel_release(struct panel *panel)
{
    for (size_t s = 0; s < panel->series_count; s++) {
        free(panel->series[s].epochs);
        free(panel->series[s].values);
    }
}

static double place_x(const struct panel *panel, double epoch)
{
    return panel->left + axis_place(&panel->x, epoch, plot_left, plot_right);
}

static double place_y(const struct panel *panel, double value)
{
    return axis_place(&panel->y, value, plot_bottom, plot_top);
}

static void draw_axes(struct text *text, const struct panel *panel)
{
    char tick[AXIS_LABEL_SIZE];
    double left = panel->left + plot_left, right = panel->left + plot_right;
    for (int i = 0; i < panel->y.ticks; i++) {
        double y = place_y(panel, axis_tick(&panel->y, i));
        struct svg_label label = {"tick", SVG_END, left - 8, y + 4, 0, 0};
        svg_line(text, i == 0 ? "axis" : "grid", left, y, right, y);
        axis_label(&panel->y, i, tick);
        svg_label(text, &label, tick);
    }
    for (int i = 0; i < panel->x.ticks; i++) {
        double x = place_x(panel, axis_tick(&panel->x, i));
        struct svg_label label = {"tick", SVG_MIDDLE, x, plot_bottom + 19, 0, 0};
        svg_line(text, "axis", x, plot_bottom, x, plot_bottom + 4);
        axis_label(&panel->x, i, tick);
        svg_label(text, &label, tick);
    }
    struct svg_label below = {"name", SVG_MIDDLE, (left + right) / 2, plot_bottom + 38, 0, 0};
    svg_label(text, &below, "epoch");
}

/* Title and legend in one line above the plot. */
static void draw_legend(struct text *text, const struct panel *panel)
{
    struct svg_label title = {"heading", SVG_START, panel->left + 8, 26, 0, 0};
    svg_label(text, &title, panel->title);
    double x = panel->left + plot_right;
    for (size_t s = panel->series_count; s-- > 0;) {
        const struct series *series = &panel->series[s];
        /* Text cannot be measured here; 6.4 units a letter is generous at this size. */
        x -= 6.4 * (double)strlen(series->name);
        struct svg_label name = {"legend", SVG_START, x, 26, 0, 0};
        svg_label(text, &name, series->name);
        svg_line(text, series->class, x - 24, 22, x - 6, 22);
        x -= 38;
    }
}

static void draw_series(struct text *text, const struct panel *panel, const struct series *series)
{
    double *x = xcalloc(series->count, sizeof(double));
    double *y = xcalloc(series->count, sizeof(double));
    for (size_t i = 0; i < series->count; i++) {
        x[i] = place_x(panel, series->epochs[i]);
        y[i] = place_y(panel, series->values[i]);
    }
    svg_curve(text, series->class, x, y, series->count);
    free(x);
    free(y);
}

static void draw_panel(struct text *text, const struct report_data *data,
                       enum chart_measure measure, double left)
{
    struct panel panel;
    panel_fill(&panel, data, measure, left);
    draw_legend(text, &panel);
    draw_axes(text, &panel);
    for (size_t s = panel.series_count; s-- > 0;)
        draw_series(text, &panel, &panel.series[s]);
    if (panel.series_count == 0) {
        struct svg_label nothing = {"name", SVG_MIDDLE, left + (plot_left + plot_right) / 2,
                                    (plot_top + plot_bottom) / 2, 0, 0};
        svg_label(text, &nothing, "not recorded");
    }
    panel_release(&panel);
}

void chart_curve(struct text *text, const struct report_data *data, enum chart_measure measure)
{
    const char *title = measure == CHART_LOSS ? "Loss by epoch" : "Accuracy by epoch";
    svg_begin(text, PANEL_WIDTH, PANEL_HEIGHT, title, false);
    draw_panel(text, data, measure, 0);
    svg_end(text);
}

void chart_curves(struct text *text, const struct report_data *data)
{
    svg_begin(text, 2 * PANEL_WIDTH + 20, PANEL_HEIGHT, "Loss and accuracy by epoch", true);
    draw_panel(text, data, CHART_LOSS, 0);
    draw_panel(text, data, CHART_ACCURACY, PANEL_WIDTH + 20);
    svg_end(text);
}
