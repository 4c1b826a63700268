#include "reports/svg.h"

#include "common/embed.h"
#include "reports/escape.h"

#include <math.h>

EMBED(svg_style, "reports/web/chart.css");

/* A hundredth of a unit is finer than any screen, and shorter to read. */
static void add_number(struct text *text, const char *attribute, double value)
{
    double rounded = round(value * 100.0) / 100.0;
    text_addf(text, " %s=\"%.8g\"", attribute, rounded == 0.0 ? 0.0 : rounded);
}

static void add_attribute(struct text *text, const char *attribute, const char *value)
{
    text_addf(text, " %s=\"", attribute);
    escape_markup(text, value);
    text_add_char(text, '"');
}

static void add_title(struct text *text, const char *title)
{
    text_add(text, "<title>");
    escape_markup(text, title);
    text_add(text, "</title>");
}

void svg_begin(struct text *text, double width, double height, const char *title,
               bool standalone)
{
    if (standalone)
        text_add(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    else
        text_add(text, "<svg");
    text_add(text, " class=\"chart\" role=\"img\"");
    text_addf(text, " viewBox=\"0 0 %.8g %.8g\"", width, height);
    add_number(text, "width", width);
    add_number(text, "height", height);
    text_add_char(text, '>');
    add_title(text, title);
    text_add_char(text, '\n');
    if (standalone) {
        text_addf(text, "<style>\n%s</style>\n", svg_style);
        svg_rect(text, "paper", 0, 0, width, height, 1.0, NULL);
    }
}

void svg_end(struct text *text)
{
    text_add(text, "</svg>\n");
}

void svg_line(struct text *text, const char *class, double x1, double y1, double x2, double y2)
{
    text_add(text, "<line");
    add_attribute(text, "class", class);
    add_number(text, "x1", x1);
    add_number(text, "y1", y1);
    add_number(text, "x2", x2);
    add_number(text, "y2", y2);
    text_add(text, "/>\n");
}

void svg_rect(struct text *text, const char *class, double x, double y, double width,
              double height, double opacity, const char *title)
{
    svg_rect_with(text, "", class, x, y, width, height, opacity, title);
}

void svg_rect_with(struct text *text, const char *attributes, const char *class, double x,
                   double y, double width, double height, double opacity, const char *title)
{
    text_addf(text, "<rect%s", attributes);
    add_attribute(text, "class", class);
    add_number(text, "x", x);
    add_number(text, "y", y);
    add_number(text, "width", width);
    add_number(text, "height", height);
    if (opacity < 1.0)
        add_number(text, "fill-opacity", opacity);
    if (!title) {
        text_add(text, "/>\n");
        return;
    }
    text_add_char(text, '>');
    add_title(text, title);
    text_add(text, "</rect>\n");
}

void svg_circle(struct text *text, const char *class, double x, double y, double radius)
{
    text_add(text, "<circle");
    add_attribute(text, "class", class);
    add_number(text, "cx", x);
    add_number(text, "cy", y);
    add_number(text, "r", radius);
    text_add(text, "/>\n");
}

void svg_label(struct text *text, const struct svg_label *label, const char *string)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    text_add(text, "<text");
    add_attribute(text, "class", label->class);
    if (label->anchor != SVG_START)
        add_attribute(text, "text-anchor", anchors[label->anchor]);
    add_number(text, "x", label->x);
    add_number(text, "y", label->y);
    if (label->size > 0.0)
        add_number(text, "font-size", label->size);
    if (label->turn != 0.0)
        text_addf(text, " transform=\"rotate(%.8g %.8g %.8g)\"", label->turn, label->x, label->y);
    text_add_char(text, '>');
    escape_markup(text, string);
    text_add(text, "</text>\n");
}

void svg_clip_begin(struct text *text, double x, double y, double width, double height)
{
    text_add(text, "<svg");
    add_number(text, "x", x);
    add_number(text, "y", y);
    add_number(text, "width", width);
    add_number(text, "height", height);
    text_addf(text, " viewBox=\"%.8g %.8g %.8g %.8g\">\n", x, y, width, height);
}

void svg_clip_end(struct text *text)
{
    text_add(text, "</svg>\n");
}

static bool drawable(const double *x, const double *y, size_t i)
{
    return isfinite(x[i]) && isfinite(y[i]);
}

static void add_stroke(struct text *text, const char *class, const double *x, const double *y,
                       size_t count)
{
    text_add(text, "<polyline");
    add_attribute(text, "class", class);
    text_add(text, " points=\"");
    for (size_t i = 0; i < count; i++)
        text_addf(text, "%s%.2f,%.2f", i == 0 ? "" : " ", x[i], y[i]);
    text_add(text, "\"/>\n");
}

void svg_curve(struct text *text, const char *class, const double *x, const double *y,
               size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && drawable(x, y, end))
            end++;
        if (end - i == 1)
            svg_circle(text, class, x[i], y[i], 2.5);
        else if (end > i)
            add_stroke(text, class, x + i, y + i, end - i);
        i = end + 1;
    }
}
