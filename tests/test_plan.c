#include "tuner/plan.h"

#include "common/text.h"

#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "9/1 3/3 1/9; 5/3 1/9; 3/9": places/epochs of each rung, bracket by bracket. */
static char *plan_text(const struct plan *plan)
{
    struct text text = TEXT_EMPTY;

    for (int b = 0; b < plan->bracket_count; b++) {
        const struct bracket_plan *bracket = &plan->brackets[b];

        for (int i = 0; i < bracket->rung_count; i++)
            text_addf(&text, "%s%d/%d", i > 0 ? " " : b > 0 ? "; " : "",
                      bracket->rungs[i].places, bracket->rungs[i].epochs);
    }
    return text_take(&text);
}

static void assert_plan(const struct plan *plan, const char *expected)
{
    char *text = plan_text(plan);

    assert_string_equal(text, expected);
    free(text);
}

static const struct example {
    int max_epochs, eta;
    const char *brackets;
    int trials;
    int64_t epochs_anew, epochs;
} examples[] = {
    {81, 3,
     "81/1 27/3 9/9 3/27 1/81; 34/3 11/9 3/27 1/81; 15/9 5/27 1/81; 8/27 2/81; 5/81",
     143, 1902, 1581},
    {27, 3, "27/1 9/3 3/9 1/27; 12/3 4/9 1/27; 6/9 2/27; 4/27", 49, 423, 357},
    {9, 3, "9/1 3/3 1/9; 5/3 1/9; 3/9", 17, 78, 69},
    {16, 4, "16/1 4/4 1/16; 6/4 1/16; 3/16", 25, 136, 124},
    {8, 2, "8/1 4/2 2/4 1/8; 6/2 3/4 1/8; 4/4 2/8; 4/8", 22, 128, 98},
    {243, 3,
     "243/1 81/3 27/9 9/27 3/81 1/243; 98/3 32/9 10/27 3/81 1/243; 41/9 13/27 4/81 1/243; "
     "18/27 6/81 2/243; 9/81 3/243; 6/243",
     415, 8457, 6831},
    /* Rounded: 50/27 = 1.85, 50/9 = 5.56, 50/3 = 16.67; 5/4 = 1.25, 5/2 = 2.5. */
    {50, 3, "27/2 9/6 3/17 1/50; 12/6 4/17 1/50; 6/17 2/50; 4/50", 49, 801, 673},
    {5, 2, "4/1 2/3 1/5; 3/3 1/5; 3/5", 10, 44, 36},
    {1, 3, "1/1", 1, 1, 1},
    {2, 3, "1/2", 1, 2, 2},
};

static void hyperband_has_the_brackets_of_the_paper(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++) {
        const struct example *example = &examples[i];
        struct plan plan;

        assert_int_equal(plan_hyperband(example->max_epochs, example->eta, &plan, NULL), 0);
        assert_plan(&plan, example->brackets);
        assert_int_equal(plan.trials, example->trials);
        assert_int_equal(plan.epochs_anew, example->epochs_anew);
        assert_int_equal(plan.epochs, example->epochs);
    }
}

static void the_largest_bracket_is_exact_at_powers_of_eta(void **state)
{
    static const int cases[][3] = {
        {243, 3, 5}, {1000, 10, 3}, {59049, 9, 5}, {242, 3, 4}, {999, 10, 2}, {59048, 9, 4},
    };
    struct plan plan;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(plan_hyperband(cases[i][0], cases[i][1], &plan, NULL), 0);
        assert_int_equal(plan.brackets[0].number, cases[i][2]);
        assert_int_equal(plan.bracket_count, cases[i][2] + 1);
    }
}

static void check_bracket(const struct bracket_plan *bracket, int max_epochs, int eta)
{
    const struct rung_plan *rungs = bracket->rungs;
    int last = bracket->rung_count - 1;

    assert_true(rungs[0].epochs >= 1);
    assert_int_equal(rungs[last].epochs, max_epochs);
    assert_int_equal(rungs[last].keep, 0);
    assert_true(rungs[last].places >= 1);
    for (int i = 0; i < last; i++) {
        assert_int_equal(rungs[i].keep, rungs[i].places / eta);
        assert_int_equal(rungs[i + 1].places, rungs[i].keep);
        assert_true(rungs[i].epochs < rungs[i + 1].epochs);
    }
}

static void rungs_of_every_hyperband_rise_in_epochs_and_fit_together(void **state)
{
    (void)state;
    for (int eta = 2; eta <= 10; eta++)
        for (int max_epochs = 1; max_epochs <= 1500; max_epochs++) {
            struct plan plan;
            int first = 0;

            assert_int_equal(plan_hyperband(max_epochs, eta, &plan, NULL), 0);
            for (int b = 0; b < plan.bracket_count; b++) {
                assert_int_equal(plan.brackets[b].number, plan.bracket_count - 1 - b);
                assert_int_equal(plan.brackets[b].rung_count, plan.bracket_count - b);
                assert_int_equal(plan.brackets[b].first_trial, first);
                check_bracket(&plan.brackets[b], max_epochs, eta);
                first += plan.brackets[b].rungs[0].places;
            }
            assert_int_equal(plan.trials, first);
        }
}

static void hyperband_at_the_ends_of_its_range(void **state)
{
    struct failure why = FAILURE_NONE;
    struct plan plan;

    (void)state;
    assert_int_equal(plan_hyperband(0, 3, &plan, &why), -1);
    assert_string_equal(why.text, "max_epochs is 0; it must be at least 1");
    assert_string_equal(why.where, "search.max_epochs");
    failure_clear(&why);
    assert_int_equal(plan_hyperband(27, 1, &plan, &why), -1);
    assert_string_equal(why.text, "eta is 1; it must be at least 2");
    assert_string_equal(why.where, "search.eta");
    failure_clear(&why);
    assert_int_equal(plan_hyperband(INT_MAX, 2, &plan, &why), -1);
    assert_non_null(strstr(why.text, "makes more than 1000000 configurations"));
    failure_clear(&why);
    assert_int_equal(plan_hyperband(INT_MAX, INT_MAX, &plan, &why), -1);
    failure_clear(&why);
    assert_int_equal(plan_hyperband(100, INT_MAX, &plan, &why), 0);
    assert_plan(&plan, "1/100");
    assert_int_equal(plan_hyperband(INT_MAX, 50000, &plan, &why), 0);
    assert_plan(&plan, "50000/42950 1/2147483647; 2/2147483647");
}

static void full_is_one_rung(void **state)
{
    struct plan plan;

    (void)state;
    plan_full(20, 5, &plan);
    assert_plan(&plan, "20/5");
    assert_int_equal(plan.trials, 20);
    assert_int_equal(plan.epochs, 100);
    assert_int_equal(plan.epochs_anew, 100);
    assert_int_equal(plan.brackets[0].first_trial, 0);
    assert_int_equal(plan.brackets[0].rungs[0].keep, 0);
}

static void a_limit_drops_whole_brackets_from_the_end(void **state)
{
    struct failure why = FAILURE_NONE;
    struct plan plan;

    (void)state;
    plan_hyperband(9, 3, &plan, NULL); /* 9+6+6, 15+6, 27 epochs */
    assert_int_equal(plan_limit_epochs(&plan, 69, NULL), 0);
    assert_int_equal(plan.trials, 17);
    assert_int_equal(plan_limit_epochs(&plan, 68, NULL), 0);
    assert_plan(&plan, "9/1 3/3 1/9; 5/3 1/9");
    assert_int_equal(plan.trials, 14);
    assert_int_equal(plan.epochs, 42);
    assert_int_equal(plan.epochs_anew, 51);
    assert_int_equal(plan_limit_epochs(&plan, 21, NULL), 0);
    assert_plan(&plan, "9/1 3/3 1/9");
    assert_int_equal(plan_limit_epochs(&plan, 20, &why), -1);
    assert_non_null(strstr(why.text, "20 epochs has no room for the first bracket's 21"));
    assert_string_equal(why.where, "search.limits.epochs");
    assert_plan(&plan, "9/1 3/3 1/9");
    failure_clear(&why);
}

static void a_limit_drops_trials_of_full_from_the_end(void **state)
{
    struct failure why = FAILURE_NONE;
    struct plan plan;

    (void)state;
    plan_full(20, 5, &plan);
    assert_int_equal(plan_limit_epochs(&plan, 1000, NULL), 0);
    assert_plan(&plan, "20/5");
    assert_int_equal(plan_limit_epochs(&plan, 34, NULL), 0);
    assert_plan(&plan, "6/5");
    assert_int_equal(plan.trials, 6);
    assert_int_equal(plan.epochs, 30);
    assert_int_equal(plan_limit_epochs(&plan, 4, &why), -1);
    assert_non_null(strstr(why.text, "no room for a single trial of 5"));
    assert_plan(&plan, "6/5");
    failure_clear(&why);
    plan_full(20, 0, &plan);
    assert_int_equal(plan_limit_epochs(&plan, 100, &why), -1);
    assert_non_null(strstr(why.text, "give search.max_epochs"));
    failure_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hyperband_has_the_brackets_of_the_paper),
        cmocka_unit_test(the_largest_bracket_is_exact_at_powers_of_eta),
        cmocka_unit_test(rungs_of_every_hyperband_rise_in_epochs_and_fit_together),
        cmocka_unit_test(hyperband_at_the_ends_of_its_range),
        cmocka_unit_test(full_is_one_rung),
        cmocka_unit_test(a_limit_drops_whole_brackets_from_the_end),
        cmocka_unit_test(a_limit_drops_trials_of_full_from_the_end),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
