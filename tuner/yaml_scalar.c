#include "tuner/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The three spellings that the core schema knows of one word. */
static bool is_one_of(const char *text, const char *lower, const char *title, const char *upper)
{
    return strcmp(text, lower) == 0 || strcmp(text, title) == 0 || strcmp(text, upper) == 0;
}

static const char *skip_digits(const char *at)
{
    return at + strspn(at, "0123456789");
}

static const char *skip_sign(const char *at)
{
    return *at == '-' || *at == '+' ? at + 1 : at;
}

/* [-+]? [0-9]+, or without a sign 0o[0-7]+ and 0x[0-9a-fA-F]+. */
static bool is_integer(const char *text, int *base)
{
    const char *digits = NULL;
    if (strncmp(text, "0o", 2) == 0) {
        digits = "01234567";
    } else if (strncmp(text, "0x", 2) == 0) {
        digits = "0123456789abcdefABCDEF";
    }
    if (digits) {
        *base = text[1] == 'o' ? 8 : 16;
        return text[2] != '\0' && text[2 + strspn(text + 2, digits)] == '\0';
    }
    const char *start = skip_sign(text);
    *base = 10;
    return *start != '\0' && *skip_digits(start) == '\0';
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *text)
{
    const char *start = skip_sign(text);
    const char *at = skip_digits(start);
    size_t digits = (size_t)(at - start);
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction);
        digits += (size_t)(at - fraction);
    }
    if (digits == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        const char *exponent = skip_sign(at + 1);
        at = skip_digits(exponent);
        if (at == exponent) {
            return false;
        }
    }
    return *at == '\0';
}

static bool is_infinite_or_nan(const char *text)
{
    return is_one_of(skip_sign(text), ".inf", ".Inf", ".INF") ||
           is_one_of(text, ".nan", ".NaN", ".NAN");
}

/* `strtoll` reads a leading 0o only as 0, so both prefixes are passed over. */
static void resolve_integer(struct yaml *scalar, int base)
{
    errno = 0;
    scalar->integer = strtoll(base == 10 ? scalar->text : scalar->text + 2, NULL, base);
    scalar->type = errno == 0 ? YAML_INT : YAML_FLOAT;
    scalar->real = errno == 0 ? (double)scalar->integer : strtod(scalar->text, NULL);
}

bool yaml_scalar_resolve(struct yaml *scalar)
{
    const char *text = scalar->text;
    int base;
    scalar->type = YAML_STRING;
    if (scalar->quoted) {
        return true;
    }
    if (*text == '\0' || strcmp(text, "~") == 0 || is_one_of(text, "null", "Null", "NULL")) {
        scalar->type = YAML_NULL;
    } else if (is_one_of(text, "true", "True", "TRUE")) {
        scalar->type = YAML_BOOL;
        scalar->boolean = true;
    } else if (is_one_of(text, "false", "False", "FALSE")) {
        scalar->type = YAML_BOOL;
    } else if (is_integer(text, &base)) {
        resolve_integer(scalar, base);
        return isfinite(scalar->real);
    } else if (is_float(text)) {
        scalar->type = YAML_FLOAT;
        scalar->real = strtod(text, NULL);
        return isfinite(scalar->real);
    }
    return !is_infinite_or_nan(text);
}
