#include "reports/page_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void test_neither_imports_nor_exports_are_left(void **state)
{
    struct text script = TEXT_EMPTY;
    (void)state;
    page_script(&script);
    assert_non_null(strstr(text_string(&script), "\nfunction bestChart("));
    assert_non_null(strstr(text_string(&script), "\nstartPage("));
    assert_null(strstr(text_string(&script), "\nimport "));
    assert_null(strstr(text_string(&script), "\nexport "));
    text_free(&script);
}

static void test_nothing_ends_the_script_before_its_end(void **state)
{
    struct text script = TEXT_EMPTY;
    (void)state;
    page_script(&script);
    assert_null(strstr(text_string(&script), "</script"));
    assert_null(strstr(text_string(&script), "<!--"));
    text_free(&script);
}

static void test_it_is_added_to_what_there_is(void **state)
{
    struct text once = TEXT_EMPTY, twice = TEXT_EMPTY;
    (void)state;
    page_script(&once);
    page_script(&twice);
    page_script(&twice);
    assert_int_equal(twice.length, 2 * once.length);
    assert_memory_equal(twice.at + once.length, once.at, once.length);
    text_free(&once);
    text_free(&twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neither_imports_nor_exports_are_left),
        cmocka_unit_test(test_nothing_ends_the_script_before_its_end),
        cmocka_unit_test(test_it_is_added_to_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
