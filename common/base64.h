/* Bytes as text that JSON and HTML can hold: base64 with its padding (RFC 4648). */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>

/* How long the text of `size` bytes is, its end not counted. */
size_t base64_length(size_t size);
/* The caller frees it. */
char *base64_encode(const void *bytes, size_t size);
/* The *size bytes that `text` stands for; NULL when it is anything but base64, spaces
 * included.  The caller frees them. */
void *base64_decode(const char *text, size_t *size);

#endif
