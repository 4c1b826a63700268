#include "reports/chart_curves.h"

#include "common/base.h"
#include "reports/axis.h"
#include "reports/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL_WIDTH = 460, PANEL_HEIGHT = 300, SERIES_MAX = 3 };

/* The plot's edges inside a panel. */
static const double plot_left = 52, plot_right = 448, plot_top = 62, plot_bottom = 258;

struct series {
    const char *name, *class;
    double *epochs, *values; /* [count] */
    size_t count;
};

/* The trials behind the winner: so many do not take their turn in the legend. */
struct crowd {
    struct series *series;   /* [count] */
    size_t count;
};

struct panel {
    const char *title;
    struct crowd crowd;
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

/* False, with nothing to release, when it has no value at all. */
static bool series_fill(struct series *series, const struct report_curve *curve,
                        enum chart_measure measure, bool validation)
{
    bool any = false;
    series->count = curve->count;
    series->epochs = xcalloc(curve->count, sizeof(double));
    series->values = xcalloc(curve->count, sizeof(double));
    for (size_t i = 0; i < curve->count; i++) {
        series->epochs[i] = curve->epochs[i].epoch;
        series->values[i] = epoch_value(&curve->epochs[i], measure, validation);
        any = any || isfinite(series->values[i]);
    }
    if (!any) {
        free(series->epochs);
        free(series->values);
    }
    return any;
}

static void add_series(struct panel *panel, const char *name, const char *class,
                       const struct report_curve *curve, enum chart_measure measure,
                       bool validation)
{
    struct series series = {.name = name, .class = class};
    if (series_fill(&series, curve, measure, validation))
        panel->series[panel->series_count++] = series;
}

static void gather_crowd(struct panel *panel, const struct report_data *data,
                         enum chart_measure measure)
{
    struct crowd *crowd = &panel->crowd;
    crowd->series = xcalloc(data->listed_count, sizeof *crowd->series);
    for (size_t i = 0; i < data->listed_count; i++) {
        const struct report_trial *trial = &data->trials[i];
        struct series series = {.name = "other trials", .class = "curve other"};
        if (trial->number != data->winner &&
            (series_fill(&series, &trial->curve, measure, true) ||
             series_fill(&series, &trial->curve, measure, false)))
            crowd->series[crowd->count++] = series;
    }
}

/* ---- the axes ---- */

/* The bounds of all values of the winner; low > high when there are none. */
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

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The value that `share` of all values of the crowd are not above; NaN when it has none. */
static double crowd_quantile(const struct crowd *crowd, double share)
{
    size_t most = 0, count = 0;
    for (size_t s = 0; s < crowd->count; s++)
        most += crowd->series[s].count;
    double *values = xcalloc(most, sizeof *values);
    for (size_t s = 0; s < crowd->count; s++)
        for (size_t i = 0; i < crowd->series[s].count; i++)
            if (isfinite(crowd->series[s].values[i]))
                values[count++] = crowd->series[s].values[i];
    qsort(values, count, sizeof *values, ascending);
    double value = count > 0 ? values[(size_t)(share * (double)(count - 1))] : (double)NAN;
    free(values);
    return value;
}

static size_t last_epoch(const struct panel *panel)
{
    double last = 0;
    for (size_t s = 0; s < panel->series_count; s++)
        if (panel->series[s].count > 0)
            last = fmax(last, panel->series[s].epochs[panel->series[s].count - 1]);
    return (size_t)last;
}

/* Losses are seen from 0; accuracies close up, since theirs differ little.  The winner is
 * seen whole, and three in four values of the others: what went wrong from the start would
 * press all that matters to one edge. */
static struct axis value_axis(const struct panel *panel, enum chart_measure measure)
{
    double low, high;
    value_range(panel, &low, &high);
    if (low > high)
        return axis_round(0.0, 1.0, 5);
    if (measure == CHART_LOSS)
        return axis_round(fmin(low, 0.0), fmax(high, crowd_quantile(&panel->crowd, 0.75)), 5);
    low = fmin(low, crowd_quantile(&panel->crowd, 0.25));
    return axis_round(fmin(low, fmax(high - 0.01, 0.0)), fmax(high, 0.01), 5);
}

static void panel_fill(struct panel *panel, const struct report_data *data,
                       enum chart_measure measure, double left)
{
    const struct report_curve *winner = report_winner_curve(data);
    *panel = (struct panel){.title = measure == CHART_LOSS ? "Loss" : "Accuracy", .left = left};
    add_series(panel, "training", "curve training", winner, measure, false);
    add_series(panel, "validation", "curve validation", winner, measure, true);
    add_series(panel, "final training", "curve final", &data->final, measure, false);
    gather_crowd(panel, data, measure);
    panel->x = axis_counted(last_epoch(panel), 9);
    panel->y = value_axis(panel, measure);
}

static void release_series(struct series *series, size_t count)
{
    for (size_t s = 0; s < count; s++) {
        free(series[s].epochs);
        free(series[s].values);
    }
}

static void panel_release(struct panel *panel)
{
    release_series(panel->series, panel->series_count);
    release_series(panel->crowd.series, panel->crowd.count);
    free(panel->crowd.series);
}

/* ---- drawing ---- */

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

static double legend_entry(struct text *text, const struct series *series, double x)
{
    struct svg_label name = {"legend", SVG_START, x + 22, 44, 0, 0};
    svg_line(text, series->class, x, 40, x + 16, 40);
    svg_label(text, &name, series->name);
    /* Text cannot be measured here; 5.7 units a letter is generous at this size. */
    return x + 22 + 5.7 * (double)strlen(series->name) + 14;
}

static void draw_legend(struct text *text, const struct panel *panel)
{
    struct svg_label title = {"heading", SVG_START, panel->left + 8, 22, 0, 0};
    double x = panel->left + 8;
    svg_label(text, &title, panel->title);
    for (size_t s = 0; s < panel->series_count; s++)
        x = legend_entry(text, &panel->series[s], x);
    if (panel->crowd.count > 0)
        legend_entry(text, &panel->crowd.series[0], x);
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
    svg_clip_begin(text, left + plot_left, plot_top - 3, plot_right - plot_left,
                   plot_bottom - plot_top + 6);
    for (size_t s = 0; s < panel.crowd.count; s++)
        draw_series(text, &panel, &panel.crowd.series[s]);
    for (size_t s = panel.series_count; s-- > 0;)
        draw_series(text, &panel, &panel.series[s]);
    svg_clip_end(text);
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
