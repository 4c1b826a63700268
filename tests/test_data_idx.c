#include "trainer/data_idx.h"

#include "common/file.h"
#include "tests/folder_remove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* ---- A small data set in a folder, and how to spoil it ---- */

enum { HEIGHT = 3, WIDTH = 5, TRAINING = 7, TEST = 4, BYTES_MOST = 4096 };

static const uint8_t train_labels[TRAINING] = {0, 1, 2, 0, 1, 2, 2};
static const uint8_t test_labels[TEST] = {2, 1, 0, 0};

static int make_folder(void **state)
{
    const char *parent = getenv("TEST_TMP");
    char *folder = xasprintf("%s/idx.XXXXXX", parent ? parent : "/tmp");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    int result = folder_remove(*state, NULL);
    free(*state);
    return result;
}

static void write_bytes(const char *folder, const char *name, const uint8_t *bytes, size_t size,
                        bool compressed)
{
    char *path = xasprintf("%s/%s%s", folder, name, compressed ? ".gz" : "");
    gzFile file = gzopen(path, compressed ? "wb" : "wbT"); /* T: as it is */
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    free(path);
}

static uint8_t pixel(size_t i, size_t salt)
{
    return (uint8_t)(i * 37 + salt);
}

static size_t image_file(uint8_t *bytes, uint32_t count, size_t salt)
{
    const uint8_t header[16] = {0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, HEIGHT,
                                0, 0, 0, WIDTH};
    size_t size = count * HEIGHT * WIDTH;
    memcpy(bytes, header, sizeof header);
    for (size_t i = 0; i < size; i++)
        bytes[16 + i] = pixel(i, salt);
    return 16 + size;
}

static size_t label_file(uint8_t *bytes, const uint8_t *labels, uint32_t count)
{
    const uint8_t header[8] = {0, 0, 8, 1, 0, 0, 0, (uint8_t)count};
    memcpy(bytes, header, sizeof header);
    memcpy(bytes + 8, labels, count);
    return 8 + count;
}

/* The good content of the file of a name. */
static size_t good_file(uint8_t *bytes, const char *name)
{
    if (name == data_idx_train_images)
        return image_file(bytes, TRAINING, 1);
    if (name == data_idx_test_images)
        return image_file(bytes, TEST, 2);
    return name == data_idx_train_labels ? label_file(bytes, train_labels, TRAINING)
                                         : label_file(bytes, test_labels, TEST);
}

static void write_good(const char *folder, bool compressed)
{
    static const char *const names[] = {data_idx_train_images, data_idx_train_labels,
                                        data_idx_test_images, data_idx_test_labels};
    uint8_t bytes[BYTES_MOST];
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        write_bytes(folder, names[i], bytes, good_file(bytes, names[i]), compressed);
}

static int load(const char *folder, struct dataset **dataset, struct failure *why)
{
    *dataset = xcalloc(1, sizeof **dataset);
    return data_idx_load(folder, *dataset, why);
}

static void assert_good(const char *folder)
{
    struct failure why = FAILURE_NONE;
    struct dataset *dataset;
    if (load(folder, &dataset, &why) != 0)
        fail_msg("%s", why.text);
    assert_int_equal(dataset->height, HEIGHT);
    assert_int_equal(dataset->width, WIDTH);
    assert_int_equal(dataset->channels, 1);
    assert_int_equal(dataset->classes, 3);
    assert_int_equal(dataset->training.count, TRAINING);
    assert_int_equal(dataset->test.count, TEST);
    for (size_t i = 0; i < TRAINING; i++)
        assert_int_equal(dataset->training.labels[i], train_labels[i]);
    for (size_t i = 0; i < TEST; i++)
        assert_int_equal(dataset->test.labels[i], test_labels[i]);
    for (size_t i = 0; i < TEST * HEIGHT * WIDTH; i++) {
        assert_int_equal(dataset->training.pixels[i], pixel(i, 1));
        assert_int_equal(dataset->test.pixels[i], pixel(i, 2));
    }
    dataset_free(dataset);
}

/* The load must fail as bad input, with a message that has both texts. */
static void assert_refused(const char *folder, const char *file, const char *text)
{
    struct failure why = FAILURE_NONE;
    struct dataset *dataset;
    int result = load(folder, &dataset, &why);
    dataset_free(dataset);
    if (result == 0)
        fail_msg("accepted, but '%s' was expected", text);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    if (!strstr(why.text, file) || !strstr(why.text, text))
        fail_msg("'%s' does not have '%s' and '%s'", why.text, file, text);
    failure_clear(&why);
}

/* ---- Good files ---- */

static void plain_files_are_read(void **state)
{
    write_good(*state, false);
    assert_good(*state);
}

static void compressed_files_are_read(void **state)
{
    write_good(*state, true);
    assert_good(*state);
}

static void what_is_written_is_read_again(void **state)
{
    struct failure why = FAILURE_NONE;
    struct dataset *dataset;
    char *copy = path_join(*state, "copy/of/it");
    write_good(*state, false);
    assert_int_equal(load(*state, &dataset, &why), 0);
    assert_int_equal(data_idx_write(copy, dataset, &why), 0);
    assert_good(copy);

    assert_int_equal(data_idx_write(copy, dataset, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, "there already"));
    failure_clear(&why);
    dataset_free(dataset);
    free(copy);
}

static void one_class_counts_as_two(void **state)
{
    static const uint8_t zeros[TRAINING] = {0};
    struct failure why = FAILURE_NONE;
    struct dataset *dataset;
    uint8_t bytes[BYTES_MOST];
    write_good(*state, false);
    write_bytes(*state, data_idx_train_labels, bytes, label_file(bytes, zeros, TRAINING), false);
    write_bytes(*state, data_idx_test_labels, bytes, label_file(bytes, zeros, TEST), false);
    assert_int_equal(load(*state, &dataset, &why), 0);
    assert_int_equal(dataset->classes, 2);
    dataset_free(dataset);
}

static void one_file_of_images_is_read_alone(void **state)
{
    struct failure why = FAILURE_NONE;
    struct image_set set = {0};
    int height = 0, width = 0;
    write_good(*state, true);
    char *path = xasprintf("%s/%s.gz", (char *)*state, data_idx_test_images);
    assert_int_equal(data_idx_read_images(path, &set, &height, &width, &why), 0);
    assert_int_equal(height, HEIGHT);
    assert_int_equal(width, WIDTH);
    assert_int_equal(set.count, TEST);
    assert_null(set.labels);
    free(set.pixels);
    free(path);
}

/* ---- Bad files ---- */

static void missing_files_are_named(void **state)
{
    static const char *const names[] = {data_idx_train_images, data_idx_train_labels,
                                        data_idx_test_images, data_idx_test_labels};
    assert_refused("/nowhere", data_idx_train_images, "name a folder");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        write_good(*state, false);
        char *path = path_join(*state, names[i]);
        assert_int_equal(unlink(path), 0);
        free(path);
        assert_refused(*state, names[i], "neither this file nor");
    }
}

/* One byte of a file's header changed, and what the message says of it. */
static void wrong_headers_are_refused(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        const char *text;
    } cases[] = {
        {data_idx_train_images, 0, 'P', "this is no IDX file: it begins with 50 00 08 03"},
        {data_idx_train_images, 2, 0x0d, "values of IDX type 0d"},
        {data_idx_train_images, 3, 1, "1 dimensions where images have 3"},
        {data_idx_train_labels, 3, 3, "3 dimensions where labels have 1"},
        {data_idx_train_labels, 3, 200, "200 dimensions"},
        {data_idx_train_images, 7, 0, "dimension 1 has size 0"},
        {data_idx_test_images, 11, 0, "dimension 2 has size 0"},
        {data_idx_train_labels, 7, 0, "dimension 1 has size 0"},
        {data_idx_train_images, 4, 0xff, "more than"},
        {data_idx_train_images, 8, 0xff, "images with a side of 4278190083 pixels"},
        {data_idx_train_images, 7, 8, "truncated"},
        {data_idx_train_images, 7, 6, "bytes follow"},
        {data_idx_train_labels, 7, 8, "8 labels, but there are 7 images"},
        {data_idx_train_labels, 7, 6, "6 labels, but there are 7 images"},
        {data_idx_test_labels, 8, 3, "label 3 of image 0 is out of range: the training labels go "
                                     "from 0 to 2"},
        {data_idx_train_labels, 9, 255, "label 255 of image 1 is out of range: no image has label "
                                        "3"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (int compressed = 0; compressed < 2; compressed++) {
            uint8_t bytes[BYTES_MOST];
            size_t size = good_file(bytes, cases[i].name);
            bytes[cases[i].at] = cases[i].value;
            assert_int_equal(folder_remove(*state, NULL), 0);
            assert_int_equal(folder_make(*state, NULL), 0);
            write_good(*state, compressed);
            write_bytes(*state, cases[i].name, bytes, size, compressed);
            assert_refused(*state, cases[i].name, cases[i].text);
        }
    }
}

static void every_truncation_of_a_plain_file_is_refused(void **state)
{
    uint8_t bytes[BYTES_MOST];
    write_good(*state, false);
    size_t size = image_file(bytes, TRAINING, 1);
    for (size_t kept = 1; kept < size; kept++) {
        write_bytes(*state, data_idx_train_images, bytes, kept, false);
        assert_refused(*state, data_idx_train_images, "truncated");
    }
}

static void an_empty_file_is_refused(void **state)
{
    uint8_t nothing = 0;
    write_good(*state, false);
    write_bytes(*state, data_idx_train_images, &nothing, 0, false);
    assert_refused(*state, data_idx_train_images, "is empty");
}

static void images_of_another_size_are_refused(void **state)
{
    uint8_t bytes[BYTES_MOST];
    write_good(*state, false);
    size_t size = image_file(bytes, TEST, 1);
    bytes[11] = WIDTH;
    bytes[15] = HEIGHT;
    write_bytes(*state, data_idx_test_images, bytes, size, false);
    assert_refused(*state, data_idx_test_images, "5x3 pixels, but the training images have 3x5");
}

static void trailing_bytes_are_refused(void **state)
{
    uint8_t bytes[BYTES_MOST];
    write_good(*state, false);
    size_t size = image_file(bytes, TRAINING, 1);
    bytes[size] = 0;
    write_bytes(*state, data_idx_train_images, bytes, size + 1, false);
    assert_refused(*state, data_idx_train_images, "bytes follow");
}

/* ---- Bad gzip ---- */

struct gzip {
    char *path, *bytes;
    size_t size;
};

static struct gzip read_gzip(const char *folder)
{
    struct gzip gzip;
    write_good(folder, true);
    gzip.path = xasprintf("%s/%s.gz", folder, data_idx_train_images);
    assert_int_equal(file_read(gzip.path, BYTES_MOST, &gzip.bytes, &gzip.size, NULL), 0);
    return gzip;
}

static void replace_gzip(const struct gzip *gzip, const char *bytes, size_t size)
{
    const struct file_piece piece = {bytes, size};
    assert_int_equal(file_replace(gzip->path, &piece, 1, NULL), 0);
}

static void every_truncation_of_a_gzip_file_is_refused(void **state)
{
    struct gzip gzip = read_gzip(*state);
    for (size_t kept = 2; kept < gzip.size; kept++) {
        replace_gzip(&gzip, gzip.bytes, kept);
        assert_refused(*state, data_idx_train_images, "truncated");
    }
    free(gzip.bytes);
    free(gzip.path);
}

/* The time, the operating system and the header's flags for text say nothing about the
 * content; a change of any other byte has to be noticed. */
static void every_changed_byte_of_a_gzip_file_is_noticed(void **state)
{
    struct gzip gzip = read_gzip(*state);
    for (size_t at = 0; at < gzip.size; at++) {
        if (at >= 3 && at <= 9)
            continue;
        gzip.bytes[at] ^= 0x55;
        replace_gzip(&gzip, gzip.bytes, gzip.size);
        assert_refused(*state, data_idx_train_images, "");
        gzip.bytes[at] ^= 0x55;
    }
    free(gzip.bytes);
    free(gzip.path);
}

static void bytes_after_a_gzip_stream_are_refused(void **state)
{
    struct gzip gzip = read_gzip(*state);
    char *longer = xmalloc(gzip.size + 1);
    memcpy(longer, gzip.bytes, gzip.size);
    longer[gzip.size] = 0;
    replace_gzip(&gzip, longer, gzip.size + 1);
    assert_refused(*state, data_idx_train_images, "bytes follow");
    free(longer);
    free(gzip.bytes);
    free(gzip.path);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(plain_files_are_read),
        IN_FOLDER(compressed_files_are_read),
        IN_FOLDER(what_is_written_is_read_again),
        IN_FOLDER(one_class_counts_as_two),
        IN_FOLDER(one_file_of_images_is_read_alone),
        IN_FOLDER(missing_files_are_named),
        IN_FOLDER(wrong_headers_are_refused),
        IN_FOLDER(every_truncation_of_a_plain_file_is_refused),
        IN_FOLDER(an_empty_file_is_refused),
        IN_FOLDER(images_of_another_size_are_refused),
        IN_FOLDER(trailing_bytes_are_refused),
        IN_FOLDER(every_truncation_of_a_gzip_file_is_refused),
        IN_FOLDER(every_changed_byte_of_a_gzip_file_is_noticed),
        IN_FOLDER(bytes_after_a_gzip_stream_are_refused),
    };
    return cmocka_run_group_tests_name("data_idx", tests, NULL, NULL);
}
