#include "reports/compare_rows.h"

#include "reports/columns.h"
#include "reports/format.h"

#include <stdlib.h>

enum { NAME_WIDTH = 20, EPOCHS_MOST = 20 };

/* A column is as wide as the widest of its cells. */
static size_t column_width(const struct report_data *data)
{
    size_t width = columns_count(data->name);
    for (size_t i = 0; i < compare_row_count; i++) {
        char *value = compare_rows[i].value(data);
        size_t length = columns_count(value);
        width = length > width ? length : width;
        free(value);
    }
    return width + 3;
}

static void add_left(struct text *text, const char *name)
{
    size_t length = columns_count(name);
    text_add(text, name);
    for (size_t i = length; i < NAME_WIDTH; i++)
        text_add_char(text, ' ');
}

static void add_names(struct text *text, const struct compare *compare, const size_t *widths,
                      const char *corner)
{
    add_left(text, corner);
    for (size_t i = 0; i < compare->count; i++)
        columns_right(text, compare->studies[i].name, widths[i]);
    text_add_char(text, '\n');
}

static void add_rows(struct text *text, const struct compare *compare, const size_t *widths)
{
    for (size_t row = 0; row < compare_row_count; row++) {
        add_left(text, compare_rows[row].name);
        for (size_t i = 0; i < compare->count; i++) {
            char *value = compare_rows[row].value(&compare->studies[i]);
            columns_right(text, value, widths[i]);
            free(value);
        }
        text_add_char(text, '\n');
    }
}

static void add_curves(struct text *text, const struct compare *compare, const size_t *widths)
{
    int epochs[EPOCHS_MOST];
    size_t count = compare_epochs(compare, epochs, EPOCHS_MOST);
    text_add(text, "\nAccuracy of the winners in the search (on validation images, if any)\n\n");
    add_names(text, compare, widths, "epoch");
    for (size_t row = 0; row < count; row++) {
        char *epoch = xasprintf("%d", epochs[row]);
        add_left(text, epoch);
        for (size_t i = 0; i < compare->count; i++) {
            char *value = format_measure(compare_accuracy(&compare->studies[i], epochs[row]));
            columns_right(text, value, widths[i]);
            free(value);
        }
        text_add_char(text, '\n');
        free(epoch);
    }
}

static void add_tests(struct text *text, const struct compare *compare)
{
    text_add(text, "\nOn the test images (McNemar's test)\n\n");
    size_t tested = 0;
    for (size_t i = 0; i < compare->pair_count; i++) {
        char *sentence = compare_sentence(compare, &compare->pairs[i]);
        text_addf(text, "%s\n", sentence);
        tested += compare->pairs[i].obstacle == NULL;
        free(sentence);
    }
    if (tested > 1)
        text_add(text, "Of many comparisons, one in twenty seems to mean something by chance.\n");
}

void compare_text(struct text *text, const struct compare *compare)
{
    size_t *widths = xcalloc(compare->count, sizeof *widths);
    for (size_t i = 0; i < compare->count; i++)
        widths[i] = column_width(&compare->studies[i]);
    add_names(text, compare, widths, "");
    add_rows(text, compare, widths);
    add_curves(text, compare, widths);
    add_tests(text, compare);
    free(widths);
}
