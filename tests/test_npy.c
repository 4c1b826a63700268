#include "trainer/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The header of an array; `values` begin where it says. */
static char *header_of(const struct text *file, size_t *values)
{
    assert_memory_equal(file->at, "\x93NUMPY\1\0", 8);
    size_t length = (uint8_t)file->at[8] | (size_t)(uint8_t)file->at[9] << 8;
    *values = 10 + length;
    assert_true(*values <= file->length);
    return xstrndup(file->at + 10, length);
}

static void assert_header(const size_t *shape, size_t dimensions, const char *expected)
{
    static const float numbers[24] = {0};
    struct text file = TEXT_EMPTY;
    size_t values, count = 1;
    for (size_t i = 0; i < dimensions; i++)
        count *= shape[i];
    npy_write(&file, shape, dimensions, numbers);
    char *header = header_of(&file, &values);
    assert_memory_equal(header, expected, strlen(expected));
    assert_int_equal(strspn(header + strlen(expected), " "),
                     strlen(header) - strlen(expected) - 1);
    assert_int_equal(header[strlen(header) - 1], '\n');
    assert_int_equal(values % 64, 0);
    assert_int_equal(file.length, values + count * sizeof(float));
    free(header);
    text_free(&file);
}

static void an_array_says_its_type_and_shape(void **state)
{
    (void)state;
    assert_header((size_t[]){7}, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }");
    assert_header((size_t[]){2, 3}, 2,
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    assert_header((size_t[]){2, 1, 3, 4}, 4,
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3, 4), }");
}

static void values_are_little_endian(void **state)
{
    (void)state;
    struct text file = TEXT_EMPTY;
    size_t values;
    npy_write(&file, (size_t[]){2}, 1, (float[]){1.0f, -2.5f});
    free(header_of(&file, &values));
    assert_memory_equal(file.at + values, "\x00\x00\x80\x3f\x00\x00\x20\xc0", 8);
    text_free(&file);
}

static void the_reader_of_images_refuses_it(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    struct text file = TEXT_EMPTY;
    struct npy npy;
    npy_write(&file, (size_t[]){1}, 1, (float[]){1.0f});
    assert_int_equal(npy_parse("x", (const uint8_t *)file.at, file.length, &npy, &why), -1);
    assert_non_null(strstr(why.text, "no whole numbers"));
    failure_clear(&why);
    text_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_says_its_type_and_shape),
        cmocka_unit_test(values_are_little_endian),
        cmocka_unit_test(the_reader_of_images_refuses_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
