/* What the setting `precision` means on a machine, by the kernels that it has for bf16. */
#include "trainer/precision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_found_and_others_are_not(void **state)
{
    (void)state;
    for (enum precision precision = 0; precision < PRECISION_COUNT; precision++)
        assert_int_equal(precision_find(precision_name(precision)), precision);
    assert_int_equal(precision_find("fp32"), PRECISION_FP32);
    assert_int_equal(precision_find("bf16"), PRECISION_BF16);
    assert_int_equal(precision_find("auto"), PRECISION_COUNT);
    assert_int_equal(precision_find("BF16"), PRECISION_COUNT);
    assert_int_equal(precision_find(""), PRECISION_COUNT);
    assert_int_equal(precision_find(NULL), PRECISION_COUNT);
}

static void a_word_means_what_the_processor_can(void **state)
{
    (void)state;
    static const struct {
        const char *word, *bf16;
        enum precision precision;
    } cases[] = {
        {NULL, NULL, PRECISION_FP32},     {NULL, "amx", PRECISION_FP32},
        {"fp32", NULL, PRECISION_FP32},   {"fp32", "amx", PRECISION_FP32},
        {"bf16", "amx", PRECISION_BF16},  {"bf16", "avx512_bf16", PRECISION_BF16},
        {"auto", "amx", PRECISION_BF16},  {"auto", "avx512_bf16", PRECISION_FP32},
        {"auto", NULL, PRECISION_FP32},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum precision precision = PRECISION_COUNT;
        assert_int_equal(precision_resolve(cases[i].word, cases[i].bf16, &precision, NULL), 0);
        assert_int_equal(precision, cases[i].precision);
    }
}

static void bf16_is_refused_where_there_is_none(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    enum precision precision;
    assert_int_equal(precision_resolve("bf16", NULL, &precision, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_string_equal(why.where, "training.precision");
    assert_non_null(strstr(why.text, "AMX"));
    assert_non_null(strstr(why.text, "take fp32, or auto"));
    failure_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_and_others_are_not),
        cmocka_unit_test(a_word_means_what_the_processor_can),
        cmocka_unit_test(bf16_is_refused_where_there_is_none),
    };
    return cmocka_run_group_tests_name("precision", tests, NULL, NULL);
}
