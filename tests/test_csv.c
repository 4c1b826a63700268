/* What is written is what is read again, and lines are counted right. */
#include "tuner/csv.h"

#include "common/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail

static char *path;

static int read_text(const char *text, struct csv *csv, struct failure *why)
{
    const struct file_piece piece = {text, strlen(text)};
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
    return csv_read(path, csv, why);
}

static void cells_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    struct text line = TEXT_EMPTY;
    const char *const cells[] = {"plain", "", NULL, "a,b", "say \"so\"", "two\nlines", "cr\r"};
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++)
        csv_add(&line, cells[i], i == 0);
    csv_end_line(&line);
    assert_string_equal(text_string(&line),
                        "plain,\"\",,\"a,b\",\"say \"\"so\"\"\",\"two\nlines\",\"cr\r\"\r\n");
    text_free(&line);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    static const char *const cells[] = {"a", "b", "x,\"y\"\r\nz", "", "é", "\"", "\n", ","};
    struct text text = TEXT_EMPTY;
    struct csv csv;
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++) {
        csv_add(&text, cells[i], i % 2 == 0);
        if (i % 2 == 1)
            csv_end_line(&text);
    }
    assert_int_equal(read_text(text_string(&text), &csv, NULL), 0);
    assert_int_equal(csv.columns, 2);
    assert_int_equal(csv.rows, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++)
        assert_string_equal(csv.names[i], cells[i]);
    assert_string_equal(csv.cells[0], cells[2]);
    csv_release(&csv);
    text_free(&text);
}

static void every_end_of_a_line_and_of_the_file_will_do(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "\357\273\277a,b\n1,2",
        "\na,b\n\n\r\n1,2\n\n", "\"a\",\"b\"\n\"1\",\"2\""};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct csv csv;
        assert_int_equal(read_text(texts[i], &csv, NULL), 0);
        assert_int_equal(csv.rows, 1);
        assert_string_equal(csv.names[0], "a");
        assert_string_equal(csv.cells[1], "2");
        csv_release(&csv);
    }
    struct csv csv;
    assert_int_equal(read_text("a,b\n1,", &csv, NULL), 0);
    assert_string_equal(csv.cells[1], "");
    csv_release(&csv);
}

static void mistakes_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", ":1: the file is empty"},
        {"a,b\n\"x\ny\",2\n1\n", ":4: the line has 1 cells, the first has 2"},
        {"a\n\n\"b\nc\n", ":3: a quote is opened here"},
        {"a\n\"b\" c\n", ":2: a comma"},
        {"a\nb\n\xff\n", ":3: the file is no UTF-8"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct failure why = FAILURE_NONE;
        struct csv csv;
        assert_int_equal(read_text(cases[i].text, &csv, &why), -1);
        assert_int_equal(why.code, EXIT_BAD_INPUT);
        assert_non_null(strstr(why.text, cases[i].part));
        failure_clear(&why);
    }
}

int main(void)
{
    const char *folder = getenv("TEST_TMP");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_quoted_where_they_must_be),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_end_of_a_line_and_of_the_file_will_do),
        cmocka_unit_test(mistakes_name_their_line),
    };
    path = xasprintf("%s/test-%ld.csv", folder ? folder : "/tmp", (long)getpid());
    int failed = cmocka_run_group_tests_name("csv", tests, NULL, NULL);
    unlink(path);
    free(path);
    return failed;
}
