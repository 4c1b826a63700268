#include "trainer/zip_write.h"

#include "trainer/zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct zip open_archive(struct text archive)
{
    struct failure why = FAILURE_NONE;
    struct zip zip;
    if (zip_take(&zip, "archive", (uint8_t *)archive.at, archive.length, &why) < 0)
        fail_msg("%s", why.text);
    return zip;
}

static void assert_entry(const struct zip *zip, const char *name, const void *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    uint8_t *content = NULL;
    size_t found = 0;
    if (zip_read(zip, name, &content, &found, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(found, size);
    assert_memory_equal(content, bytes, size);
    free(content);
}

static struct text two_entries(void)
{
    struct zip_writer writer = ZIP_WRITER_EMPTY;
    zip_write(&writer, "conv2d_1/bias.npy", "a\0b", 3);
    zip_write(&writer, "empty", "", 0);
    return zip_write_end(&writer);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct zip zip = open_archive(two_entries());
    assert_int_equal(zip.entries, 2);
    assert_entry(&zip, "conv2d_1/bias.npy", "a\0b", 3);
    assert_entry(&zip, "empty", "", 0);
    zip_close(&zip);
}

static void an_archive_may_be_empty(void **state)
{
    (void)state;
    struct zip_writer writer = ZIP_WRITER_EMPTY;
    struct zip zip = open_archive(zip_write_end(&writer));
    assert_int_equal(zip.entries, 0);
    zip_close(&zip);
}

static void the_same_content_gives_the_same_bytes(void **state)
{
    (void)state;
    struct text one = two_entries(), other = two_entries();
    assert_int_equal(one.length, other.length);
    assert_memory_equal(one.at, other.at, one.length);
    text_free(&one);
    text_free(&other);
}

static void a_changed_byte_is_found(void **state)
{
    (void)state;
    struct text archive = two_entries();
    char *content = memmem(archive.at, archive.length, "a\0b", 3);
    assert_non_null(content);
    content[1] = 'x';
    struct zip zip = open_archive(archive);
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct failure why = FAILURE_NONE;
    assert_int_equal(zip_read(&zip, "conv2d_1/bias.npy", &bytes, &size, &why), -1);
    assert_non_null(strstr(why.text, "corrupted"));
    failure_clear(&why);
    zip_close(&zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(an_archive_may_be_empty),
        cmocka_unit_test(the_same_content_gives_the_same_bytes),
        cmocka_unit_test(a_changed_byte_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
