#include "trainer/floats.h"

#include "common/base.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A step goes through tens of megabytes, thousands of small pages, whose places a processor has
 * to look up again and again: large pages took up to an eighth off it.  A block of half a page
 * or more gets whole ones where the system has them. */
enum { CACHE_LINE = 64, LARGE_PAGE = 2 << 20 };

static float *new_large(size_t size)
{
    void *block = NULL;
    size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (posix_memalign(&block, LARGE_PAGE, size) != 0)
        return NULL;
    (void)madvise(block, size, MADV_HUGEPAGE);
    return block;
}

float *floats_new(size_t count)
{
    void *block = NULL;
    size_t size = count <= SIZE_MAX / sizeof(float) ? count * sizeof(float) : SIZE_MAX;
    if (size == 0)
        size = sizeof(float);
    if (size >= LARGE_PAGE / 2 && size <= SIZE_MAX / 2)
        block = new_large(size);
    /* Where there is no memory, xmalloc() is the one place to say so. */
    if (!block && (size == SIZE_MAX || posix_memalign(&block, CACHE_LINE, size) != 0))
        block = xmalloc(size);
    return block;
}

float *floats_zero(size_t count)
{
    float *block = floats_new(count);
    memset(block, 0, count * sizeof *block);
    return block;
}

void floats_flush_tiny(void)
{
#if defined(__x86_64__)
    enum { FLUSH_RESULTS = 1 << 15, FLUSH_OPERANDS = 1 << 6 }; /* of MXCSR */
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | FLUSH_RESULTS | FLUSH_OPERANDS);
#elif defined(__aarch64__)
    uint64_t control;
    const uint64_t flush = 1 << 24; /* of FPCR */
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | flush));
#endif
}

void floats_write(struct text *file, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        char bytes[sizeof bits];
        memcpy(&bits, &values[i], sizeof bits);
        bits = htole32(bits);
        memcpy(bytes, &bits, sizeof bits);
        text_add_bytes(file, bytes, sizeof bytes);
    }
}
