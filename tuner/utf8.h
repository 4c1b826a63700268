/* Characters of UTF-8 text (RFC 3629). */
#ifndef TUNER_UTF8_H
#define TUNER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the character at `at`, of which `left` >= 1 bytes can be
 * read, and its number; 0 when there is no valid character. */
size_t utf8_decode(const unsigned char *at, size_t left, uint32_t *character);
/* Whether a text has such characters alone. */
bool utf8_is_valid(const char *text);

#endif
