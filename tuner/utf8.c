#include "tuner/utf8.h"

#include <string.h>

/* The length that a first byte announces; 0: it cannot be a first byte. */
static size_t announced_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc0 || first >= 0xf8) {
        return 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_decode(const unsigned char *at, size_t left, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = announced_length(*at);
    if (length == 0 || length > left) {
        return 0;
    }
    *character = length == 1 ? *at : *at & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        *character = *character << 6 | (at[i] & 0x3fu);
    }
    bool surrogate = *character >= 0xd800 && *character < 0xe000;
    return *character < least[length] || surrogate || *character > 0x10ffff ? 0 : length;
}

bool utf8_is_valid(const char *text)
{
    size_t left = strlen(text), length = 1;
    for (; left > 0 && length > 0; text += length, left -= length) {
        uint32_t character;
        length = utf8_decode((const unsigned char *)text, left, &character);
    }
    return length > 0;
}
