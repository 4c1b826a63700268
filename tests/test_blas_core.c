/* Which kernels BLAS is told to use.  That it is told: tests/test_trainer_worker.py. */
#include "trainer/blas_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *chosen;
    enum isa has;
    const char *said;
    const char *wanted;
} cases[] = {
    {"Prescott", ISA_AVX512, NULL, "SkylakeX"},
    {"Prescott", ISA_AVX2, NULL, "Haswell"},
    {"Prescott", ISA_PORTABLE, NULL, NULL},
    {"Prescott", ISA_AVX512, "", "SkylakeX"},
    {"Prescott", ISA_AVX512, "Prescott", NULL},
    {"Prescott", ISA_AVX512, "SkylakeX", NULL},
    {"PRESCOTT", ISA_AVX2, NULL, "Haswell"},
    {"Nehalem", ISA_AVX512, NULL, "SkylakeX"},
    {"Core2", ISA_AVX2, NULL, "Haswell"},
    {"Sandybridge", ISA_AVX2, NULL, "Haswell"},
    {"Sandybridge", ISA_PORTABLE, NULL, NULL},
    {"Steamroller", ISA_AVX2, NULL, "Haswell"},
    {"Excavator", ISA_AVX2, NULL, NULL},
    {"Haswell", ISA_AVX2, NULL, NULL},
    {"Haswell", ISA_AVX512, NULL, NULL},
    {"Zen", ISA_AVX512, NULL, NULL},
    {"SkylakeX", ISA_AVX512, NULL, NULL},
    {"Cooperlake", ISA_AVX512, NULL, NULL},
    {"SapphireRapids", ISA_AVX512, NULL, NULL},
    {"one of later years", ISA_AVX512, NULL, NULL},
    {"armv8", ISA_NEON, NULL, NULL},
    {"neoversen1", ISA_NEON, NULL, NULL},
};

static void a_choice_below_the_processor_is_mended_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *wanted = blas_core_wanted(cases[i].chosen, cases[i].has, cases[i].said);
        if (cases[i].wanted ? !wanted || strcmp(wanted, cases[i].wanted) != 0 : wanted != NULL)
            fail_msg("%s on %s, %s said: %s", cases[i].chosen, isa_name(cases[i].has),
                     cases[i].said ? cases[i].said : "nothing", wanted ? wanted : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_below_the_processor_is_mended_and_no_other),
    };
    return cmocka_run_group_tests_name("blas_core", tests, NULL, NULL);
}
