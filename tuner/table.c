#include "tuner/table.h"

#include "common/text.h"
#include "common/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without the const that jansson's iterators do not know. */
static json_t *loose(const json_t *value)
{
    return (json_t *)(uintptr_t)value;
}

static char *object_text(const json_t *object)
{
    struct text text = TEXT_EMPTY;
    const char *name;
    json_t *value;
    json_object_foreach(loose(object), name, value) {
        char *shown = table_value(value);
        text_addf(&text, "%s%s=%s", text.length > 0 ? "  " : "", name, shown);
        free(shown);
    }
    return text_take(&text);
}

char *table_value(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return xstrdup("-");
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_real(value))
        return xasprintf("%.4g", json_real_value(value));
    if (json_is_object(value))
        return object_text(value);
    {
        char *dumped = json_dumps(value, JSON_ENCODE_ANY), *copy = xstrdup(dumped);
        free(dumped);
        return copy;
    }
}

static size_t column_width(const json_t *rows, const char *name)
{
    size_t i, width = strlen(name);
    json_t *row;
    json_array_foreach(loose(rows), i, row) {
        char *shown = table_value(json_object_get(row, name));
        if (strlen(shown) > width)
            width = strlen(shown);
        free(shown);
    }
    return width;
}

static void print_cell(const char *shown, size_t width, bool right, bool last)
{
    if (right)
        printf("%*s", (int)width, shown);
    else if (last)
        fputs(shown, stdout);
    else
        printf("%-*s", (int)width, shown);
    fputs(last ? "\n" : "  ", stdout);
}

static void print_row(const json_t *first, const json_t *row, const size_t *widths)
{
    size_t column = 0, count = json_object_size(first);
    const char *name;
    json_t *sample;
    json_object_foreach(loose(first), name, sample) {
        char *shown = row != NULL ? table_value(json_object_get(row, name)) : xstrdup(name);
        print_cell(shown, widths[column], json_is_number(sample), column + 1 == count);
        free(shown);
        column++;
    }
}

void table_print(const json_t *rows)
{
    const json_t *first = json_array_get(rows, 0);
    size_t i, column = 0, *widths;
    const char *name;
    json_t *value;
    if (first == NULL)
        return;
    widths = xcalloc(json_object_size(first), sizeof *widths);
    json_object_foreach(loose(first), name, value)
        widths[column++] = column_width(rows, name);
    print_row(first, NULL, widths);
    json_array_foreach(loose(rows), i, value)
        print_row(first, value, widths);
    free(widths);
}
