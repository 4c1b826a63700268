#include "reports/confused.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static void fill(struct confusion *confusion, const int64_t counts[4][4])
{
    confusion_init(confusion, 4);
    for (int label = 0; label < 4; label++)
        for (int predicted = 0; predicted < 4; predicted++)
            confusion_add_many(confusion, label, predicted, counts[label][predicted]);
}

static const int64_t mixed[4][4] = {{90, 5, 3, 2}, {7, 40, 3, 0}, {0, 3, 47, 0}, {2, 0, 0, 98}};

static void the_worst_pairs_come_first_each_once(void **state)
{
    struct confusion confusion;
    struct confused pairs[10];
    (void)state;
    fill(&confusion, mixed);
    assert_int_equal(confused_find(&confusion, pairs, 10), 4);
    /* 1 for 0 more often than 0 for 1. */
    assert_int_equal(pairs[0].label, 1);
    assert_int_equal(pairs[0].predicted, 0);
    assert_int_equal(pairs[0].count, 7);
    assert_int_equal(pairs[0].other_way, 5);
    assert_true(pairs[0].share == 7.0 / 50.0);
    /* Three each: the larger share of its class first; both ways alike are told once. */
    assert_int_equal(pairs[1].label, 1);
    assert_int_equal(pairs[1].predicted, 2);
    assert_int_equal(pairs[2].label, 0);
    assert_int_equal(pairs[2].predicted, 2);
    assert_int_equal(pairs[3].label, 0);
    assert_int_equal(pairs[3].predicted, 3);
    confusion_release(&confusion);
}

static void no_more_are_found_than_asked_for(void **state)
{
    struct confusion confusion;
    struct confused pairs[3];
    (void)state;
    fill(&confusion, mixed);
    pairs[2].count = -1;
    assert_int_equal(confused_find(&confusion, pairs, 2), 2);
    assert_int_equal(pairs[1].count, 3);
    assert_int_equal(pairs[2].count, -1);
    assert_int_equal(confused_find(&confusion, pairs, 0), 0);
    confusion_release(&confusion);
}

static void a_model_without_mistakes_confuses_nothing(void **state)
{
    static const int64_t right[4][4] = {{5, 0, 0, 0}, {0, 5, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 1}};
    struct confusion confusion;
    struct confused pairs[4];
    (void)state;
    fill(&confusion, right);
    assert_int_equal(confused_find(&confusion, pairs, 4), 0);
    confusion_release(&confusion);
}

static void a_pair_is_told_in_words(void **state)
{
    static const char *const names[] = {"cat", "dog", "ox", "yak"};
    struct confusion confusion;
    struct metrics metrics;
    struct confused pairs[4];
    (void)state;
    fill(&confusion, mixed);
    metrics_compute(&confusion, &metrics);
    confused_find(&confusion, pairs, 4);
    char *both = confused_text(&pairs[0], &metrics, names);
    char *one = confused_text(&pairs[2], &metrics, names);
    assert_string_equal(both, "dog is taken for cat in 7 of 50 images (14.00 %), and cat for dog "
                              "in 5.");
    assert_string_equal(one, "cat is taken for ox in 3 of 100 images (3.00 %).");
    free(both);
    free(one);
    metrics_release(&metrics);
    confusion_release(&confusion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_pairs_come_first_each_once),
        cmocka_unit_test(no_more_are_found_than_asked_for),
        cmocka_unit_test(a_model_without_mistakes_confuses_nothing),
        cmocka_unit_test(a_pair_is_told_in_words),
    };
    return cmocka_run_group_tests_name("confused", tests, NULL, NULL);
}
