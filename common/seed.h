/* A seed as text: JSON numbers and SQL integers cannot hold all of 64 bits. */
#ifndef COMMON_SEED_H
#define COMMON_SEED_H

#include <stdbool.h>
#include <stdint.h>

/* True when `text` (may be NULL) is a whole decimal number from 0 to 2^64 - 1, which
 * then is in *seed; else *seed stays as it is. */
bool seed_parse(const char *text, uint64_t *seed);

#endif
