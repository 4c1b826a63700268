/* Vectors of the width that a file conv_<isa>.c or winograd_<isa>.c defines, for the loops that
 * are written once for all of them:
 *
 *   LANES          floats in a vector
 *   VECTORS_MOST   vectors of filters that are packed as a group (conv_kernels.h)
 *
 * Only conv_blocks.h and winograd_blocks.h include this. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { GROUP = LANES * VECTORS_MOST };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t mask __attribute__((vector_size(LANES * sizeof(float))));
/* The same anywhere in an array of floats. */
typedef float loose_vector
    __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

INLINE vector load(const float *from)
{
    return *(const loose_vector *)from;
}

INLINE void store(vector value, float *to)
{
    *(loose_vector *)to = value;
}

/* The first `count` floats of a vector, or all where there are more. */
INLINE vector load_some(const float *from, size_t count)
{
    if (count >= LANES)
        return load(from);
    vector value = {0};
    memcpy(&value, from, count * sizeof *from);
    return value;
}

INLINE void store_some(vector value, size_t count, float *to)
{
    if (count >= LANES)
        store(value, to);
    else
        memcpy(to, &value, count * sizeof *to);
}

/* max(value, floor), but what is not a number stays so. */
INLINE vector not_below(vector value, vector floor)
{
    mask below = (mask)(value < floor);
    return (vector)(((mask)floor & below) | ((mask)value & ~below));
}

INLINE size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}
