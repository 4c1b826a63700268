#include "common/member.h"

#include <string.h>

const char *member_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

const char *member_shown(const json_t *object, const char *name)
{
    const char *text = member_text(object, name);
    return text ? text : "";
}

bool member_is(const json_t *object, const char *name, const char *text)
{
    const char *value = member_text(object, name);
    return value && strcmp(value, text) == 0;
}

json_int_t member_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

double member_number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

json_t *member_parsed(const json_t *object, const char *name)
{
    const char *text = member_text(object, name);
    return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}
