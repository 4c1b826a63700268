#include "reports/picture.h"

#include "common/base.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The pixels that libpng reads from a file in memory. */
static uint8_t *read_png(const uint8_t *bytes, size_t size, const struct picture *like)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, bytes, size));
    assert_int_equal(image.width, like->width);
    assert_int_equal(image.height, like->height);
    assert_int_equal(image.format & PNG_FORMAT_FLAG_COLOR, like->channels == 3 ?
                     PNG_FORMAT_FLAG_COLOR : 0);
    image.format = like->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    uint8_t *pixels = xmalloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    png_image_free(&image);
    return pixels;
}

static void a_png_file_has_the_same_pixels(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        struct picture picture;
        size_t size = 0, count = (size_t)(7 * 5 * channels);
        picture_init(&picture, 7, 5, channels, 0);
        for (size_t i = 0; i < count; i++)
            picture.pixels[i] = (uint8_t)(i * 37);
        uint8_t *bytes = picture_png(&picture, &size);
        uint8_t *pixels = read_png(bytes, size, &picture);
        assert_memory_equal(pixels, picture.pixels, count);
        free(pixels);
        free(bytes);
        picture_release(&picture);
    }
}

static void an_image_is_put_in_enlarged_and_grey_into_colour(void **state)
{
    uint8_t pixels[] = {10, 20};
    const struct picture image = {2, 1, 1, pixels};
    struct picture picture;
    (void)state;
    picture_init(&picture, 6, 4, 3, 255);
    picture_put(&picture, 1, 1, &image, 2);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 6; x++) {
            bool inside = y >= 1 && y < 3 && x >= 1 && x < 5;
            int expected = !inside ? 255 : x < 3 ? 10 : 20;
            for (int c = 0; c < 3; c++)
                assert_int_equal(picture.pixels[(y * 6 + x) * 3 + c], expected);
        }
    picture_release(&picture);
}

static size_t coloured(const struct picture *picture)
{
    size_t count = 0;
    for (int i = 0; i < picture->width * picture->height; i++)
        count += picture->pixels[3 * i] != 255;
    return count;
}

static void digits_differ_and_unknown_signs_are_spaces(void **state)
{
    static const char known[] = "0123456789>%.-";
    const struct colour ink = {1, 2, 3};
    struct picture pictures[sizeof known - 1], empty;
    (void)state;
    for (size_t i = 0; i < sizeof known - 1; i++) {
        char text[2] = {known[i], '\0'};
        picture_init(&pictures[i], 5, 7, 3, 255);
        picture_write(&pictures[i], 0, 0, 1, ink, text);
        assert_true(coloured(&pictures[i]) > 0);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(pictures[i].pixels, pictures[k].pixels, 5 * 7 * 3);
    }
    picture_init(&empty, 30, 7, 3, 255);
    picture_write(&empty, 0, 0, 1, ink, " \xC3\x9F?");
    assert_int_equal(coloured(&empty), 0);
    for (size_t i = 0; i < sizeof known - 1; i++)
        picture_release(&pictures[i]);
    picture_release(&empty);
}

static void text_that_does_not_fit_is_cut_off(void **state)
{
    struct picture picture;
    (void)state;
    picture_init(&picture, 9, 6, 3, 255);
    picture_write(&picture, -3, -2, 2, (struct colour){0, 0, 0}, "0123456789");
    assert_true(coloured(&picture) > 0);
    assert_int_equal(picture_text_width("012", 2), 34);
    picture_release(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_file_has_the_same_pixels),
        cmocka_unit_test(an_image_is_put_in_enlarged_and_grey_into_colour),
        cmocka_unit_test(digits_differ_and_unknown_signs_are_spaces),
        cmocka_unit_test(text_that_does_not_fit_is_cut_off),
    };
    return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
