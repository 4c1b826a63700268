#include "common/seed.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void whole_numbers_of_64_bits_are_seeds(void **state)
{
    uint64_t seed = 1;
    (void)state;
    assert_true(seed_parse("0", &seed));
    assert_true(seed == 0);
    assert_true(seed_parse("18446744073709551615", &seed));
    assert_true(seed == UINT64_MAX);
    assert_true(seed_parse("042", &seed));
    assert_true(seed == 42);
}

static void anything_else_is_none_and_changes_nothing(void **state)
{
    static const char *const wrong[] = {NULL, "", "-1", "+1", " 1", "1 ", "1e3", "0x10", "x",
                                        "18446744073709551616"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        uint64_t seed = 7;
        assert_false(seed_parse(wrong[i], &seed));
        assert_true(seed == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_of_64_bits_are_seeds),
        cmocka_unit_test(anything_else_is_none_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("seed", tests, NULL, NULL);
}
