#include "reports/layer_table.h"

#include "common/text.h"
#include "reports/format.h"

#include <stdlib.h>

/* [14, 14, 32] -> "(None, 14, 14, 32)": of any number of images. */
static char *shape_text(const json_t *shape)
{
    struct text text = TEXT_EMPTY;
    text_add(&text, "(None");
    for (size_t i = 0; i < json_array_size(shape); i++) {
        char *size = format_value(json_array_get(shape, i), 0);
        text_addf(&text, ", %s", size);
        free(size);
    }
    text_add_char(&text, ')');
    return text_take(&text);
}

static char *count_of(const json_t *layer, const char *key, double *sum)
{
    const json_t *value = json_object_get(layer, key);
    if (!json_is_number(value))
        return format_value(NULL, 0);
    *sum += json_number_value(value);
    return format_count((int64_t)json_number_value(value));
}

struct layer_row *layer_table(const json_t *layers, size_t *count)
{
    double parameters = 0.0, flops = 0.0;
    *count = json_array_size(layers);
    struct layer_row *rows = xcalloc(*count + 1, sizeof *rows);
    for (size_t i = 0; i < *count; i++) {
        const json_t *layer = json_array_get(layers, i);
        char *name = format_value(json_object_get(layer, "name"), 0);
        char *type = format_value(json_object_get(layer, "type"), 0);
        rows[i].name = xasprintf("%s (%s)", name, type);
        rows[i].shape = shape_text(json_object_get(layer, "output"));
        rows[i].parameters = count_of(layer, "parameters", &parameters);
        rows[i].flops = count_of(layer, "flops", &flops);
        free(name);
        free(type);
    }
    rows[*count] = (struct layer_row){xstrdup("in all"), xstrdup(""),
                                      format_count((int64_t)parameters),
                                      format_count((int64_t)flops)};
    return rows;
}

void layer_table_free(struct layer_row *rows, size_t count)
{
    for (size_t i = 0; i <= count; i++) {
        free(rows[i].name);
        free(rows[i].shape);
        free(rows[i].parameters);
        free(rows[i].flops);
    }
    free(rows);
}
