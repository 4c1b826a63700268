/* Which instruction set the kernels use, as the processor and TRAINER_ISA say. */
#include "trainer/isa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void set(const char *word)
{
    if (word)
        assert_int_equal(setenv("TRAINER_ISA", word, 1), 0);
    else
        assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

static void nothing_said_is_the_best_there_is(void **state)
{
    (void)state;
    const char *const words[] = {NULL, "", "auto"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        set(words[i]);
        assert_int_equal(isa_check(NULL), 0);
        assert_true(isa_available(isa_chosen()));
        for (enum isa isa = isa_chosen() + 1; isa < ISA_COUNT; isa++)
            assert_false(isa_available(isa));
    }
}

static void every_set_can_be_asked_for_by_name(void **state)
{
    (void)state;
    assert_true(isa_available(ISA_PORTABLE));
    for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
        struct failure why = FAILURE_NONE;
        set(isa_name(isa));
        assert_int_equal(isa_chosen(), isa_available(isa) ? isa : ISA_PORTABLE);
        assert_int_equal(isa_check(&why), isa_available(isa) ? 0 : -1);
        assert_int_equal(why.code, isa_available(isa) ? EXIT_DONE : EXIT_BAD_USAGE);
        failure_clear(&why);
    }
}

static void an_unknown_word_is_refused(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    set("avx1024");
    assert_int_equal(isa_chosen(), ISA_PORTABLE);
    assert_int_equal(isa_check(&why), -1);
    assert_string_equal(why.text, "TRAINER_ISA is 'avx1024', but may be auto, portable, avx2, "
                                  "avx512 or neon");
    failure_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_the_best_there_is),
        cmocka_unit_test(every_set_can_be_asked_for_by_name),
        cmocka_unit_test(an_unknown_word_is_refused),
    };
    return cmocka_run_group_tests_name("isa", tests, NULL, NULL);
}
