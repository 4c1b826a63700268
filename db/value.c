#include "db/value.h"

#include "common/json_text.h"
#include "common/text.h"

#include <stdlib.h>

static json_t *blob_to_json(const struct value *blob)
{
    static const char hexadecimal[] = "0123456789abcdef";
    struct text digits = TEXT_EMPTY;
    for (size_t i = 0; i < blob->size; i++) {
        unsigned char byte = (unsigned char)blob->text[i];
        text_add_char(&digits, hexadecimal[byte >> 4]);
        text_add_char(&digits, hexadecimal[byte & 15]);
    }
    json_t *json = json_string(text_string(&digits));
    text_free(&digits);
    return json;
}

/* JSON strings are UTF-8; what a broken worker wrote may be not. */
static json_t *text_to_json(const struct value *value)
{
    json_t *json = json_stringn(value->text, value->size);
    return json ? json : json_text_of(value->text);
}

json_t *value_to_json(const struct value *value)
{
    json_t *json = NULL;
    switch (value->type) {
    case VALUE_INTEGER:
        json = json_integer(value->integer);
        break;
    case VALUE_REAL:
        json = json_real(value->real);
        break;
    case VALUE_TEXT:
        json = text_to_json(value);
        break;
    case VALUE_BLOB:
        json = blob_to_json(value);
        break;
    case VALUE_NULL:
        break;
    }
    return json ? json : json_null(); /* JSON has no infinity */
}
