#include "trainer/blas_core.h"

#include "trainer/gemm.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static const char variable[] = "OPENBLAS_CORETYPE";

static const char *const without_avx2[] = {
    "Katmai", "Coppermine", "Northwood", "Prescott", "Banias", "Atom", "Core2", "Penryn",
    "Dunnington", "Nehalem", "Sandybridge", "Athlon", "Opteron", "Opteron_SSE3", "Barcelona",
    "Bobcat", "Bulldozer", "Piledriver", "Steamroller", "Nano",
};

static bool is_without_avx2(const char *core)
{
    for (size_t i = 0; i < ARRAY_LENGTH(without_avx2); i++) {
        if (strcasecmp(core, without_avx2[i]) == 0)
            return true;
    }
    return false;
}

const char *blas_core_wanted(const char *chosen, enum isa has, const char *said)
{
    static const char *const cores[ISA_COUNT] = {
        [ISA_AVX2] = "Haswell",
        [ISA_AVX512] = "SkylakeX",
    };
    bool free_to_choose = !said || !*said;
    return free_to_choose && is_without_avx2(chosen) ? cores[has] : NULL;
}

void blas_core_choose(char *const arguments[])
{
    char program[PATH_MAX] = "";
    const char *core = blas_core_wanted(gemm_kernels(), isa_best(), getenv(variable));
    /* By its own name, which is what tools then show a process as; not as "exe". */
    if (!core || readlink("/proc/self/exe", program, sizeof program - 1) < 0 ||
        setenv(variable, core, 1) != 0)
        return;
    execv(program, arguments);
    unsetenv(variable);
}
