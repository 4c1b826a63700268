#include "common/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

static void expect(json_t *value, const char *text)
{
    char *found = json_text(value);
    assert_string_equal(found, text);
    free(found);
    json_decref(value);
}

static void numbers_have_as_few_digits_as_give_them_again(void **state)
{
    (void)state;
    expect(json_pack("[f, f, f, i]", 0.1, 1.0 / 3, 2.0, 3), "[0.1,0.3333333333333333,2.0,3]");
    expect(json_pack("{s: f, s: [{s: n}]}", "b", 0.30000000000000004, "a", "c"),
           "{\"b\":0.30000000000000004,\"a\":[{\"c\":null}]}");
}

static void any_text_becomes_a_string(void **state)
{
    (void)state;
    expect(json_text_of(NULL), "null");
    expect(json_text_of("na\xc3\xafve"), "\"na\xc3\xafve\"");
    expect(json_text_of("na\xc3"), "\"na?\""); /* cut within a character */
    expect(json_text_of("\xff/\xc3\xaf"), "\"?/??\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_as_few_digits_as_give_them_again),
        cmocka_unit_test(any_text_becomes_a_string),
    };
    return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
