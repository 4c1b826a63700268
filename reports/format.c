#include "reports/format.h"

#include "common/base.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char nothing[] = "\xE2\x80\x93"; /* an en dash */

char *format_count(int64_t count)
{
    char digits[32];
    struct text text = TEXT_EMPTY;
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    int first = count < 0 ? 1 : 0;
    for (int i = 0; i < length; i++) {
        if (i > first && (length - i) % 3 == 0)
            text_add_char(&text, ',');
        text_add_char(&text, digits[i]);
    }
    return text_take(&text);
}

char *format_percent(double share)
{
    return isfinite(share) ? xasprintf("%.2f %%", share * 100.0) : xstrdup(nothing);
}

char *format_measure(double value)
{
    if (!isfinite(value))
        return xstrdup(nothing);
    double size = fabs(value);
    bool plain = size == 0.0 || (size >= 0.001 && size < 100000.0);
    return xasprintf(plain ? "%.4f" : "%.3e", value);
}

char *format_duration(double seconds)
{
    if (!isfinite(seconds) || seconds < 0.0)
        return xstrdup(nothing);
    if (seconds < 10.0)
        return xasprintf("%.1f s", seconds);
    int64_t whole = (int64_t)fmin(round(seconds), 1e15);
    if (whole < 60)
        return xasprintf("%" PRId64 " s", whole);
    if (whole < 3600)
        return xasprintf("%" PRId64 " min %" PRId64 " s", whole / 60, whole % 60);
    return xasprintf("%" PRId64 " h %" PRId64 " min", whole / 3600, whole % 3600 / 60);
}

char *format_time(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    char digits[64];
    if (!gmtime_r(&seconds, &parts) ||
        strftime(digits, sizeof digits, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        return xstrdup(nothing);
    return xstrdup(digits);
}

/* The shortest decimal that reads back as the same double; %g leaves out zeros behind the point by
 * itself, and with fewer digits than 6 it would write 10 as 1e+01. */
static char *shortest_real(double value)
{
    char digits[32];
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    return xstrdup(digits);
}

char *format_value(const json_t *value, int digits)
{
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_real(value))
        return digits == 0 ? shortest_real(json_real_value(value))
                           : xasprintf("%.*g", digits, json_real_value(value));
    char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *text = xstrdup(dumped ? dumped : nothing);
    free(dumped);
    return text;
}
