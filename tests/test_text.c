#include "common/text.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void empty_text_is_an_empty_string(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    assert_string_equal(text_string(&text), "");
    text_clear(&text);
    char *taken = text_take(&text);
    assert_string_equal(taken, "");
    free(taken);
    text_free(&text);
}

static void additions_stand_one_after_the_other(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    text_add(&text, "one");
    text_add_char(&text, ' ');
    text_add_bytes(&text, "two and", 3);
    text_addf(&text, " %d", 3);
    assert_string_equal(text_string(&text), "one two 3");
    assert_int_equal(text.length, 9);
    text_free(&text);
    assert_null(text.at);
}

static void grows_past_any_size_and_stays_terminated(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    for (size_t i = 0; i < 10000; i++) {
        text_add_char(&text, (char)('a' + i % 26));
        assert_int_equal(text.length, i + 1);
        assert_int_equal(text.at[text.length], '\0');
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(text.at[i], 'a' + i % 26);
    text_free(&text);
}

static void a_zero_byte_counts(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    text_add_bytes(&text, "a\0b", 3);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.at, "a\0b", 4);
    text_free(&text);
}

static void clear_keeps_the_memory(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    text_add(&text, "something");
    size_t capacity = text.capacity;
    text_clear(&text);
    assert_string_equal(text_string(&text), "");
    assert_int_equal(text.capacity, capacity);
    text_add(&text, "else");
    assert_string_equal(text_string(&text), "else");
    text_free(&text);
}

static void take_leaves_an_empty_text(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    text_add(&text, "mine");
    char *taken = text_take(&text);
    assert_string_equal(taken, "mine");
    assert_null(text.at);
    assert_int_equal(text.length, 0);
    free(taken);
}

static const char *const names[] = {"filters", "dropout", "learning_rate", "batch_size", "lr"};

static void slips_are_seen_through(void **state)
{
    (void)state;
    const struct {
        const char *word, *meant;
    } cases[] = {
        {"filter", "filters"},          {"dropuot", "dropout"},
        {"learning-rate", "learning_rate"}, {"batchsize", "batch_size"},
        {"bacth_size", "batch_size"},   {"dropout", "dropout"},
        {"rl", "lr"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(nearest_word(cases[i].word, names, ARRAY_LENGTH(names)),
                            cases[i].meant);
}

static void other_styles_and_beginnings_are_seen_through(void **state)
{
    (void)state;
    const char *const words[] = {"early_stopping", "batch_norm", "ema_decay", "batch_size",
                                 "conv", "max_pool"};
    const struct {
        const char *word, *meant;
    } cases[] = {
        {"EarlyStopping", "early_stopping"}, {"BatchNormalization", "batch_norm"},
        {"batchnorm", "batch_norm"},         {"ema", "ema_decay"},
        {"BATCH-SIZE", "batch_size"},        {"Conv2D", "conv"},
        {"MaxPooling2D", "max_pool"},        {"batch_sze", "batch_size"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(nearest_word(cases[i].word, words, ARRAY_LENGTH(words)),
                            cases[i].meant);
    assert_null(nearest_word("em", words, ARRAY_LENGTH(words)));
    assert_null(nearest_word("__", words, ARRAY_LENGTH(words)));
    const char *const slip_first[] = {"kernel_size", "kernal"};
    assert_string_equal(nearest_word("kernel", slip_first, 2), "kernal");
}

static void what_is_far_from_all_has_no_neighbour(void **state)
{
    (void)state;
    assert_null(nearest_word("momentum", names, ARRAY_LENGTH(names)));
    assert_null(nearest_word("xy", names, ARRAY_LENGTH(names)));
    assert_null(nearest_word("", names, ARRAY_LENGTH(names)));
    assert_null(nearest_word("filters", names, 0));
    char *endless = xmalloc(100001);
    memset(endless, 'a', 100000);
    endless[100000] = '\0';
    assert_null(nearest_word(endless, names, ARRAY_LENGTH(names)));
    free(endless);
}

static void the_nearest_wins_and_the_first_of_equals(void **state)
{
    (void)state;
    const char *const words[] = {"kernels", "kernel", "kennel"};
    assert_string_equal(nearest_word("kernal", words, 3), "kernel");
    const char *const equals[] = {"bat", "cat"};
    assert_string_equal(nearest_word("hat", equals, 2), "bat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_text_is_an_empty_string),
        cmocka_unit_test(additions_stand_one_after_the_other),
        cmocka_unit_test(grows_past_any_size_and_stays_terminated),
        cmocka_unit_test(a_zero_byte_counts),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(take_leaves_an_empty_text),
        cmocka_unit_test(slips_are_seen_through),
        cmocka_unit_test(other_styles_and_beginnings_are_seen_through),
        cmocka_unit_test(what_is_far_from_all_has_no_neighbour),
        cmocka_unit_test(the_nearest_wins_and_the_first_of_equals),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
