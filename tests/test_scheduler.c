#include "tuner/scheduler.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_run(struct scheduler *scheduler, int trial, int rung)
{
    struct assignment assignment;

    assert_int_equal(scheduler_next(scheduler, &assignment), SCHEDULER_RUN);
    assert_int_equal(assignment.trial, trial);
    assert_int_equal(assignment.rung, rung);
}

static void assert_answer(struct scheduler *scheduler, enum scheduler_answer answer)
{
    struct assignment assignment;

    assert_int_equal(scheduler_next(scheduler, &assignment), answer);
}

static void assert_decision(struct scheduler *scheduler, int trial, int rung,
                            enum verdict verdict, int rank, const char *reason)
{
    struct decision decision;

    assert_true(scheduler_decision(scheduler, &decision));
    assert_int_equal(decision.trial, trial);
    assert_int_equal(decision.rung, rung);
    assert_int_equal(decision.verdict, verdict);
    assert_int_equal(decision.rank, rank);
    assert_string_equal(decision.reason, reason);
}

static void assert_no_decision(struct scheduler *scheduler)
{
    struct decision decision;

    assert_false(scheduler_decision(scheduler, &decision));
}

/* Hyperband for 9 epochs: rungs of 9, 3, 1; 5, 1; 3. */
static struct scheduler *nine(void)
{
    struct plan plan;

    assert_int_equal(plan_hyperband(9, 3, &plan, NULL), 0);
    return scheduler_new(&plan, true);
}

static void decisions_say_why(void **state)
{
    struct scheduler *scheduler = nine();

    (void)state;
    for (int trial = 0; trial < 9; trial++)
        assert_run(scheduler, trial, 0);
    for (int trial = 0; trial < 3; trial++)
        scheduler_ended(scheduler, trial, 0, 0.5 + trial);
    assert_no_decision(scheduler);
    scheduler_ended(scheduler, 3, 0, 3.5);
    assert_decision(scheduler, 0, 0, VERDICT_STOPPED, 4,
                    "3 of 9 rank better, and only the best 3 go on");
    scheduler_ended(scheduler, 4, 0, (double)NAN);
    assert_decision(scheduler, 4, 0, VERDICT_FAILED, 5, "ended without a finite value");
    scheduler_ended(scheduler, 5, 0, 0.1);
    assert_decision(scheduler, 5, 0, VERDICT_STOPPED, 5,
                    "4 of 9 rank better, and only the best 3 go on");
    assert_no_decision(scheduler);
    scheduler_ended(scheduler, 6, 0, 0.2);
    assert_decision(scheduler, 3, 0, VERDICT_PROMOTED, 1,
                    "among the best 3 of 9 whatever the 2 not yet ended give");
    assert_decision(scheduler, 6, 0, VERDICT_STOPPED, 5,
                    "4 of 9 rank better, and only the best 3 go on");
    scheduler_ended(scheduler, 7, 0, 9);
    assert_decision(scheduler, 7, 0, VERDICT_PROMOTED, 1,
                    "among the best 3 of 9 whatever the 1 not yet ended give");
    assert_decision(scheduler, 1, 0, VERDICT_STOPPED, 4,
                    "3 of 9 rank better, and only the best 3 go on");
    assert_int_equal(scheduler_rank(scheduler, 7, 0), 0);
    scheduler_ended(scheduler, 8, 0, 2.5);
    assert_decision(scheduler, 2, 0, VERDICT_PROMOTED, 3, "among the best 3 of 9");
    assert_decision(scheduler, 8, 0, VERDICT_STOPPED, 4,
                    "3 of 9 rank better, and only the best 3 go on");
    assert_no_decision(scheduler);
    assert_int_equal(scheduler_rank(scheduler, 7, 0), 1);
    assert_int_equal(scheduler_rank(scheduler, 8, 0), 4);
    assert_int_equal(scheduler_rank(scheduler, 4, 0), 9);
    scheduler_free(scheduler);
}

static void promotions_come_before_new_trials_the_deepest_first(void **state)
{
    struct scheduler *scheduler = nine();
    struct assignment assignment;

    (void)state;
    for (int trial = 0; trial < 14; trial++)
        assert_run(scheduler, trial, 0);
    for (int trial = 13; trial >= 0; trial--) /* 0, 1, 2 and 9 are the best */
        scheduler_ended(scheduler, trial, 0, -trial);
    assert_run(scheduler, 0, 1);
    scheduler_ended(scheduler, 0, 1, 1);
    assert_run(scheduler, 1, 1);
    assert_run(scheduler, 2, 1);
    scheduler_ended(scheduler, 1, 1, 2);
    scheduler_ended(scheduler, 2, 1, 3);
    assert_int_equal(scheduler_next(scheduler, &assignment), SCHEDULER_RUN);
    assert_int_equal(assignment.trial, 2); /* rung 2 before trial 9 in rung 1 */
    assert_int_equal(assignment.rung, 2);
    assert_int_equal(assignment.bracket, 0);
    assert_int_equal(assignment.from_epoch, 3);
    assert_int_equal(assignment.to_epoch, 9);
    assert_run(scheduler, 9, 1);
    assert_run(scheduler, 14, 0);
    assert_run(scheduler, 15, 0);
    assert_run(scheduler, 16, 0);
    assert_answer(scheduler, SCHEDULER_WAIT);
    scheduler_free(scheduler);
}

static void ties_go_to_the_smaller_trial_number(void **state)
{
    struct scheduler *scheduler = nine();

    (void)state;
    for (int trial = 0; trial < 9; trial++)
        assert_run(scheduler, trial, 0);
    for (int trial = 8; trial >= 0; trial--)
        scheduler_ended(scheduler, trial, 0, 0.5);
    assert_run(scheduler, 0, 1);
    assert_run(scheduler, 1, 1);
    assert_run(scheduler, 2, 1);
    assert_run(scheduler, 9, 0);
    for (int trial = 0; trial < 9; trial++)
        assert_int_equal(scheduler_rank(scheduler, trial, 0), trial + 1);
    scheduler_free(scheduler);
}

static void all_failed_is_an_end(void **state)
{
    struct scheduler *scheduler = nine();

    (void)state;
    for (int trial = 0; trial < 17; trial++) {
        assert_run(scheduler, trial, 0);
        scheduler_ended(scheduler, trial, 0, (double)NAN);
        assert_decision(scheduler, trial, 0, VERDICT_FAILED,
                        trial < 9 ? trial + 1 : trial < 14 ? trial - 8 : trial - 13,
                        "ended without a finite value");
    }
    assert_no_decision(scheduler);
    assert_answer(scheduler, SCHEDULER_FINISHED);
    scheduler_free(scheduler);
}

static void a_rung_that_failed_whole_leaves_the_next_one_empty(void **state)
{
    struct scheduler *scheduler = nine();

    (void)state;
    for (int trial = 0; trial < 17; trial++)
        assert_run(scheduler, trial, 0);
    for (int trial = 0; trial < 9; trial++)
        scheduler_ended(scheduler, trial, 0, -trial);
    for (int trial = 0; trial < 3; trial++) {
        assert_run(scheduler, trial, 1);
        scheduler_ended(scheduler, trial, 1, (double)INFINITY);
    }
    for (int trial = 10; trial < 17; trial++)
        scheduler_ended(scheduler, trial, 0, (double)NAN);
    assert_answer(scheduler, SCHEDULER_WAIT);
    scheduler_ended(scheduler, 9, 0, 1);
    assert_run(scheduler, 9, 1);
    assert_answer(scheduler, SCHEDULER_WAIT);
    scheduler_ended(scheduler, 9, 1, 1);
    assert_answer(scheduler, SCHEDULER_FINISHED);
    assert_int_equal(scheduler_rank(scheduler, 0, 2), 0);
    assert_int_equal(scheduler_rank(scheduler, 2, 1), 3);
    scheduler_free(scheduler);
}

static void few_good_ones_are_promoted_at_once_and_none_is_waited_for(void **state)
{
    struct scheduler *scheduler = nine();

    (void)state;
    for (int trial = 0; trial < 9; trial++)
        assert_run(scheduler, trial, 0);
    for (int trial = 0; trial < 6; trial++)
        scheduler_ended(scheduler, trial, 0, (double)NAN);
    scheduler_ended(scheduler, 6, 0, 1); /* three can be good at most: it is among them */
    assert_run(scheduler, 6, 1);
    scheduler_ended(scheduler, 7, 0, (double)NAN);
    scheduler_ended(scheduler, 8, 0, (double)NAN);
    scheduler_ended(scheduler, 6, 1, 1); /* alone in its rung of three */
    assert_run(scheduler, 6, 2);
    scheduler_free(scheduler);
}

static void a_space_that_is_used_up_ends_the_plan_early(void **state)
{
    struct scheduler *scheduler = nine();

    (void)state;
    for (int trial = 0; trial < 5; trial++)
        assert_run(scheduler, trial, 0);
    scheduler_exhausted(scheduler, 4); /* it was asked for, and does not exist */
    scheduler_exhausted(scheduler, 4);
    assert_answer(scheduler, SCHEDULER_WAIT);
    for (int trial = 0; trial < 4; trial++)
        scheduler_ended(scheduler, trial, 0, trial);
    for (int trial = 1; trial < 4; trial++) {
        assert_run(scheduler, trial, 1);
        scheduler_ended(scheduler, trial, 1, trial);
    }
    assert_run(scheduler, 3, 2);
    scheduler_ended(scheduler, 3, 2, 1);
    assert_answer(scheduler, SCHEDULER_FINISHED);
    assert_int_equal(scheduler_rank(scheduler, 0, 0), 4);
    assert_int_equal(scheduler_rank(scheduler, 4, 0), 0);
    scheduler_free(scheduler);

    scheduler = nine();
    scheduler_exhausted(scheduler, 0);
    assert_answer(scheduler, SCHEDULER_FINISHED);
    assert_no_decision(scheduler);
    scheduler_free(scheduler);
}

static void what_the_plan_does_not_have_is_ignored(void **state)
{
    static const int strange[][2] = {{-1, 0}, {17, 0}, {0, -1}, {0, 3}, {16, 1}, {1 << 30, 31}};
    struct scheduler *scheduler = nine();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(strange); i++) {
        scheduler_begun(scheduler, strange[i][0], strange[i][1]);
        scheduler_ended(scheduler, strange[i][0], strange[i][1], 1);
        assert_int_equal(scheduler_rank(scheduler, strange[i][0], strange[i][1]), 0);
    }
    scheduler_exhausted(scheduler, 17);
    scheduler_exhausted(scheduler, -1);
    for (int trial = 0; trial < 9; trial++) /* more than the rung has places */
        scheduler_ended(scheduler, trial, 2, trial);
    assert_decision(scheduler, 0, 2, VERDICT_COMPLETED, 1, "reached the end of its bracket");
    assert_no_decision(scheduler);
    scheduler_ended(scheduler, 0, 2, 7);
    assert_no_decision(scheduler);
    assert_run(scheduler, 0, 0);
    scheduler_free(scheduler);
}

static void verdicts_have_names(void **state)
{
    (void)state;
    assert_string_equal(verdict_name(VERDICT_PROMOTED), "promoted");
    assert_string_equal(verdict_name(VERDICT_STOPPED), "stopped");
    assert_string_equal(verdict_name(VERDICT_COMPLETED), "completed");
    assert_string_equal(verdict_name(VERDICT_FAILED), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_say_why),
        cmocka_unit_test(promotions_come_before_new_trials_the_deepest_first),
        cmocka_unit_test(ties_go_to_the_smaller_trial_number),
        cmocka_unit_test(all_failed_is_an_end),
        cmocka_unit_test(a_rung_that_failed_whole_leaves_the_next_one_empty),
        cmocka_unit_test(few_good_ones_are_promoted_at_once_and_none_is_waited_for),
        cmocka_unit_test(a_space_that_is_used_up_ends_the_plan_early),
        cmocka_unit_test(what_the_plan_does_not_have_is_ignored),
        cmocka_unit_test(verdicts_have_names),
    };

    return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
