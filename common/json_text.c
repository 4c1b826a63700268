#include "common/json_text.h"

#include "common/base.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>

static void add_value(struct text *text, const json_t *value);

static void add_encoded(struct text *text, const json_t *value, size_t flags)
{
    char *encoded = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | flags);
    text_add(text, encoded ? encoded : "null");
    free(encoded);
}

static void add_real(struct text *text, const json_t *value)
{
    double real = json_real_value(value);
    char digits[40];
    size_t precision;
    for (precision = 15; precision < 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", (int)precision, real);
        if (strtod(digits, NULL) == real)
            break;
    }
    add_encoded(text, value, JSON_REAL_PRECISION(precision));
}

static void add_array(struct text *text, const json_t *array)
{
    size_t i;
    json_t *item;
    text_add_char(text, '[');
    json_array_foreach(array, i, item) {
        if (i > 0)
            text_add_char(text, ',');
        add_value(text, item);
    }
    text_add_char(text, ']');
}

static void add_object(struct text *text, const json_t *object)
{
    const char *name;
    json_t *value;
    const char *comma = "";
    text_add_char(text, '{');
    json_object_foreach((json_t *)object, name, value) {
        json_t *key = json_string(name);
        text_add(text, comma);
        add_encoded(text, key, 0);
        text_add_char(text, ':');
        add_value(text, value);
        json_decref(key);
        comma = ",";
    }
    text_add_char(text, '}');
}

static void add_value(struct text *text, const json_t *value)
{
    if (json_is_object(value))
        add_object(text, value);
    else if (json_is_array(value))
        add_array(text, value);
    else if (json_is_real(value))
        add_real(text, value);
    else
        add_encoded(text, value, 0);
}

char *json_text(const json_t *value)
{
    struct text text = TEXT_EMPTY;
    add_value(&text, value);
    return text_take(&text);
}

json_t *json_text_of(const char *text)
{
    json_t *string = text ? json_string(text) : json_null();
    if (string)
        return string;
    char *plain = xstrdup(text);
    for (char *at = plain; *at; at++) {
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    }
    string = json_string(plain);
    free(plain);
    return string;
}

void json_text_print(const json_t *value)
{
    size_t i;
    json_t *row;
    if (!json_is_array(value)) {
        char *text = json_text(value);
        puts(text);
        free(text);
        return;
    }
    json_array_foreach(value, i, row) {
        char *text = json_text(row);
        printf("%s%s", i == 0 ? "[" : ",\n ", text);
        free(text);
    }
    puts(json_array_size(value) == 0 ? "[]" : "]");
}
