#include "trainer/floats.h"

#include "common/base.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

float *floats_new(size_t count)
{
    void *block = NULL;
    size_t size = count <= SIZE_MAX / sizeof(float) ? count * sizeof(float) : SIZE_MAX;
    if (size == 0)
        size = sizeof(float);
    /* Where there is no memory, xmalloc() is the one place to say so. */
    if (size == SIZE_MAX || posix_memalign(&block, CACHE_LINE, size) != 0)
        block = xmalloc(size);
    return block;
}

float *floats_zero(size_t count)
{
    float *block = floats_new(count);
    memset(block, 0, count * sizeof *block);
    return block;
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
