#include "tuner/yaml.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct yaml *parse(const char *text)
{
    struct failure why = FAILURE_NONE;
    struct yaml *yaml = yaml_parse("f", text, strlen(text), &why);
    if (!yaml) {
        fail_msg("%s", why.text);
    }
    return yaml;
}

static void assert_refused(const char *bytes, size_t size, const char *message)
{
    struct failure why = FAILURE_NONE;
    assert_null(yaml_parse("f", bytes, size, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_string_equal(why.text, message);
    failure_clear(&why);
}

static void assert_refused_text(const char *text, const char *message)
{
    assert_refused(text, strlen(text), message);
}

/* The same string many times. */
static char *repeat(const char *part, size_t times, const char *end)
{
    struct text text = TEXT_EMPTY;
    for (size_t i = 0; i < times; i++) {
        text_add(&text, part);
    }
    text_add(&text, end);
    return text_take(&text);
}

static void scalars_have_the_types_of_the_core_schema(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum yaml_type type;
    } cases[] = {
        {"1", YAML_INT}, {"-12", YAML_INT}, {"+5", YAML_INT}, {"007", YAML_INT}, {"0o17", YAML_INT},
        {"0xFf", YAML_INT}, {"0x", YAML_STRING}, {"0o8", YAML_STRING}, {"-0x1", YAML_STRING},
        {"9223372036854775807", YAML_INT}, {"9223372036854775808", YAML_FLOAT},
        {"1e-4", YAML_FLOAT}, {"1.", YAML_FLOAT}, {".5", YAML_FLOAT}, {"-1.5E+3", YAML_FLOAT},
        {"1e", YAML_STRING}, {".", YAML_STRING}, {"-x", YAML_STRING}, {"1_000", YAML_STRING},
        {"1.2.3", YAML_STRING}, {"0b1", YAML_STRING}, {"12:30", YAML_STRING},
        {"true", YAML_BOOL}, {"False", YAML_BOOL}, {"TRUE", YAML_BOOL}, {"tRUE", YAML_STRING},
        {"no", YAML_STRING}, {"yes", YAML_STRING}, {"on", YAML_STRING}, {"y", YAML_STRING},
        {"null", YAML_NULL}, {"~", YAML_NULL}, {"Null", YAML_NULL}, {"\"\"", YAML_STRING},
        {"'1'", YAML_STRING}, {"\"true\"", YAML_STRING}, {"2 * 3", YAML_STRING},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *text = xasprintf("[%s]", cases[i].text);
        struct yaml *yaml = parse(text);
        if (yaml->items[0]->type != cases[i].type) {
            fail_msg("%s is %s", cases[i].text, yaml_type_name(yaml->items[0]->type));
        }
        yaml_tree_free(yaml);
        free(text);
    }
}

static void numbers_have_their_value(void **state)
{
    (void)state;
    struct yaml *yaml = parse("[0x1F, 0o17, -3, 1e-4, 9223372036854775808, +.5]");
    assert_int_equal(yaml->items[0]->integer, 31);
    assert_int_equal(yaml->items[1]->integer, 15);
    assert_int_equal(yaml->items[2]->integer, -3);
    assert_true(yaml->items[2]->real == -3.0);
    assert_true(yaml->items[3]->real == 1e-4);
    assert_true(yaml->items[4]->real == 9223372036854775808.0);
    assert_true(yaml->items[5]->real == 0.5);
    yaml_tree_free(yaml);
}

static void nodes_remember_where_they_stood(void **state)
{
    (void)state;
    struct yaml *yaml = parse("# a comment\na:\n  - x\n  - {\xc3\xa9: 1, k: 'q'}\nb: 2\n");
    const struct yaml *list = yaml_get(yaml, "a");
    const struct yaml *inner = list->items[1];
    assert_int_equal(yaml->keys[0]->line, 2);
    assert_int_equal(list->items[0]->line, 3);
    assert_int_equal(list->items[0]->column, 5);
    assert_int_equal(inner->type, YAML_MAP);
    assert_int_equal(yaml_get(inner, "k")->column, 15); /* characters, not bytes */
    assert_true(yaml_get(inner, "k")->quoted);
    assert_false(yaml_get(inner, "\xc3\xa9")->quoted);
    assert_int_equal(yaml_get(yaml, "b")->integer, 2);
    assert_null(yaml_get(yaml, "c"));
    assert_null(yaml_get(list, "a"));
    yaml_tree_free(yaml);
}

static void block_scalars_are_strings(void **state)
{
    (void)state;
    struct yaml *yaml = parse("a: |\n  1\n  2\nb: >-\n  3\n");
    assert_string_equal(yaml_get(yaml, "a")->text, "1\n2\n");
    assert_int_equal(yaml_get(yaml, "b")->type, YAML_STRING);
    yaml_tree_free(yaml);
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    struct yaml *yaml = parse("\xef\xbb\xbf" "a: 1\n");
    assert_int_equal(yaml->keys[0]->column, 1);
    yaml_tree_free(yaml);
    assert_refused_text("a: \xef\xbb\xbf" "1\n",
                        "f:1:4: error: control character 0xfeff; a study is a text file");
}

static void broken_bytes_are_refused_with_their_place(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: \0", 9,
                   "f:2:4: error: control character 0x00; a study is a text file");
    assert_refused_text("a: \xc3\xa9\xff", "f:1:5: error: byte 0xff is not valid UTF-8; save the "
                                           "file as UTF-8");
    assert_refused_text("\xc0\xaf", "f:1:1: error: byte 0xc0 is not valid UTF-8; save the file as "
                                    "UTF-8");
    assert_refused_text("\xed\xa0\x80", "f:1:1: error: byte 0xed is not valid UTF-8; save the file "
                                        "as UTF-8");
    assert_refused_text("\xf4\x90\x80\x80", "f:1:1: error: byte 0xf4 is not valid UTF-8; save the "
                                            "file as UTF-8");
    assert_refused_text("\xe2\x82", "f:1:1: error: byte 0xe2 is not valid UTF-8; save the file as "
                                    "UTF-8");
    assert_refused_text("a: \"\\0\"\n", "f:1:4: error: a text with a zero character in it");
}

static void nesting_ends_at_32_levels(void **state)
{
    (void)state;
    char *deep = repeat("[", 32, "");
    char *most = repeat("]", 32, "");
    char *text = xasprintf("%s%s", deep, most);
    yaml_tree_free(parse(text));
    free(text);
    free(most);
    free(deep);
    deep = repeat("[", 200 << 10, "");
    assert_refused_text(deep, "f:1:33: error: nested more than 32 levels deep");
    free(deep);
    deep = repeat("{a: ", 100000, "");
    assert_refused_text(deep, "f:1:129: error: nested more than 32 levels deep");
    free(deep);
    deep = repeat("- ", 100000, "x");
    assert_refused_text(deep, "f:1:65: error: nested more than 32 levels deep");
    free(deep);
}

static void large_files_are_refused(void **state)
{
    (void)state;
    size_t size = (1 << 20) + 100000;
    char *bytes = xmalloc(size);
    memset(bytes, 'a', size);
    assert_refused(bytes, size, "f:1:1: error: larger than 1 MiB");
    struct failure why = FAILURE_NONE;
    struct yaml *yaml = yaml_parse("f", bytes, 1 << 20, &why);
    assert_non_null(yaml);
    assert_int_equal(strlen(yaml->text), 1 << 20);
    yaml_tree_free(yaml);
    free(bytes);
}

static void a_list_of_a_hundred_thousand_is_read(void **state)
{
    (void)state;
    char *text = repeat("- 12345\n", 100000, "");
    struct yaml *yaml = parse(text);
    assert_int_equal(yaml->count, 100000);
    assert_int_equal(yaml->items[99999]->line, 100000);
    yaml_tree_free(yaml);
    free(text);
}

static void mappings_are_bounded(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    for (int i = 0; i < 100000; i++) {
        text_addf(&text, "k%d:\n", i);
    }
    assert_refused_text(text_string(&text), "f:513:1: error: a mapping has at most 512 entries");
    text_free(&text);
}

static void duplicates_aliases_tags_and_documents_are_refused(void **state)
{
    (void)state;
    const char *const hint = "anchors (&), aliases (*) and tags (!) are not allowed; write the "
                             "value out";
    assert_refused_text("a: 1\nb: 2\na: 3\n",
                        "f:3:1: error: duplicate key `a`; it stands in line 1 already");
    assert_refused_text("a: 1\n'a': 3\n",
                        "f:2:1: error: duplicate key `a`; it stands in line 1 already");
    const struct {
        const char *text, *place;
    } cases[] = {{"a: *b\n", "f:1:4"}, {"a: &b 1\n", "f:1:4"}, {"a: &b [1]\n", "f:1:4"},
                 {"a: !!int 1\n", "f:1:4"}, {"! {a: 1}\n", "f:1:1"}, {"&a b: 1\n", "f:1:1"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *message = xasprintf("%s: error: %s", cases[i].place, hint);
        assert_refused_text(cases[i].text, message);
        free(message);
    }
    assert_refused_text("a: 1\n---\nb: 1\n",
                        "f:2:1: error: a second document; a file holds one study");
    assert_refused_text("[a]: 1\n", "f:1:1: error: a key must be a word, not a list");
}

static void an_empty_file_is_refused(void **state)
{
    (void)state;
    assert_refused_text("", "f:1:1: error: the file is empty");
    assert_refused_text("# nothing\n\n", "f:1:1: error: the file is empty");
    assert_refused_text("\xef\xbb\xbf", "f:1:1: error: the file is empty");
}

static void syntax_errors_tell_the_place(void **state)
{
    (void)state;
    assert_refused_text("a:\n\tb: 1\n", "f:2:1: error: a tab cannot indent; use spaces");
    assert_refused_text("a: [1\n",
                        "f:2:1: error: not YAML: did not find expected ',' or ']' (while parsing a "
                        "flow sequence from line 1)");
    assert_refused_text("a: 1\n b: 2\n",
                        "f:2:3: error: not YAML: mapping values are not allowed in this context");
}

static void random_bytes_never_crash(void **state)
{
    (void)state;
    static const char alphabet[] = "ab:-[]{},?&*!|>'\"%@# \n\n\t\\0123.~";
    unsigned long seed = 1;
    int refused = 0;
    for (int round = 0; round < 3000; round++) {
        char bytes[60];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = (seed * 6364136223846793005ul + 1442695040888963407ul) & 0xffffffffffffffffu;
            bytes[i] = alphabet[(seed >> 40) % (sizeof alphabet - 1)];
        }
        struct failure why = FAILURE_NONE;
        struct yaml *yaml = yaml_parse("f", bytes, sizeof bytes, &why);
        assert_true((yaml != NULL) == (why.text == NULL));
        refused += yaml == NULL;
        yaml_tree_free(yaml);
        failure_clear(&why);
    }
    assert_true(refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_have_the_types_of_the_core_schema),
        cmocka_unit_test(numbers_have_their_value),
        cmocka_unit_test(nodes_remember_where_they_stood),
        cmocka_unit_test(block_scalars_are_strings),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(broken_bytes_are_refused_with_their_place),
        cmocka_unit_test(nesting_ends_at_32_levels),
        cmocka_unit_test(large_files_are_refused),
        cmocka_unit_test(a_list_of_a_hundred_thousand_is_read),
        cmocka_unit_test(mappings_are_bounded),
        cmocka_unit_test(duplicates_aliases_tags_and_documents_are_refused),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(syntax_errors_tell_the_place),
        cmocka_unit_test(random_bytes_never_crash),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
