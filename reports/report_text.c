#include "reports/report_text.h"

#include "common/base.h"
#include "reports/columns.h"

#include <stdlib.h>

enum { MATRIX_CLASSES_MOST = 50 };

static size_t widest_name(const struct report_data *data)
{
    size_t width = 0;
    for (int i = 0; i < data->classes; i++) {
        size_t length = columns_count(data->class_names[i]);
        width = length > width ? length : width;
    }
    return width;
}

static char *count_text(const struct report_data *data, int label, int predicted)
{
    return xasprintf("%lld", (long long)confusion_at(&data->confusion, label, predicted));
}

static size_t widest_count(const struct report_data *data)
{
    size_t width = 0;
    for (int label = 0; label < data->classes; label++)
        for (int predicted = 0; predicted < data->classes; predicted++) {
            char *count = count_text(data, label, predicted);
            size_t length = columns_count(count);
            width = length > width ? length : width;
            free(count);
        }
    return width;
}

static void add_row(struct text *text, const struct report_data *data, int label, size_t width)
{
    for (int predicted = 0; predicted < data->classes; predicted++) {
        char *count = count_text(data, label, predicted);
        columns_right(text, count, width);
        free(count);
    }
    text_add_char(text, '\n');
}

static void add_confusion(struct text *text, const struct report_data *data)
{
    size_t name_width = widest_name(data), count_width = widest_count(data);
    size_t width = (count_width > name_width ? count_width : name_width) + 2;

    text_add(text, "Confusion matrix (rows: true, columns: predicted)\n\n");
    columns_right(text, "", name_width);
    for (int i = 0; i < data->classes; i++)
        columns_right(text, data->class_names[i], width);
    text_add_char(text, '\n');
    for (int label = 0; label < data->classes; label++) {
        columns_right(text, data->class_names[label], name_width);
        add_row(text, data, label, width);
    }
}

/* Lines of thousands of characters are for nobody. */
static void add_where_it_is(struct text *text, const struct report_data *data)
{
    text_addf(text, "The confusion matrix of %d classes is in confusion.svg, for people, and in "
                    "report.json.\n", data->classes);
}

void report_text(struct text *text, const struct report_data *data)
{
    char *table = metrics_text(&data->metrics, data->classes, data->class_names);
    text_add(text, table);
    text_add_char(text, '\n');
    if (data->classes <= MATRIX_CLASSES_MOST)
        add_confusion(text, data);
    else
        add_where_it_is(text, data);
    free(table);
}
