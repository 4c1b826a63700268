#include "tuner/expression.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *values(void)
{
    return json_pack("{s:i, s:f, s:s, s:b, s:b, s:I}", "filters", 16, "dropout", 0.25, "act",
                     "relu", "on", 1, "off", 0, "huge", (json_int_t)INT64_MAX);
}

/* Evaluates to exactly this JSON, its type included. */
static void assert_value(const char *text, const char *expected)
{
    struct failure why = FAILURE_NONE;
    size_t offset = 0;
    json_t *given = values();
    json_t *value = expression_evaluate(text, given, 10, &offset, &why);
    if (!value) {
        fail_msg("%s: %s", text, why.text);
    }
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (strcmp(dump, expected) != 0) {
        fail_msg("%s gives %s instead of %s", text, dump, expected);
    }
    free(dump);
    json_decref(value);
    json_decref(given);
}

static void assert_refused(const char *text, size_t place, const char *message)
{
    struct failure why = FAILURE_NONE;
    size_t offset = 9999;
    json_t *given = values();
    assert_null(expression_evaluate(text, given, 0, &offset, &why));
    assert_string_equal(why.text, message);
    assert_int_equal(offset, place);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    failure_clear(&why);
    json_decref(given);
}

static void what_is_an_expression(void **state)
{
    (void)state;
    const char *const are[] = {"$a", "x$a", "2 * 3", "(1)", "-1 + 2", ".5 + 1", "min(1, 2)",
                               "max (1, 2)", "classes", "2*classes", "classes + 1"};
    const char *const are_not[] = {"relu", "same", "minimum", "min", "maximal(3)", "my_classes",
                                   "subclasses", "", "he", "a * b", "max_epochs"};
    for (size_t i = 0; i < ARRAY_LENGTH(are); i++) {
        assert_true(expression_is(are[i]));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(are_not); i++) {
        assert_false(expression_is(are_not[i]));
    }
    assert_true(expression_refers("$a") && expression_refers("2 * classes"));
    assert_false(expression_refers("2 * 3") || expression_refers("relu"));
}

static void integers_stay_integers(void **state)
{
    (void)state;
    assert_value("1 + 2 * 3", "7");
    assert_value("(1 + 2) * 3", "9");
    assert_value("$filters * 2", "32");
    assert_value("$filters / 4", "4");
    assert_value("$filters // 3", "5");
    assert_value("$filters % 3", "1");
    assert_value("classes * classes", "100");
    assert_value("10 - 3 - 2", "5");
    assert_value("64 / 4 / 2", "8");
    assert_value("$huge", "9223372036854775807");
    assert_value("$huge - 1", "9223372036854775806");
}

static void fractions_are_real(void **state)
{
    (void)state;
    assert_value("$filters / 3", "5.33333333333333");
    assert_value("$dropout * 2", "0.5");
    assert_value("1e-1", "0.1");
    assert_value("1.0", "1.0");
    assert_value("0.5 // 0.2", "2.0");
    assert_value("-0.5 // 0.2", "-3.0");
}

static void division_rounds_down_below_zero_too(void **state)
{
    (void)state;
    assert_value("-7 // 2", "-4");
    assert_value("7 // -2", "-4");
    assert_value("-7 // -2", "3");
    assert_value("-7 % 2", "1");
    assert_value("7 % -2", "-1");
    assert_value("(0 - $huge - 1) % -1", "0");
}

static void signs_and_calls(void **state)
{
    (void)state;
    assert_value("-$filters", "-16");
    assert_value("--2", "2");
    assert_value("2 - -2", "4");
    assert_value("2 * -3", "-6");
    assert_value("min($filters, 10, 12)", "10");
    assert_value("max(1, 2.5)", "2.5");
    assert_value("min(3)", "3");
    assert_value("max(min(1, 2), 3) * 2", "6");
    assert_value("  $filters\n", "16");
}

static void one_name_alone_keeps_its_type(void **state)
{
    (void)state;
    assert_value("$act", "\"relu\"");
    assert_value("$on", "true");
    assert_value(" $dropout ", "0.25");
}

static void truth_counts_as_one_and_zero(void **state)
{
    (void)state;
    assert_value("$on * 3", "3");
    assert_value("$dropout * $off", "0.0");
}

static void bad_syntax_is_refused_at_its_place(void **state)
{
    (void)state;
    assert_refused("", 0, "the expression ends too early");
    assert_refused("2 *", 3, "the expression ends too early");
    assert_refused("(2", 2, "the expression ends too early");
    assert_refused("2)", 1, "unexpected `)` in an expression");
    assert_refused("2 ** 3", 3, "unexpected `*` in an expression");
    assert_refused("2 3", 2, "unexpected `3` in an expression");
    assert_refused("$filters \xc3\xa9", 9, "unexpected `\xc3\xa9` in an expression");
    assert_refused("min 3", 4, "unexpected `3` in an expression");
    assert_refused("min()", 4, "unexpected `)` in an expression");
    assert_refused("min(1,)", 6, "unexpected `)` in an expression");
    assert_refused("1 + $", 4, "a $ must be followed by a parameter's name");
    assert_refused("${filters}", 0, "a $ must be followed by a parameter's name");
    assert_refused("2 * filters", 4, "unknown word `filters`; a parameter is written `$filters`");
    assert_refused(".", 0, "unexpected `.` in an expression");
    assert_refused("0x10", 1, "unexpected `x` in an expression");
    assert_refused("1 + +2", 4, "unexpected `+` in an expression");
}

static void bad_arithmetic_is_refused_at_its_place(void **state)
{
    (void)state;
    assert_refused("$filters / 0", 9, "division by zero");
    assert_refused("1 // (16 - $filters)", 2, "division by zero");
    assert_refused("1 % 0.0", 2, "division by zero");
    assert_refused("$huge + 1", 6, "the result is too large for a 64-bit integer");
    assert_refused("-$huge - 2", 7, "the result is too large for a 64-bit integer");
    assert_refused("$huge * 2", 6, "the result is too large for a 64-bit integer");
    assert_refused("(-$huge - 1) / -1", 13, "the result is too large for a 64-bit integer");
    assert_refused("(-$huge - 1) // -1", 13, "the result is too large for a 64-bit integer");
    assert_refused("1e308 * 10", 6, "the result is too large");
    assert_refused("1e999", 0, "the number 1e999 is too large");
    assert_refused("1 + 9223372036854775808", 4, "the number 9223372036854775808 is too large");
    assert_refused("1 + $act", 4, "`$act` is a text; arithmetic needs a number");
    assert_refused("1 + $none", 4, "there is no parameter `none`");
    assert_refused("$none", 0, "there is no parameter `none`");
    assert_refused("classes * 2", 0, "the number of classes is not known yet");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    const char *const openings[] = {"(", "-", "min("};
    for (size_t i = 0; i < ARRAY_LENGTH(openings); i++) {
        struct text text = TEXT_EMPTY;
        for (int level = 0; level < 100000; level++) {
            text_add(&text, openings[i]);
        }
        assert_refused(text_string(&text), 64 * strlen(openings[i]),
                       "nested more than 64 levels deep");
        text_free(&text);
    }
}

static void a_long_chain_is_evaluated(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    text_add(&text, "0");
    for (int i = 0; i < 50000; i++) {
        text_add(&text, " + 1");
    }
    assert_value(text_string(&text), "50000");
    text_free(&text);
}

static void collect(void *context, const char *name, size_t offset)
{
    text_addf(context, "%s@%zu ", name, offset);
}

static void names_are_visited_without_evaluating(void **state)
{
    (void)state;
    struct text found = TEXT_EMPTY;
    struct failure why = FAILURE_NONE;
    size_t offset = 0;
    assert_int_equal(expression_names("$a / 0 + min($b, classes, $a) % (1 - 1)", collect, &found,
                                      &offset, &why), 0);
    assert_string_equal(text_string(&found), "a@0 b@13 a@26 ");
    assert_int_equal(expression_names("$a +* 2", collect, &found, &offset, &why), -1);
    assert_int_equal(offset, 4);
    failure_clear(&why);
    text_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_an_expression),
        cmocka_unit_test(integers_stay_integers),
        cmocka_unit_test(fractions_are_real),
        cmocka_unit_test(division_rounds_down_below_zero_too),
        cmocka_unit_test(signs_and_calls),
        cmocka_unit_test(one_name_alone_keeps_its_type),
        cmocka_unit_test(truth_counts_as_one_and_zero),
        cmocka_unit_test(bad_syntax_is_refused_at_its_place),
        cmocka_unit_test(bad_arithmetic_is_refused_at_its_place),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_long_chain_is_evaluated),
        cmocka_unit_test(names_are_visited_without_evaluating),
    };
    return cmocka_run_group_tests_name("expression", tests, NULL, NULL);
}
