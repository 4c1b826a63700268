#include "common/base64.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void the_examples_of_the_standard_hold(void **state)
{
    static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
                                           {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        size_t size = 0;
        char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
        char *bytes = base64_decode(pairs[i][1], &size);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(base64_length(strlen(pairs[i][0])), strlen(text));
        assert_int_equal(size, strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], size);
        free(text);
        free(bytes);
    }
}

static void every_byte_comes_back(void **state)
{
    unsigned char bytes[256];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        size_t size = 0;
        char *text = base64_encode(bytes, length);
        unsigned char *back = base64_decode(text, &size);
        assert_int_equal(size, length);
        assert_memory_equal(back, bytes, length);
        free(text);
        free(back);
    }
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const wrong[] = {"Z", "Zg", "Zg=", "Zm9v=", "Zm9v Zg==", "Zm9\n", "====",
                                        "Zg==Zg==", "Zm-v", "Zm9v\x80w==", "=Zm9", "Z==="};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        size_t size;
        assert_null(base64_decode(wrong[i], &size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standard_hold),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(what_is_no_base64_is_refused),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
