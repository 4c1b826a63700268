#include "trainer/bf16.h"

#include "trainer/isa.h"
#include "trainer/patch.h"

const struct bf16_kernels *bf16_kernels_chosen(void)
{
#if defined(__x86_64__)
    if (isa_chosen() == ISA_AVX512 && __builtin_cpu_supports("avx512bf16"))
        return isa_is_automatic() && bf16_tiles_granted() ? &bf16_tiles : &bf16_dots;
#endif
    return NULL;
}

const char *bf16_kernels(void)
{
    const struct bf16_kernels *kernels = bf16_kernels_chosen();
    return kernels ? kernels->name : NULL;
}

bool bf16_pools(const struct window *window)
{
    return are_tiles(window) && window->size * window->size <= UINT16_MAX;
}
