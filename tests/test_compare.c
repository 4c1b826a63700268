#include "reports/compare.h"

#include "tests/markup.h"

#include "tests/store_fixture.h"

enum { ANSWERS_MOST = 600 };

/* Two or three studies of one search with their own predictions. */
struct answers {
    const char *name;
    int count;
    int labels[ANSWERS_MOST], predicted[ANSWERS_MOST];
};

static void add_answers(struct store *store, const struct answers *answers)
{
    int64_t study = add_study(store, answers->name);
    json_t *labels = json_array(), *predicted = json_array(), *probabilities = json_array();
    json_t *layers = json_pack("[{s:s, s:i}]", "name", "dense", "parameters", 30);
    fill_search(store, study);
    for (int i = 0; i < answers->count; i++) {
        json_array_append_new(labels, json_integer(answers->labels[i]));
        json_array_append_new(predicted, json_integer(answers->predicted[i]));
        json_array_append_new(probabilities, json_pack("[f, f, f]", 0.5, 0.25, 0.25));
    }
    const struct final_record record = {answers->count, 0, 0.5, layers, "weights", 7};
    DONE(store_begin(store, &why));
    DONE(store_begin_final(store, study, 2, 1, 3, &why));
    DONE(store_set_final_arithmetic(store, study, "avx2 fp32", &why));
    DONE(store_add_predictions(store, study, 0, labels, predicted, probabilities, &why));
    DONE(store_end_final(store, study, &record, &why));
    DONE(store_commit(store, &why));
    json_decref(labels);
    json_decref(predicted);
    json_decref(probabilities);
    json_decref(layers);
}

/* All of class 0; the first `right` answers are right, from `from` on. */
static struct answers right_between(const char *name, int count, int from, int right)
{
    struct answers answers = {.name = name, .count = count};
    for (int i = 0; i < count; i++)
        answers.predicted[i] = i >= from && i < from + right ? 0 : 1;
    return answers;
}

static void compare_two(struct fixture *fixture, struct answers first, struct answers second,
                        struct compare *compare)
{
    const char *names[] = {first.name, second.name};
    add_answers(fixture->store, &first);
    add_answers(fixture->store, &second);
    DONE(compare_read(fixture->store, names, 2, compare, &why));
    assert_int_equal(compare->pair_count, 1);
}

static void assert_sentence(const struct compare *compare, const char *expected)
{
    char *sentence = compare_sentence(compare, &compare->pairs[0]);
    assert_string_equal(sentence, expected);
    free(sentence);
}

static void a_clear_difference_names_the_better_one(void **state)
{
    struct compare compare;
    compare_two(*state, right_between("one", 40, 0, 10), right_between("two", 40, 8, 30),
                &compare);
    assert_int_equal(compare.pairs[0].test.only_first, 8);
    assert_int_equal(compare.pairs[0].test.only_second, 28);
    assert_false(compare.pairs[0].test.exact);
    assert_sentence(&compare, "two is better than one: it alone gets 28 images right, one alone 8 "
                              "(p = 0.0015, chi-squared).");
    compare_release(&compare);
}

static void a_vast_difference_has_no_p_of_0(void **state)
{
    struct compare compare;
    compare_two(*state, right_between("one", 600, 0, 0), right_between("two", 600, 0, 600),
                &compare);
    assert_sentence(&compare, "two is better than one: it alone gets 600 images right, one alone 0 "
                              "(p < 1e-99, chi-squared).");
    compare_release(&compare);
}

static void a_small_difference_may_be_chance(void **state)
{
    struct compare compare;
    compare_two(*state, right_between("one", 20, 0, 10), right_between("two", 20, 2, 9),
                &compare);
    assert_true(compare.pairs[0].test.exact);
    assert_sentence(&compare, "Between one and two the difference may well be chance: one alone "
                              "gets 2 images right, two alone 1 (p = 1, exact).");
    compare_release(&compare);
}

static void the_same_answers_are_said_to_be_the_same(void **state)
{
    struct compare compare;
    compare_two(*state, right_between("one", 20, 0, 10), right_between("two", 20, 0, 10),
                &compare);
    assert_sentence(&compare, "one and two get the same images right.");
    compare_release(&compare);
}

static void test_sets_of_other_sizes_are_not_compared(void **state)
{
    struct compare compare;
    compare_two(*state, right_between("one", 20, 0, 10), right_between("two", 21, 0, 10),
                &compare);
    assert_sentence(&compare, "one and two cannot be compared image by image: their test sets "
                              "have 20 and 21 images.");
    compare_release(&compare);
}

static void test_sets_of_other_labels_are_not_compared(void **state)
{
    struct compare compare;
    struct answers other = right_between("two", 20, 0, 10);
    other.labels[7] = 2;
    compare_two(*state, right_between("one", 20, 0, 10), other, &compare);
    assert_sentence(&compare, "one and two cannot be compared image by image: test image 7 is of "
                              "class 0 in one and of class 2 in the other.");
    json_t *object = compare_json(&compare);
    const json_t *pair = json_array_get(json_object_get(object, "pairs"), 0);
    assert_non_null(json_object_get(pair, "obstacle"));
    assert_null(json_object_get(pair, "p"));
    json_decref(object);
    compare_release(&compare);
}

static void text_and_page_show_every_study_and_every_pair(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"one", "two", "three"};
    struct compare compare;
    struct text text = TEXT_EMPTY, page = TEXT_EMPTY;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const struct answers answers = right_between(names[i], 20, 0, 10 + (int)i);
        add_answers(fixture->store, &answers);
    }
    DONE(compare_read(fixture->store, names, 3, &compare, &why));
    assert_int_equal(compare.pair_count, 3);
    compare_text(&text, &compare);
    compare_html(&page, &compare);
    assert_non_null(strstr(text_string(&text), "test accuracy"));
    assert_non_null(strstr(text_string(&text), " 50.00 %"));
    assert_non_null(strstr(text_string(&text), " 60.00 %"));
    assert_non_null(strstr(text_string(&text), "Between two and three"));
    assert_non_null(strstr(text_string(&page), "<h1>one, two and three</h1>"));
    assert_non_null(strstr(text_string(&page), "Between two and three"));
    assert_non_null(strstr(text_string(&page), "class=\"curve study-2\""));
    assert_null(strstr(text_string(&page), "{{"));
    assert_true(markup_is_well_formed(text_string(&page)));
    text_free(&text);
    text_free(&page);
    compare_release(&compare);
}

static void one_study_twice_or_unknown_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const twice[] = {"one", "ONE"}, *const unknown[] = {"one", "none"};
    const struct answers answers = right_between("one", 20, 0, 10);
    struct compare compare;
    add_answers(fixture->store, &answers);
    REFUSED(compare_read(fixture->store, twice, 2, &compare, &why), EXIT_BAD_INPUT, "named twice");
    REFUSED(compare_read(fixture->store, unknown, 2, &compare, &why), EXIT_FAILED,
            "no study 'none'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_clear_difference_names_the_better_one),
        STORE_TEST(a_vast_difference_has_no_p_of_0),
        STORE_TEST(a_small_difference_may_be_chance),
        STORE_TEST(the_same_answers_are_said_to_be_the_same),
        STORE_TEST(test_sets_of_other_sizes_are_not_compared),
        STORE_TEST(test_sets_of_other_labels_are_not_compared),
        STORE_TEST(text_and_page_show_every_study_and_every_pair),
        STORE_TEST(one_study_twice_or_unknown_is_refused),
    };
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
