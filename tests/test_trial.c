#include "tuner/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

static const double none = (double)NAN;

static void better_follows_the_goal_and_nan_never_wins(void **state)
{
    (void)state;
    assert_true(value_better(2, 1, true));
    assert_false(value_better(2, 1, false));
    assert_true(value_better(1, 2, false));
    assert_false(value_better(1, 1, true));
    assert_false(value_better(none, 1, true));
    assert_false(value_better(none, none, true));
    assert_true(value_better(1, none, true));
    assert_true(value_better(1, none, false));
}

static void epochs_and_checkpoints_advance(void **state)
{
    struct trial *trial = trial_new(3, 1, json_object());
    (void)state;
    assert_true(isnan(trial->value) && isnan(trial->best));
    trial_advance(trial, 1, 0.9, true, "a");
    trial_advance(trial, 2, 0.8, true, NULL);
    assert_int_equal(trial->epochs, 2);
    assert_true(trial->latest < 0.81 && trial->best > 0.89);
    assert_string_equal(trial->checkpoint, "a");
    assert_int_equal(trial->checkpoint_epoch, 1);
    trial_advance(trial, 2, 0.8, true, "b");
    assert_string_equal(trial->checkpoint, "b");
    assert_int_equal(trial->checkpoint_epoch, 2);
    /* An epoch run again after a retry does not count twice, nor for another value. */
    trial_advance(trial, 1, 0.95, true, "c");
    assert_int_equal(trial->epochs, 2);
    assert_true(trial->latest < 0.81 && trial->best < 0.91);
    assert_int_equal(trial->checkpoint_epoch, 1);
    trial_free(trial);
}

static void setting_out_forgets_the_retries_of_the_last_segment(void **state)
{
    struct trial *trial = trial_new(0, 0, json_object());
    (void)state;
    trial->retries = 1;
    trial->state = TRIAL_PAUSED;
    trial_set_out(trial, 1, 3, 9);
    assert_int_equal(trial->state, TRIAL_PENDING);
    assert_int_equal(trial->retries, 0);
    assert_int_equal(trial->to_epoch, 9);
    trial_free(trial);
}

static void an_early_end_says_how_far_a_trial_was_trained(void **state)
{
    struct trial *trial = trial_new(0, 0, json_object());
    (void)state;
    trial->value_epochs = 9;
    trial->epochs = 10; /* one more than its value is of */
    assert_int_equal(trial_trained(trial), 9);
    trial->early_end = 4;
    assert_int_equal(trial_trained(trial), 4);
    trial_free(trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(better_follows_the_goal_and_nan_never_wins),
        cmocka_unit_test(epochs_and_checkpoints_advance),
        cmocka_unit_test(setting_out_forgets_the_retries_of_the_last_segment),
        cmocka_unit_test(an_early_end_says_how_far_a_trial_was_trained),
    };
    return cmocka_run_group_tests_name("trial", tests, NULL, NULL);
}
