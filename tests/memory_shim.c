/* Refuses memory, for tests: loaded by LD_PRELOAD, in the process called `tuner` alone
 * $SHIM_MEMORY=N has the N-th request fail, and every one after it.  It stands on names that
 * only glibc has, and does not go together with a sanitizer's own memory. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool refused(void)
{
    static long requests, at = -1;
    if (at < 0) {
        const char *wanted = getenv("SHIM_MEMORY");
        bool ours = strcmp(program_invocation_short_name, "tuner") == 0;
        at = ours && wanted != NULL ? atol(wanted) : 0;
    }
    if (at == 0 || ++requests < at)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return refused() ? NULL : __libc_realloc(old, size);
}
