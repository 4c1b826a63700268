#include "trainer/data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { SIDE = 28, SIZE = SIDE * SIDE };

static struct dataset *draw(size_t training, size_t test, uint64_t seed)
{
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    data_synthetic_load(training, test, seed, dataset);
    return dataset;
}

static void images_have_the_form_of_mnist(void **state)
{
    (void)state;
    struct dataset *dataset = draw(30, 20, 1);
    assert_int_equal(dataset->height, SIDE);
    assert_int_equal(dataset->width, SIDE);
    assert_int_equal(dataset->channels, 1);
    assert_int_equal(dataset->classes, 10);
    assert_int_equal(dataset->training.count, 30);
    assert_int_equal(dataset->test.count, 20);
    dataset_free(dataset);
}

static void classes_are_balanced(void **state)
{
    (void)state;
    struct dataset *dataset = draw(200, 100, 1);
    size_t training[10] = {0}, test[10] = {0};
    for (size_t i = 0; i < 200; i++)
        training[dataset->training.labels[i]]++;
    for (size_t i = 0; i < 100; i++)
        test[dataset->test.labels[i]]++;
    for (size_t c = 0; c < 10; c++) {
        assert_int_equal(training[c], 20);
        assert_int_equal(test[c], 10);
    }
    dataset_free(dataset);
}

static void an_image_is_the_same_however_many_are_drawn(void **state)
{
    (void)state;
    struct dataset *few = draw(10, 10, 5), *more = draw(100, 50, 5);
    assert_memory_equal(few->training.pixels, more->training.pixels, 10 * SIZE);
    assert_memory_equal(few->test.pixels, more->test.pixels, 10 * SIZE);
    uint8_t pixels[SIZE];
    uint16_t label;
    data_synthetic_draw(5, 73, pixels, &label);
    assert_memory_equal(pixels, more->training.pixels + 73 * SIZE, SIZE);
    assert_int_equal(label, more->training.labels[73]);
    dataset_free(few);
    dataset_free(more);
}

static void seeds_images_and_test_images_differ(void **state)
{
    (void)state;
    struct dataset *one = draw(20, 20, 5), *other = draw(20, 20, 6);
    assert_memory_not_equal(one->training.pixels, other->training.pixels, SIZE);
    assert_memory_not_equal(one->training.pixels, one->training.pixels + 10 * SIZE, SIZE);
    assert_memory_not_equal(one->training.pixels, one->test.pixels, SIZE);
    dataset_free(one);
    dataset_free(other);
}

/* The drawing is part of every result on these digits: a change of one pixel on
 * another machine or in another version would show here. */
static void the_bytes_are_those_that_were_recorded(void **state)
{
    (void)state;
    struct dataset *dataset = draw(1000, 0, 42);
    assert_int_equal(crc32_z(0, dataset->training.pixels, 1000 * SIZE), 0x16cf484a);
    dataset_free(dataset);
}

static void a_digit_is_bright_strokes_on_a_dark_ground(void **state)
{
    (void)state;
    struct dataset *dataset = draw(500, 0, 3);
    for (size_t i = 0; i < 500; i++) {
        size_t bright = 0, dark = 0;
        for (size_t p = 0; p < SIZE; p++) {
            bright += dataset->training.pixels[i * SIZE + p] > 127;
            dark += dataset->training.pixels[i * SIZE + p] < 64;
        }
        assert_in_range(bright, 12, 300);
        assert_in_range(dark, 400, SIZE);
    }
    dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_have_the_form_of_mnist),
        cmocka_unit_test(classes_are_balanced),
        cmocka_unit_test(an_image_is_the_same_however_many_are_drawn),
        cmocka_unit_test(seeds_images_and_test_images_differ),
        cmocka_unit_test(the_bytes_are_those_that_were_recorded),
        cmocka_unit_test(a_digit_is_bright_strokes_on_a_dark_ground),
    };
    return cmocka_run_group_tests_name("data_synthetic", tests, NULL, NULL);
}
