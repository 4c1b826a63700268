#include "trainer/data_split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 1000 images of four classes: 100, 200, 300 and 400, mixed. */
enum { IMAGES = 1000, CLASSES = 4 };

static struct dataset *make_dataset(void)
{
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    dataset->classes = CLASSES;
    dataset->training.count = IMAGES;
    dataset->training.labels = xcalloc(IMAGES, sizeof(uint16_t));
    for (size_t i = 0; i < IMAGES; i++) {
        size_t place = i * 7 % 10;
        dataset->training.labels[i] = place < 1 ? 0 : place < 3 ? 1 : place < 6 ? 2 : 3;
    }
    return dataset;
}

static struct dataset *split(size_t validation, size_t train, uint64_t seed, bool join)
{
    const struct split_settings settings = {validation, train, seed, join};
    struct dataset *dataset = make_dataset();
    assert_int_equal(data_split(dataset, &settings, NULL), 0);
    return dataset;
}

static void assert_ascending(const uint32_t *index, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(index[i] < IMAGES);
        assert_true(i == 0 || index[i] > index[i - 1]);
    }
}

static void assert_class_counts(const struct dataset *dataset, const uint32_t *index,
                                size_t count, const size_t *expected)
{
    size_t counts[CLASSES] = {0};
    for (size_t i = 0; i < count; i++)
        counts[dataset->training.labels[index[i]]]++;
    assert_memory_equal(counts, expected, sizeof counts);
}

static bool same(const uint32_t *left, const uint32_t *right, size_t count)
{
    return memcmp(left, right, count * sizeof *left) == 0;
}

static void shares_follow_the_largest_remainder(void **state)
{
    static const struct {
        size_t counts[CLASSES], wanted, shares[CLASSES];
    } cases[] = {
        {{100, 200, 300, 400}, 100, {10, 20, 30, 40}},
        {{1, 1, 1, 1}, 2, {1, 1, 0, 0}},       /* equal remainders: the lower class */
        {{5, 3, 1, 1}, 3, {2, 1, 0, 0}},       /* 1.5, 0.9, 0.3, 0.3 */
        {{10, 10, 10, 1}, 30, {10, 10, 9, 1}}, /* 9.68 three times, 0.97 */
        {{7, 0, 3, 0}, 10, {7, 0, 3, 0}},
        {{7, 0, 3, 0}, 0, {0, 0, 0, 0}},
        {{0, 0, 0, 0}, 0, {0, 0, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t shares[CLASSES], sum = 0;
        data_split_shares(cases[i].counts, CLASSES, cases[i].wanted, shares);
        for (int c = 0; c < CLASSES; c++) {
            sum += shares[c];
            assert_true(shares[c] <= cases[i].counts[c]);
        }
        assert_int_equal(sum, cases[i].wanted);
        assert_memory_equal(shares, cases[i].shares, sizeof shares);
    }
}

static void every_class_is_held_out_in_proportion(void **state)
{
    (void)state;
    struct dataset *dataset = split(100, 300, 42, false);
    assert_int_equal(dataset->validation_count, 100);
    assert_int_equal(dataset->train_count, 300);
    assert_class_counts(dataset, dataset->validation_index, 100, (size_t[]){10, 20, 30, 40});
    assert_class_counts(dataset, dataset->train_index, 300, (size_t[]){30, 60, 90, 120});
    assert_ascending(dataset->validation_index, 100);
    assert_ascending(dataset->train_index, 300);
    dataset_free(dataset);
}

static void no_image_both_trains_and_validates(void **state)
{
    (void)state;
    struct dataset *dataset = split(250, SPLIT_ALL, 42, false);
    uint8_t seen[IMAGES] = {0};
    assert_int_equal(dataset->train_count, 750);
    for (size_t i = 0; i < 250; i++)
        seen[dataset->validation_index[i]]++;
    for (size_t i = 0; i < 750; i++)
        seen[dataset->train_index[i]]++;
    for (size_t i = 0; i < IMAGES; i++)
        assert_int_equal(seen[i], 1);
    dataset_free(dataset);
}

static void the_seed_decides(void **state)
{
    (void)state;
    struct dataset *one = split(100, 300, 42, false), *again = split(100, 300, 42, false);
    struct dataset *other = split(100, 300, 43, false);
    assert_true(same(one->validation_index, again->validation_index, 100));
    assert_true(same(one->train_index, again->train_index, 300));
    assert_false(same(one->validation_index, other->validation_index, 100));
    assert_false(same(one->train_index, other->train_index, 300));
    dataset_free(one);
    dataset_free(again);
    dataset_free(other);
}

static void the_number_trained_on_does_not_change_what_validates(void **state)
{
    (void)state;
    struct dataset *few = split(100, 10, 42, false), *all = split(100, SPLIT_ALL, 42, false);
    assert_true(same(few->validation_index, all->validation_index, 100));
    dataset_free(few);
    dataset_free(all);
}

static void joined_validation_images_are_trained_on(void **state)
{
    (void)state;
    struct dataset *apart = split(100, 300, 42, false), *joined = split(100, 300, 42, true);
    size_t v = 0, t = 0;
    assert_int_equal(joined->train_count, 400);
    assert_int_equal(joined->validation_count, 0);
    assert_ascending(joined->train_index, 400);
    for (size_t i = 0; i < 400; i++) {
        if (v < 100 && joined->train_index[i] == apart->validation_index[v])
            v++;
        else
            assert_int_equal(joined->train_index[i], apart->train_index[t++]);
    }
    dataset_free(apart);
    dataset_free(joined);
}

static void more_images_than_there_are_are_refused(void **state)
{
    static const struct {
        size_t validation, train;
        const char *where, *text;
    } cases[] = {
        {1000, SPLIT_ALL, "data.validation", "only 1000 training images"},
        {5000, 10, "data.validation", "5000 images are to be held out"},
        {400, 601, "data.train", "of 1000 only 600 are left"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct split_settings settings = {cases[i].validation, cases[i].train, 1, false};
        struct failure why = FAILURE_NONE;
        struct dataset *dataset = make_dataset();
        assert_int_equal(data_split(dataset, &settings, &why), -1);
        assert_int_equal(why.code, EXIT_BAD_INPUT);
        assert_string_equal(why.where, cases[i].where);
        assert_non_null(strstr(why.text, cases[i].text));
        failure_clear(&why);
        dataset_free(dataset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_the_largest_remainder),
        cmocka_unit_test(every_class_is_held_out_in_proportion),
        cmocka_unit_test(no_image_both_trains_and_validates),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(the_number_trained_on_does_not_change_what_validates),
        cmocka_unit_test(joined_validation_images_are_trained_on),
        cmocka_unit_test(more_images_than_there_are_are_refused),
    };
    return cmocka_run_group_tests_name("data_split", tests, NULL, NULL);
}
