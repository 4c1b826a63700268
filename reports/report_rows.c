#include "reports/report_read.h"

#include <math.h>

json_t *report_rows(struct store *store, const char *sql, const char *study, struct failure *why)
{
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(store, sql, arguments, why);
    json_decref(arguments);
    return rows;
}

json_t *report_chosen_rows(struct store *store, const char *sql, const char *study,
                           const char *numbers, struct failure *why)
{
    json_t *arguments = json_pack("[s, s]", study, numbers);
    json_t *rows = store_rows(store, sql, arguments, why);
    json_decref(arguments);
    return rows;
}

char *row_text(const json_t *row, const char *column)
{
    const char *value = json_string_value(json_object_get(row, column));
    return xstrdup(value ? value : "");
}

double row_real(const json_t *row, const char *column)
{
    const json_t *value = json_object_get(row, column);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

int row_integer(const json_t *row, const char *column, int otherwise)
{
    const json_t *value = json_object_get(row, column);
    return json_is_integer(value) ? (int)json_integer_value(value) : otherwise;
}

int64_t row_time(const json_t *row, const char *column)
{
    return json_integer_value(json_object_get(row, column));
}

json_t *row_json(const json_t *row, const char *column)
{
    const char *value = json_string_value(json_object_get(row, column));
    return value ? json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
}

void report_take_curve(struct report_curve *curve, const json_t *rows)
{
    size_t index;
    json_t *row;
    curve->count = json_array_size(rows);
    curve->epochs = xcalloc(curve->count, sizeof *curve->epochs);
    json_array_foreach(rows, index, row)
        curve->epochs[index] = (struct report_epoch){
            .epoch = row_integer(row, "epoch", 0),
            .train_loss = row_real(row, "train_loss"),
            .train_accuracy = row_real(row, "train_accuracy"),
            .val_loss = row_real(row, "val_loss"),
            .val_accuracy = row_real(row, "val_accuracy"),
        };
}
