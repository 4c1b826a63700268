#include "common/base64.h"

#include "common/base.h"

#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_length(size_t size)
{
    return (size + 2) / 3 * 4;
}

char *base64_encode(const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    char *text = xmalloc(base64_length(size) + 1), *to = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t there = size - i < 3 ? size - i : 3;
        unsigned bits = (unsigned)from[i] << 16;
        bits |= there > 1 ? (unsigned)from[i + 1] << 8 : 0;
        bits |= there > 2 ? from[i + 2] : 0;
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = there > 1 ? alphabet[bits >> 6 & 63] : '=';
        *to++ = there > 2 ? alphabet[bits & 63] : '=';
    }
    *to = '\0';
    return text;
}

/* The six bits of a character; 64 for one that is none of the alphabet's. */
static unsigned six_bits(char character)
{
    const char *at = character ? strchr(alphabet, character) : NULL;
    return at ? (unsigned)(at - alphabet) : 64;
}

void *base64_decode(const char *text, size_t *size)
{
    size_t length = strlen(text), padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    if (length % 4 != 0)
        return NULL;
    *size = length / 4 * 3 - padding;
    unsigned char *bytes = xmalloc(*size);
    unsigned bits = 0;
    size_t filled = 0;
    for (size_t i = 0; i < length - padding; i++) {
        unsigned six = six_bits(text[i]);
        if (six > 63) {
            free(bytes);
            return NULL;
        }
        bits = bits << 6 | six;
        if (i % 4 != 0)
            bytes[filled++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    return bytes;
}
