#include "common/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static json_t *row(void)
{
    return json_pack("{s:s, s:i, s:f, s:n, s:s, s:s}", "study", "digits", "trials", 17, "seconds",
                     2.5, "winner", "space", "{\"units\": [8, 16]}", "broken", "{");
}

static void a_member_is_read_as_what_it_is(void **state)
{
    json_t *object = row();
    (void)state;
    assert_string_equal(member_text(object, "study"), "digits");
    assert_string_equal(member_shown(object, "study"), "digits");
    assert_true(member_is(object, "study", "digits"));
    assert_false(member_is(object, "study", "digit"));
    assert_int_equal(member_integer(object, "trials"), 17);
    assert_true(member_number(object, "trials") == 17.0);
    assert_true(member_number(object, "seconds") == 2.5);
    json_decref(object);
}

static void what_is_missing_or_of_another_type_is_nothing(void **state)
{
    json_t *object = row();
    static const char *const names[] = {"winner", "none"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_null(member_text(object, names[i]));
        assert_string_equal(member_shown(object, names[i]), "");
        assert_false(member_is(object, names[i], ""));
        assert_int_equal(member_integer(object, names[i]), 0);
        assert_true(member_number(object, names[i]) == 0.0);
        assert_null(member_parsed(object, names[i]));
    }
    assert_null(member_text(object, "trials"));
    assert_int_equal(member_integer(object, "study"), 0);
    assert_null(member_text(NULL, "study"));
    assert_int_equal(member_integer(NULL, "trials"), 0);
    json_decref(object);
}

static void text_that_is_json_is_parsed(void **state)
{
    json_t *object = row(), *space = member_parsed(object, "space");
    (void)state;
    assert_int_equal(json_array_size(json_object_get(space, "units")), 2);
    assert_null(member_parsed(object, "broken"));
    json_decref(space);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_read_as_what_it_is),
        cmocka_unit_test(what_is_missing_or_of_another_type_is_nothing),
        cmocka_unit_test(text_that_is_json_is_parsed),
    };
    return cmocka_run_group_tests_name("member", tests, NULL, NULL);
}
