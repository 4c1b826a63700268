#include "trainer/export_code.h"

#include "common/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/export_sample.h"
#include "tests/tiny.h"

/* A residual around conv2d_2 whose shortcut is the images' own; then one of another conv. */
static const struct sample_layer residuals[] = {
    {"conv", "conv2d_1", -1, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 1)},
    {"add", "add_1", 0, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 1)},
    {"conv", "conv2d_2", 1, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 4)},
    {"shortcut", "shortcut_1", 1, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 4)},
    {"add", "add_2", 2, 3, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
    {"flatten", "flatten_1", 4, -1, IMAGE(5, 5, 4), VECTOR(100)},
};

static void a_variable_lasts_until_its_last_reader(void **state)
{
    (void)state;
    struct sample sample;
    const struct export_model *model = sample_model(&sample, residuals, ARRAY_LENGTH(residuals));
    const char *expected[] = {"x", "add_1", "conv2d_2", "shortcut_1", "x", "x"};
    assert_string_equal(export_variable(model, -1), "images");
    for (int i = 0; i < (int)ARRAY_LENGTH(expected); i++)
        assert_string_equal(export_variable(model, i), expected[i]);
}

static void a_number_has_as_few_digits_as_give_it_again(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *digits;
    } cases[] = {{0.01f, "0.01"},   {1e-5, "1e-05"}, {0.25, "0.25"}, {1.0 - 0.9, "0.1"},
                 {0.1234567f, "0.1234567"}, {0.0, "0"},      {1e-70, "1e-70"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct text text = TEXT_EMPTY;
        export_add_number(&text, cases[i].number);
        assert_string_equal(text.at, cases[i].digits);
        text_free(&text);
    }
}

static void a_second_file_goes_beside_the_first(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"model.npz", "./load.py"}, {"a/b/model.npz", "a/b/load.py"}, {"/model", "/load.py"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *second = export_beside(cases[i][0], "load.py");
        assert_string_equal(second, cases[i][1]);
        free(second);
    }
    assert_string_equal(export_base_name("a/b.c"), "b.c");
    assert_string_equal(export_base_name("b.c"), "b.c");
}

static void assert_write(const char *path, const char *content, int expected)
{
    struct failure why = FAILURE_NONE;
    assert_int_equal(export_check_second(path, &why), expected);
    failure_clear(&why);
    assert_int_equal(export_write_second(path, content, &why), expected);
    if (expected < 0) {
        assert_int_equal(why.code, EXIT_BAD_INPUT);
        assert_non_null(strstr(why.text, "is there already"));
    }
    failure_clear(&why);
}

/* The mark counts in the first line alone: a page that quotes it is not ours. */
static void only_what_bears_the_mark_is_replaced(void **state)
{
    (void)state;
    char *path = tiny_path("second.py");
    unlink(path);
    assert_write(path, "# " EXPORT_MARK "\nfirst\n", 0);
    assert_write(path, "mine\n# " EXPORT_MARK "\n", 0);
    assert_write(path, "# " EXPORT_MARK "\nsecond\n", -1);
    char *content = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, 1000, &content, &size, NULL), 0);
    assert_string_equal(content, "mine\n# " EXPORT_MARK "\n");
    free(content);
    unlink(path);
    free(path);
}

static void a_name_is_written_as_python_reads_it(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    struct text program = TEXT_EMPTY;
    assert_int_equal(export_add_file(&program, "x/a \"b\"\\c.npz", &why), 0);
    assert_non_null(strstr(program.at, "\"a \\\"b\\\"\\\\c.npz\")"));
    assert_int_equal(export_add_file(&program, "\xff.npz", &why), -1);
    assert_non_null(strstr(why.text, "UTF-8"));
    failure_clear(&why);
    text_free(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_lasts_until_its_last_reader),
        cmocka_unit_test(a_number_has_as_few_digits_as_give_it_again),
        cmocka_unit_test(a_second_file_goes_beside_the_first),
        cmocka_unit_test(only_what_bears_the_mark_is_replaced),
        cmocka_unit_test(a_name_is_written_as_python_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
