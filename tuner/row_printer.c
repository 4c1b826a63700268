#include "tuner/row_printer.h"

#include "common/json_text.h"
#include "common/text.h"
#include "tuner/csv.h"
#include "tuner/row_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct row_printer {
    FILE *output;
    enum row_format format;
    size_t width;
    struct row_table *table; /* ROWS_TABLE: of the statement at hand */
    char **keys;             /* ROWS_JSON: [columns], no two the same */
    size_t columns, rows;    /* of the statement at hand */
    bool began;              /* a statement before this one has printed something */
};

/* Nobody may be there to read any more. */
static int check_output(const struct row_printer *printer, struct failure *why)
{
    if (!ferror(printer->output))
        return 0;
    return fail(why, "the output cannot be written: %s", strerror(errno));
}

/* ---- CSV ---- */

static void add_csv_value(struct text *line, const struct value *value, bool first)
{
    json_t *json = value_to_json(value);
    char *number = json_is_number(json) ? json_text(json) : NULL;
    csv_add(line, number ? number : json_string_value(json), first);
    free(number);
    json_decref(json);
}

static void print_csv_names(FILE *output, const char *const *names, size_t count)
{
    struct text line = TEXT_EMPTY;
    for (size_t i = 0; i < count; i++)
        csv_add(&line, names[i], i == 0);
    csv_end_line(&line);
    fputs(text_string(&line), output);
    text_free(&line);
}

static void print_csv_row(FILE *output, const struct value *values, size_t count)
{
    struct text line = TEXT_EMPTY;
    for (size_t i = 0; i < count; i++)
        add_csv_value(&line, &values[i], i == 0);
    csv_end_line(&line);
    fputs(text_string(&line), output);
    text_free(&line);
}

/* ---- JSON ---- */

static bool is_taken(char *const *keys, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i], key) == 0)
            return true;
    }
    return false;
}

static void drop_keys(struct row_printer *printer)
{
    for (size_t i = 0; printer->keys && i < printer->columns; i++)
        free(printer->keys[i]);
    free(printer->keys);
    printer->keys = NULL;
}

static void take_keys(struct row_printer *printer, const char *const *names, size_t count)
{
    printer->keys = xcalloc(count, sizeof *printer->keys);
    for (size_t i = 0; i < count; i++) {
        char *key = xstrdup(names[i]);
        for (int n = 2; is_taken(printer->keys, i, key); n++) {
            free(key);
            key = xasprintf("%s_%d", names[i], n);
        }
        printer->keys[i] = key;
    }
}

static void print_json_row(const struct row_printer *printer, const struct value *values)
{
    json_t *row = json_object();
    for (size_t i = 0; i < printer->columns; i++)
        json_object_set_new(row, printer->keys[i], value_to_json(&values[i]));
    char *text = json_text(row);
    fprintf(printer->output, "%s%s", printer->rows == 0 ? "[" : ",\n ", text);
    free(text);
    json_decref(row);
}

/* ---- the reader ---- */

static int begin(void *context, const char *const *names, size_t count, struct failure *why)
{
    struct row_printer *printer = context;
    drop_keys(printer);
    row_table_free(printer->table);
    printer->table = NULL;
    printer->columns = count;
    printer->rows = 0;
    if (printer->began && printer->format != ROWS_JSON)
        fputs(printer->format == ROWS_CSV ? "\r\n" : "\n", printer->output);
    printer->began = true;
    switch (printer->format) {
    case ROWS_TABLE:
        printer->table = row_table_new(printer->output, names, count, printer->width);
        break;
    case ROWS_CSV:
        print_csv_names(printer->output, names, count);
        break;
    case ROWS_JSON:
        take_keys(printer, names, count);
        break;
    }
    return check_output(printer, why);
}

static int row(void *context, const struct value *values, size_t count, struct failure *why)
{
    struct row_printer *printer = context;
    switch (printer->format) {
    case ROWS_TABLE:
        row_table_add(printer->table, values);
        break;
    case ROWS_CSV:
        print_csv_row(printer->output, values, count);
        break;
    case ROWS_JSON:
        print_json_row(printer, values);
        break;
    }
    printer->rows++;
    return check_output(printer, why);
}

static int end(void *context, struct failure *why)
{
    struct row_printer *printer = context;
    if (printer->format == ROWS_TABLE)
        row_table_end(printer->table);
    else if (printer->format == ROWS_JSON)
        fputs(printer->rows == 0 ? "[]\n" : "]\n", printer->output);
    fflush(printer->output);
    return check_output(printer, why);
}

struct row_printer *row_printer_new(FILE *output, enum row_format format, size_t width)
{
    struct row_printer *printer = xcalloc(1, sizeof *printer);
    *printer = (struct row_printer){.output = output, .format = format, .width = width};
    return printer;
}

void row_printer_free(struct row_printer *printer)
{
    if (!printer)
        return;
    drop_keys(printer);
    row_table_free(printer->table);
    free(printer);
}

struct query_reader row_printer_reader(struct row_printer *printer)
{
    return (struct query_reader){.context = printer, .begin = begin, .row = row, .end = end};
}
