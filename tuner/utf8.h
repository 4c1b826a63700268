/* Characters of UTF-8 text (RFC 3629). */
#ifndef TUNER_UTF8_H
#define TUNER_UTF8_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the character at `at`, of which `left` >= 1 bytes can be
 * read, and its number; 0 when there is no valid character. */
size_t utf8_decode(const unsigned char *at, size_t left, uint32_t *character);

/* Text from anywhere (a path, what the system says) as a JSON string: each byte that belongs to
 * no valid character is U+FFFD.  NULL: JSON's null. */
json_t *utf8_json(const char *text);

#endif
