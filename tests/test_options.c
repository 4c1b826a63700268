#include "common/options.h"

#include "common/help.h"
#include "common/placeholder.h"

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
    const char *sort;
    const char *words[2];
    size_t word_count;
    struct failure why;
};

static const char examples[] = "trainer check model --data mnist    as JSON\n";

static int parse(struct parsed *parsed, const char *const arguments[])
{
    const struct option_rule rules[] = {
        {"json", 'j', OPTION_FLAG, &parsed->json, 0, 0, NULL, "as JSON"},
        {"data", 0, OPTION_TEXT, &parsed->data, 0, 0, "PATH", "the data set"},
        {"epochs", 'e', OPTION_INTEGER, &parsed->epochs, 1, 100, "N", "how many"},
        {"seed", 0, OPTION_SEED, &parsed->seed, 0, 0, "N", "what follows"},
        {"sort", 0, OPTION_CHOICE, &parsed->sort, 0, 0, "trial|value", "what comes first"},
    };
    const struct options options = {"trainer check", rules, ARRAY_LENGTH(rules), "MODEL FILE", 1,
                                    2, .examples = examples};
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

    assert_int_equal(parse(&parsed, ARGUMENTS("model", "--sort", "value")), 0);
    assert_string_equal(parsed.sort, "value");

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
        {{"model", "--sort", "valu"}, "--sort needs one of trial|value, not 'valu'"},
        {{"model", "--sort", "values"}, "not 'values'"},
        {{"--json"}, "MODEL is needed; see trainer check --help"},
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
    assert_int_equal(options_unknown(&why, "command", "tarin", "look there", known, 2), -1);
    assert_string_equal(why.text, "unknown command 'tarin'; did you mean 'train'?");
    failure_clear(&why);
    assert_int_equal(options_unknown(&why, "command", "xyzzy", "look there", known, 2), -1);
    assert_string_equal(why.text, "unknown command 'xyzzy'; look there");
    failure_clear(&why);
}

/* ---- placeholders ---- */

static void a_placeholder_says_what_can_stand_there(void **state)
{
    static const struct {
        const char *placeholder;
        enum placeholder_kind kinds[4];
        size_t count;
    } cases[] = {
        {"N", {PLACEHOLDER_OTHER}, 1},
        {"DIR", {PLACEHOLDER_FOLDER}, 1},
        {"STUDY", {PLACEHOLDER_STUDY}, 1},
        {"STUDY.yaml", {PLACEHOLDER_FILE}, 1},
        {"FILE... DIR", {PLACEHOLDER_FILE}, 1},
        {"mnist|synthetic|PATH", {PLACEHOLDER_CHOICE, PLACEHOLDER_CHOICE, PLACEHOLDER_FILE}, 3},
        {"", {PLACEHOLDER_OTHER}, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *rest = cases[i].placeholder;
        struct placeholder_part part;
        size_t count = 0;
        for (; placeholder_next(&rest, &part); count++)
            assert_int_equal(part.kind, cases[i].kinds[count]);
        assert_int_equal(count, cases[i].count);
    }
}

static void a_files_ending_is_known(void **state)
{
    const char *rest = "STUDY.yaml...";
    struct placeholder_part part;
    (void)state;
    assert_true(placeholder_next(&rest, &part));
    assert_int_equal(part.length, strlen("STUDY.yaml"));
    assert_int_equal(part.ending_length, strlen(".yaml"));
    assert_memory_equal(part.ending, ".yaml", part.ending_length);
}

static void words_are_found_by_their_number(void **state)
{
    static const struct {
        const char *words;
        size_t index;
        const char *found;
    } cases[] = {
        {"MODEL FILE...", 0, "MODEL"}, {"MODEL FILE...", 1, "FILE"}, {"MODEL FILE...", 7, "FILE"},
        {"STUDY TRIAL", 1, "TRIAL"},   {"STUDY TRIAL", 2, ""},       {NULL, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *at = "";
        size_t length = placeholder_of_word(cases[i].words, cases[i].index, &at);
        assert_int_equal(length, strlen(cases[i].found));
        assert_memory_equal(at, cases[i].found, length);
    }
}

/* ---- help ---- */

static void help_has_all_in_its_place(void **state)
{
    static const char expected[] =
        "Examples:\n"
        "  tuner try a.yaml     once\n"
        "\n"
        "Usage: tuner try STUDY.yaml [DIR] [OPTIONS]\n"
        "\n"
        "Tries it.  What is longer than a line has room for goes on in the next one,\n"
        "where two spaces may end a line.  And\n"
        "  what begins with spaces   stays.\n"
        "\n"
        "  --home, -o DIR  where it is; long enough that this has to be broken between\n"
        "                  words, and is\n"
        "  --all           all\n"
        "  --data mnist|synthetic|PATH\n"
        "                  below a label that is too long\n"
        "\n"
        "Exit codes: 0 done.\n";
    const struct option_rule rules[] = {
        {"home", 'o', OPTION_TEXT, NULL, 0, 0, "DIR",
         "where it is; long enough that this has to be broken between words, and is"},
        {"all", 0, OPTION_FLAG, NULL, 0, 0, NULL, "all"},
        {"data", 0, OPTION_TEXT, NULL, 0, 0, "mnist|synthetic|PATH",
         "below a label that is too long"},
    };
    const struct options options = {
        "tuner try", rules, ARRAY_LENGTH(rules), "STUDY.yaml DIR", 1, 2,
        .examples = "tuner try a.yaml     once\n",
        .about = "Tries it.  What is longer than a line has room for goes on in the next one, "
                 "where two spaces may end a line.  And\n  what begins with spaces   stays.\n",
        .exit_codes = "0 done"};
    struct text text = TEXT_EMPTY;
    (void)state;
    help_add(&text, &options);
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
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
        cmocka_unit_test(a_placeholder_says_what_can_stand_there),
        cmocka_unit_test(a_files_ending_is_known),
        cmocka_unit_test(words_are_found_by_their_number),
        cmocka_unit_test(help_has_all_in_its_place),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
