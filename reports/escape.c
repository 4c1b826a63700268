#include "reports/escape.h"

#include <stdbool.h>
#include <stdint.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* How many bytes follow a first byte, and the least code point of that length:
 * a smaller one is an overlong form. */
static int sequence(unsigned char first, uint32_t *value, uint32_t *least)
{
    if (first >= 0xC2 && first < 0xE0) {
        *value = first & 0x1Fu;
        *least = 0x80;
        return 1;
    }
    if (first >= 0xE0 && first < 0xF0) {
        *value = first & 0x0Fu;
        *least = 0x800;
        return 2;
    }
    if (first >= 0xF0 && first < 0xF5) {
        *value = first & 0x07u;
        *least = 0x10000;
        return 3;
    }
    return 0;
}

/* Bytes of the well-formed character beyond ASCII at `bytes` that XML may hold,
 * or 0.  Stops at the terminating zero, which continues nothing. */
static size_t wide_character(const unsigned char *bytes)
{
    uint32_t value = 0, least = 0;
    int more = sequence(bytes[0], &value, &least);
    for (int i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    bool surrogate = value >= 0xD800 && value < 0xE000;
    bool control = value < 0xA0 || value == 0xFFFE || value == 0xFFFF;
    if (more == 0 || value < least || value > 0x10FFFF || surrogate || control)
        return 0;
    return (size_t)more + 1;
}

static void add_ascii(struct text *text, char character)
{
    switch (character) {
    case '&': text_add(text, "&amp;"); return;
    case '<': text_add(text, "&lt;"); return;
    case '>': text_add(text, "&gt;"); return;
    case '"': text_add(text, "&quot;"); return;
    case '\'': text_add(text, "&#39;"); return;
    case '\t':
    case '\n':
    case '\r': text_add_char(text, character); return;
    }
    if ((unsigned char)character < 0x20 || character == 0x7F)
        text_add(text, replacement);
    else
        text_add_char(text, character);
}

void escape_markup(struct text *text, const char *string)
{
    while (*string) {
        if ((unsigned char)*string < 0x80) {
            add_ascii(text, *string++);
            continue;
        }
        size_t length = wide_character((const unsigned char *)string);
        if (length > 0)
            text_add_bytes(text, string, length);
        else
            text_add(text, replacement);
        string += length > 0 ? length : 1;
    }
}
