#include "common/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* One command line with a value of every type. */
struct parsed {
    bool json;
    const char *data;
    int64_t epochs;
    uint64_t seed;
    const char *words[2];
    size_t word_count;
    struct failure why;
};

static int parse(struct parsed *parsed, const char *const arguments[])
{
    const struct option_rule rules[] = {
        {"json", 'j', OPTION_FLAG, &parsed->json, 0, 0},
        {"data", 0, OPTION_TEXT, &parsed->data, 0, 0},
        {"epochs", 'e', OPTION_INTEGER, &parsed->epochs, 1, 100},
        {"seed", 0, OPTION_SEED, &parsed->seed, 0, 0},
    };
    const struct options options = {"trainer check", rules, ARRAY_LENGTH(rules), "a MODEL", 1, 2};
    *parsed = (struct parsed){.epochs = 9, .seed = 5};
    return options_parse(&options, (char *const *)(void *)arguments, parsed->words,
                         &parsed->word_count, &parsed->why);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void values_that_are_not_given_stay_as_they_were(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse(&parsed, ARGUMENTS("model")), 0);
    assert_false(parsed.json);
    assert_null(parsed.data);
    assert_int_equal(parsed.epochs, 9);
    assert_int_equal(parsed.seed, 5);
    assert_int_equal(parsed.word_count, 1);
    assert_string_equal(parsed.words[0], "model");
}

static void every_form_of_an_option_is_read(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse(&parsed, ARGUMENTS("--json", "--data", "mnist", "model", "--epochs=7",
                                              "--seed", "18446744073709551615")), 0);
    assert_true(parsed.json);
    assert_string_equal(parsed.data, "mnist");
    assert_int_equal(parsed.epochs, 7);
    assert_true(parsed.seed == UINT64_MAX);

    assert_int_equal(parse(&parsed, ARGUMENTS("-j", "-e", "3", "model")), 0);
    assert_true(parsed.json);
    assert_int_equal(parsed.epochs, 3);
}

static void a_dash_is_a_word_and_two_end_the_options(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse(&parsed, ARGUMENTS("-", "--", "--json")), 0);
    assert_int_equal(parsed.word_count, 2);
    assert_string_equal(parsed.words[0], "-");
    assert_string_equal(parsed.words[1], "--json");
    assert_false(parsed.json);
}

static void help_is_seen_before_anything_else_is_checked(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse(&parsed, ARGUMENTS("--nonsense", "--help")), 1);
    assert_int_equal(parse(&parsed, ARGUMENTS("-h")), 1);
    assert_null(parsed.why.text);
    assert_int_equal(parse(&parsed, ARGUMENTS("model", "--", "--help")), 0);
}

static void wrong_usage_says_what_is_wrong(void **state)
{
    static const struct {
        const char *arguments[5];
        const char *text;
    } cases[] = {
        {{"model", "--epoch", "3"}, "unknown option '--epoch'; did you mean '--epochs'?"},
        {{"model", "--epochz=3"}, "unknown option '--epochz'; did you mean '--epochs'?"},
        {{"model", "--qqqqqqqqqq"}, "unknown option '--qqqqqqqqqq'; --help shows what there is"},
        {{"model", "-x"}, "unknown option '-x'"},
        {{"model", "--epochs"}, "--epochs needs a value"},
        {{"model", "--epochs", "--json"}, "--epochs needs a value"},
        {{"model", "--epochs", "0"}, "--epochs needs a whole number from 1 to 100, not '0'"},
        {{"model", "--epochs", "101"}, "--epochs needs a whole number from 1 to 100, not '101'"},
        {{"model", "--epochs", "3x"}, "not '3x'"},
        {{"model", "--epochs="}, "not ''"},
        {{"model", "--epochs", "99999999999999999999"}, "not '99999999999999999999'"},
        {{"model", "--seed", "-1"}, "not '-1'"},
        {{"model", "--seed", "18446744073709551616"}, "not '18446744073709551616'"},
        {{"model", "--json=yes"}, "--json takes no value"},
        {{"--json"}, "a MODEL is needed; see trainer check --help"},
        {{"a", "b", "c"}, "'c' is one argument too many; see trainer check --help"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct parsed parsed;
        assert_int_equal(parse(&parsed, cases[i].arguments), -1);
        assert_int_equal(parsed.why.code, EXIT_BAD_USAGE);
        if (!strstr(parsed.why.text, cases[i].text))
            fail_msg("'%s' does not have '%s'", parsed.why.text, cases[i].text);
        failure_clear(&parsed.why);
    }
}

static void an_unknown_word_is_answered_with_the_nearest(void **state)
{
    static const char *const known[] = {"train", "evaluate"};
    struct failure why = FAILURE_NONE;
    (void)state;
    assert_int_equal(options_unknown(&why, "command", "tarin", known, 2), -1);
    assert_string_equal(why.text, "unknown command 'tarin'; did you mean 'train'?");
    failure_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_are_not_given_stay_as_they_were),
        cmocka_unit_test(every_form_of_an_option_is_read),
        cmocka_unit_test(a_dash_is_a_word_and_two_end_the_options),
        cmocka_unit_test(help_is_seen_before_anything_else_is_checked),
        cmocka_unit_test(wrong_usage_says_what_is_wrong),
        cmocka_unit_test(an_unknown_word_is_answered_with_the_nearest),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
