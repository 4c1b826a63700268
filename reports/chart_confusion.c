#include "reports/chart_confusion.h"

#include "common/base.h"
#include "reports/columns.h"
#include "reports/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
    NAME_MOST = 16,  /* characters of a class name that are shown */
    NAME_LEAST = 12, /* height that a readable name takes */
};

/* Where everything lies. */
struct layout {
    double cell;          /* side of a cell */
    double left, top;     /* of the matrix */
    double side;          /* of the matrix */
    double name_size;     /* font size of the class names */
    int name_step;        /* so many rows from name to name: 1 where each has room for its own */
    bool turned;          /* the names of the columns are written upwards */
};

static struct layout lay_out(int classes, const char *const *names)
{
    struct layout layout;
    size_t longest = 1;
    for (int i = 0; i < classes; i++) {
        size_t length = columns_count(names[i]);
        longest = length > longest ? length : longest;
    }
    longest = longest > NAME_MOST ? NAME_MOST : longest;
    layout.cell = classes <= 12 ? 42 : classes <= 30 ? 30 : 900.0 / classes;
    layout.name_step = (int)ceil(NAME_LEAST / layout.cell);
    layout.name_size = fmin(13, layout.cell * layout.name_step * 0.8);
    double reach = 0.62 * layout.name_size * (double)longest;
    layout.turned = reach > layout.cell * layout.name_step;
    layout.left = 36 + reach + 8;
    layout.top = 36 + (layout.turned ? reach : layout.name_size) + 8;
    layout.side = layout.cell * classes;
    return layout;
}

/* The name, cut where it is too long; the caller frees it. */
static char *short_name(const char *name)
{
    if (columns_count(name) <= NAME_MOST)
        return xstrdup(name);
    struct text text = TEXT_EMPTY;
    columns_cut(&text, name, NAME_MOST - 1);
    text_add(&text, "\xE2\x80\xA6");
    return text_take(&text);
}

static void draw_names(struct text *text, const struct layout *layout, int classes,
                       const char *const *names)
{
    for (int i = 0; i < classes; i += layout->name_step) {
        double middle = layout->cell * (i + 0.5);
        char *name = short_name(names[i]);
        struct svg_label row = {"name", SVG_END, layout->left - 8,
                                layout->top + middle + 0.35 * layout->name_size,
                                layout->name_size, 0};
        struct svg_label column = {"name", SVG_MIDDLE, layout->left + middle, layout->top - 8,
                                   layout->name_size, 0};
        if (layout->turned) {
            column.anchor = SVG_START;
            column.turn = -90;
            column.x += 0.35 * layout->name_size;
        }
        svg_label(text, &row, name);
        svg_label(text, &column, name);
        free(name);
    }
    double x = 18, y = layout->top + layout->side / 2;
    struct svg_label truth = {"axis-name", SVG_MIDDLE, x, y, 0, -90};
    struct svg_label predicted = {"axis-name", SVG_MIDDLE, layout->left + layout->side / 2, 20,
                                  0, 0};
    svg_label(text, &truth, "true class");
    svg_label(text, &predicted, "predicted class");
}

static int64_t row_total(const struct confusion *confusion, int label)
{
    int64_t total = 0;
    for (int i = 0; i < confusion->classes; i++)
        total += confusion_at(confusion, label, i);
    return total;
}

static double row_share(const struct confusion *confusion, int label, int predicted)
{
    return (double)confusion_at(confusion, label, predicted) /
           (double)row_total(confusion, label);
}

/* The largest share of a row that one mistake has. */
static double worst_mistake(const struct confusion *confusion)
{
    double worst = 0.0;
    for (int label = 0; label < confusion->classes; label++)
        for (int predicted = 0; predicted < confusion->classes; predicted++)
            if (label != predicted && confusion_at(confusion, label, predicted) > 0)
                worst = fmax(worst, row_share(confusion, label, predicted));
    return worst;
}

struct cell {
    int label, predicted;
    int64_t count;
    double share;    /* of its row */
    double strength; /* of its colour */
    bool open;
};

/* The count, and in a cell that has room for it the share of the row below. */
static void draw_figures(struct text *text, const struct layout *layout, const struct cell *cell,
                         double x, double y)
{
    bool both = layout->cell >= 40, strong = cell->strength > 0.65;
    char *count = xasprintf("%lld", (long long)cell->count);
    char *share = xasprintf("%.1f %%", 100.0 * cell->share);
    double size = fmin(13, 1.5 * layout->cell / (double)columns_count(count));
    struct svg_label upper = {strong ? "count strong" : "count", SVG_MIDDLE, x,
                              y + 0.35 * size - (both ? 5 : 0), size, 0};
    struct svg_label lower = {strong ? "share strong" : "share", SVG_MIDDLE, x, y + 12, 8.5, 0};
    svg_label(text, &upper, count);
    if (both)
        svg_label(text, &lower, share);
    free(count);
    free(share);
}

static void draw_cell(struct text *text, const struct layout *layout, const struct cell *cell,
                      const char *const *names)
{
    double x = layout->left + layout->cell * cell->predicted;
    double y = layout->top + layout->cell * cell->label;
    double gap = layout->cell >= 20 ? 1 : 0, side = layout->cell - 2 * gap;
    char *attributes = cell->open ? xasprintf(" data-label=\"%d\" data-predicted=\"%d\"",
                                              cell->label, cell->predicted) : xstrdup("");
    char *title = xasprintf("true %s, predicted %s: %lld (%.2f %%)", names[cell->label],
                            names[cell->predicted], (long long)cell->count, 100.0 * cell->share);
    svg_rect_with(text, attributes, cell->label == cell->predicted ? "right" : "wrong", x + gap,
                  y + gap, side, side, cell->strength, title);
    if (layout->cell >= 20)
        draw_figures(text, layout, cell, x + layout->cell / 2, y + layout->cell / 2);
    free(attributes);
    free(title);
}

/* Cells that are 0 stay blank. */
static void draw_cells(struct text *text, const struct layout *layout,
                       const struct confusion *confusion, const char *const *names,
                       const bool *open)
{
    double worst = worst_mistake(confusion);
    for (int label = 0; label < confusion->classes; label++)
        for (int predicted = 0; predicted < confusion->classes; predicted++) {
            struct cell cell = {label, predicted, confusion_at(confusion, label, predicted), 0, 0,
                                open && open[label * confusion->classes + predicted]};
            if (cell.count == 0)
                continue;
            cell.share = row_share(confusion, label, predicted);
            cell.strength = label == predicted ? 0.12 + 0.78 * cell.share
                                               : 0.15 + 0.70 * cell.share / worst;
            draw_cell(text, layout, &cell, names);
        }
}

void chart_confusion(struct text *text, const struct confusion *confusion,
                     const char *const *names, const bool *open, bool standalone)
{
    struct layout layout = lay_out(confusion->classes, names);
    double right = layout.left + layout.side;
    svg_begin(text, right + 16, layout.top + layout.side + 16, "Confusion matrix", standalone);
    svg_rect(text, "matrix", layout.left, layout.top, layout.side, layout.side, 1.0, NULL);
    draw_names(text, &layout, confusion->classes, names);
    draw_cells(text, &layout, confusion, names, open);
    svg_end(text);
}
