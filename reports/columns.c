#include "reports/columns.h"

#include <stdbool.h>

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80; /* anything but a continuation byte */
}

size_t columns_count(const char *string)
{
    size_t count = 0;
    for (; *string; string++)
        if (starts_character(*string))
            count++;
    return count;
}

void columns_right(struct text *text, const char *string, size_t width)
{
    for (size_t length = columns_count(string); length < width; length++)
        text_add_char(text, ' ');
    text_add(text, string);
}

void columns_cut(struct text *text, const char *string, size_t most)
{
    size_t bytes = 0;
    for (size_t count = 0; string[bytes]; bytes++)
        if (starts_character(string[bytes]) && count++ == most)
            break;
    text_add_bytes(text, string, bytes);
}
