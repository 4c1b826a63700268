#include "tuner/row_table.h"

#include "common/base.h"
#include "reports/columns.h"
#include "tuner/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS_HELD = 1000,   /* until the widths are decided */
    CELL_WIDEST = 60,   /* characters */
    CELL_NARROWEST = 8, /* to which a column is squeezed for a narrow terminal */
    GAP = 2             /* between columns */
};

struct row_table {
    FILE *output;
    size_t columns, width;
    size_t *widths;  /* [columns], characters */
    bool *numeric;   /* [columns]: no text was seen */
    char **cells;    /* [rows + 1][columns], the names first */
    size_t rows;
    size_t added;    /* rows in all */
    bool decided;    /* the widths are, and nothing is held back any more */
};

/* ---- cells ---- */

/* Text that moves no cursor: a character for each one that can be seen, a space for those
 * that cannot. */
static char *visible(const char *text, size_t size)
{
    struct text shown = TEXT_EMPTY;
    const unsigned char *at = (const unsigned char *)text;
    while (size > 0) {
        uint32_t character = 0;
        size_t length = utf8_decode(at, size, &character);
        bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
        if (length == 0)
            text_add_char(&shown, '?');
        else if (control)
            text_add_char(&shown, ' ');
        else
            text_add_bytes(&shown, (const char *)at, length);
        length = length ? length : 1;
        at += length;
        size -= length;
    }
    return text_take(&shown);
}

static char *cell_of(const struct value *value)
{
    switch (value->type) {
    case VALUE_INTEGER:
        return xasprintf("%lld", (long long)value->integer);
    case VALUE_REAL:
        return xasprintf("%.7g", value->real);
    case VALUE_TEXT:
        return visible(value->text, value->size);
    case VALUE_BLOB:
        return xasprintf("%zu bytes", value->size);
    case VALUE_NULL:
        break;
    }
    return xstrdup("-");
}

static void print_cell(const struct row_table *table, size_t column, const char *cell)
{
    struct text shown = TEXT_EMPTY;
    size_t width = table->widths[column], length = columns_count(cell);
    bool last = column + 1 == table->columns;
    if (length > width) {
        columns_cut(&shown, cell, width - 1);
        text_add(&shown, "…");
    } else if (table->numeric[column]) {
        columns_right(&shown, cell, width);
    } else {
        text_add(&shown, cell);
        for (size_t i = length; i < width && !last; i++)
            text_add_char(&shown, ' ');
    }
    fprintf(table->output, "%s%*s", text_string(&shown), last ? 0 : GAP, "");
    text_free(&shown);
}

static void print_row(const struct row_table *table, char *const *cells)
{
    for (size_t i = 0; i < table->columns; i++)
        print_cell(table, i, cells[i]);
    putc('\n', table->output);
}

/* ---- widths ---- */

static void squeeze(struct row_table *table)
{
    for (;;) {
        size_t all = 0, widest = 0;
        for (size_t i = 0; i < table->columns; i++) {
            all += table->widths[i] + (i > 0 ? GAP : 0);
            if (table->widths[i] > table->widths[widest])
                widest = i;
        }
        if (all <= table->width || table->widths[widest] <= CELL_NARROWEST)
            return;
        table->widths[widest]--;
    }
}

static void decide_widths(struct row_table *table)
{
    for (size_t i = 0; i < (table->rows + 1) * table->columns; i++) {
        size_t column = i % table->columns, length = columns_count(table->cells[i]);
        if (length > table->widths[column])
            table->widths[column] = length > CELL_WIDEST ? CELL_WIDEST : length;
    }
    if (table->width > 0)
        squeeze(table);
}

static void drop_rows(struct row_table *table)
{
    for (size_t i = 0; i < (table->rows + 1) * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
}

static void print_held(struct row_table *table)
{
    decide_widths(table);
    for (size_t i = 0; i <= table->rows; i++)
        print_row(table, table->cells + i * table->columns);
    drop_rows(table);
    table->decided = true;
}

/* ---- the table ---- */

struct row_table *row_table_new(FILE *output, const char *const *names, size_t count,
                                size_t width)
{
    struct row_table *table = xcalloc(1, sizeof *table);
    *table = (struct row_table){.output = output, .columns = count, .width = width};
    table->widths = xcalloc(count, sizeof *table->widths);
    table->numeric = xcalloc(count, sizeof *table->numeric);
    table->cells = xcalloc((ROWS_HELD + 1) * count, sizeof *table->cells);
    for (size_t i = 0; i < count; i++) {
        table->cells[i] = visible(names[i], strlen(names[i]));
        table->numeric[i] = true;
        table->widths[i] = 1;
    }
    return table;
}

static void print_late(const struct row_table *table, const struct value *values)
{
    for (size_t i = 0; i < table->columns; i++) {
        char *cell = cell_of(&values[i]);
        print_cell(table, i, cell);
        free(cell);
    }
    putc('\n', table->output);
}

void row_table_add(struct row_table *table, const struct value *values)
{
    table->added++;
    if (table->decided) {
        print_late(table, values);
        return;
    }
    table->rows++;
    for (size_t i = 0; i < table->columns; i++) {
        table->cells[table->rows * table->columns + i] = cell_of(&values[i]);
        if (values[i].type == VALUE_TEXT || values[i].type == VALUE_BLOB)
            table->numeric[i] = false;
    }
    if (table->rows == ROWS_HELD)
        print_held(table);
}

void row_table_end(struct row_table *table)
{
    if (table->added == 0)
        fputs("no rows\n", table->output);
    else if (!table->decided)
        print_held(table);
}

void row_table_free(struct row_table *table)
{
    if (!table)
        return;
    if (table->cells)
        drop_rows(table);
    free(table->widths);
    free(table->numeric);
    free(table);
}
