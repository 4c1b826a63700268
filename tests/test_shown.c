#include "trainer/shown.h"

#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

enum { CLASSES = 3 };

/* Every image is of class i % CLASSES; those that `wrong` says are taken for the next one,
 * the surer the larger their number. */
static bool *choose(size_t count, bool (*wrong)(size_t image), size_t image_bytes)
{
    struct evaluation evaluation = {.count = count, .classes = CLASSES};
    uint16_t *labels = xcalloc(count, sizeof *labels);
    evaluation.predicted = xcalloc(count, sizeof *evaluation.predicted);
    evaluation.probabilities = xcalloc(count * CLASSES, sizeof(float));
    for (size_t i = 0; i < count; i++) {
        labels[i] = (uint16_t)(i % CLASSES);
        evaluation.predicted[i] = (uint16_t)((i + (wrong(i) ? 1 : 0)) % CLASSES);
        evaluation.probabilities[i * CLASSES + evaluation.predicted[i]] =
            0.4F + 0.5F * (float)i / (float)count;
    }
    bool *shown = shown_choose(&evaluation, labels, image_bytes);
    free(evaluation.predicted);
    free(evaluation.probabilities);
    free(labels);
    return shown;
}

static bool all(size_t image)
{
    (void)image;
    return true;
}

static bool every_tenth(size_t image)
{
    return image % 10 == 0;
}

static void mistakes_and_the_first_right_ones_are_shown(void **state)
{
    size_t right = 0;
    (void)state;
    bool *shown = choose(300, every_tenth, 784);
    for (size_t i = 0; i < 300; i++) {
        if (every_tenth(i))
            assert_true(shown[i]);
        else
            right += shown[i];
    }
    assert_int_equal(right, SHOWN_RIGHT_OF_CLASS * CLASSES);
    assert_true(shown[1] && shown[2] && shown[3]);
    free(shown);
}

static void of_too_many_mistakes_the_surest_are_shown(void **state)
{
    (void)state;
    bool *shown = choose(SHOWN_MISTAKES + 500, all, 784);
    for (size_t i = 0; i < SHOWN_MISTAKES + 500; i++)
        assert_int_equal(shown[i], i >= 500);
    free(shown);
}

static void large_images_are_fewer_and_too_large_ones_none(void **state)
{
    size_t count = 0;
    (void)state;
    bool *few = choose(1000, all, SHOWN_IMAGE_BYTES);
    bool *none = choose(1000, all, SHOWN_IMAGE_BYTES + 1);
    for (size_t i = 0; i < 1000; i++) {
        count += few[i];
        assert_false(none[i]);
    }
    assert_int_equal(count, SHOWN_BYTES / SHOWN_IMAGE_BYTES);
    free(few);
    free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_and_the_first_right_ones_are_shown),
        cmocka_unit_test(of_too_many_mistakes_the_surest_are_shown),
        cmocka_unit_test(large_images_are_fewer_and_too_large_ones_none),
    };
    return cmocka_run_group_tests_name("shown", tests, NULL, NULL);
}
