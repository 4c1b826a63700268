/* Numbers as people read them.  Each returns a new string, which the caller frees,
 * except where it adds to a text. */
#ifndef REPORTS_FORMAT_H
#define REPORTS_FORMAT_H

#include "common/text.h"

#include <jansson.h>
#include <stdint.h>

/* 1234567 -> "1,234,567". */
char *format_count(int64_t count);
/* 0.99123 -> "99.12 %"; not finite -> "–". */
char *format_percent(double share);
/* 0.99123 -> "0.9912", 1e-7 -> "1.000e-07"; not finite -> "–". */
char *format_measure(double value);
/* 192.4 -> "3 min 12 s"; not finite -> "–". */
char *format_duration(double seconds);
/* Milliseconds since 1970 -> "2024-05-03 14:07 UTC". */
char *format_time(int64_t wall_ms);
/* A value of a parameter: a string as it is, a real with `digits` significant digits
 * (0: as few as give the same number again), everything else as JSON has it. */
char *format_value(const json_t *value, int digits);

#endif
