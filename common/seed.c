#include "common/seed.h"

#include <errno.h>
#include <stdlib.h>

bool seed_parse(const char *text, uint64_t *seed)
{
    /* strtoull would also take a sign and spaces. */
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0)
        return false;
    *seed = number;
    return true;
}
