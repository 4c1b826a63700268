#include "trainer/monitor.h"

#include "common/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct epoch_metrics metrics_of(double train_loss, double train_accuracy, double val_loss,
                                       double val_accuracy)
{
    return (struct epoch_metrics){train_loss, train_accuracy, val_loss, val_accuracy, 1.0};
}

/* Losses one after the other: which of them improve, and what is waited after each. */
static void a_loss_improves_by_falling(void **state)
{
    (void)state;
    static const struct {
        double loss;
        bool improves;
        int waited;
    } epochs[] = {
        {2.0, true, 0},        {1.5, true, 0},         {1.5, false, 1},    {1.75, false, 2},
        {1.25, false, 3}, /* by min_change exactly: not by more */
        {1.1875, true, 0},     {(double)NAN, false, 1}, {1.0, false, 2},
        {-INFINITY, false, 3}, {0.5, true, 0},
    };
    struct monitor monitor = monitor_start("val_loss", 0.25, true);
    assert_false(monitor_has_best(&monitor));
    for (size_t i = 0; i < ARRAY_LENGTH(epochs); i++) {
        struct epoch_metrics metrics = metrics_of(9.0, 0.0, epochs[i].loss, 0.0);
        assert_int_equal(monitor_watch(&monitor, &metrics), epochs[i].improves);
        assert_int_equal(monitor.waited, epochs[i].waited);
        assert_true(monitor_has_best(&monitor));
    }
    assert_true(monitor.best == 0.5);
}

static void an_accuracy_improves_by_rising(void **state)
{
    (void)state;
    static const double accuracies[] = {0.0, 0.5, 0.5, 0.4, 0.625, 0.75};
    static const bool improves[] = {true, true, false, false, false, true};
    struct monitor monitor = monitor_start("val_accuracy", 0.125, true);
    for (size_t i = 0; i < ARRAY_LENGTH(accuracies); i++) {
        struct epoch_metrics metrics = metrics_of(0.0, 0.0, 0.0, accuracies[i]);
        assert_int_equal(monitor_watch(&monitor, &metrics), improves[i]);
    }
    assert_true(monitor.best == 0.75);
}

/* Also the first: nothing is better than no value, but a number. */
static void what_is_not_finite_never_improves(void **state)
{
    (void)state;
    static const char *const names[] = {"val_loss", "val_accuracy"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct monitor monitor = monitor_start(names[i], 0.0, true);
        const double values[] = {(double)NAN, INFINITY, -INFINITY};
        for (int k = 0; k < 3; k++) {
            struct epoch_metrics metrics = metrics_of(0.0, 0.0, values[k], values[k]);
            assert_false(monitor_watch(&monitor, &metrics));
            assert_int_equal(monitor.waited, k + 1);
        }
        assert_false(monitor_has_best(&monitor));
    }
}

static void each_name_has_its_metric_and_val_falls_back_to_train(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool validated;
        double best;
    } cases[] = {
        {"train_loss", true, 0.1},      {"train_accuracy", true, 0.2},
        {"val_loss", true, 0.3},        {"val_accuracy", true, 0.4},
        {"train_loss", false, 0.1},     {"train_accuracy", false, 0.2},
        {"val_loss", false, 0.1},       {"val_accuracy", false, 0.2},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct monitor monitor = monitor_start(cases[i].name, 0.0, cases[i].validated);
        struct epoch_metrics metrics = metrics_of(0.1, 0.2, 0.3, 0.4);
        assert_true(monitor_watch(&monitor, &metrics));
        assert_true(monitor.best == cases[i].best);
    }
}

static void a_state_is_gone_on_from(void **state)
{
    (void)state;
    struct monitor monitor = monitor_start("train_loss", 0.0, true), other = monitor;
    for (int epochs = 0; epochs < 4; epochs++) {
        json_t *kept = monitor_state(&monitor);
        other = monitor_start("train_loss", 0.0, true);
        assert_int_equal(monitor_restore(&other, kept), 0);
        assert_true(other.best == monitor.best && other.waited == monitor.waited);
        json_decref(kept);
        struct epoch_metrics metrics = metrics_of(epochs == 0 ? (double)NAN : 1.0 / 3.0, 0, 0, 0);
        monitor_watch(&monitor, &metrics);
    }
}

static void another_state_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null", "[]", "{}", "{\"best\":1.0}", "{\"waited\":1}", "{\"best\":\"1\",\"waited\":1}",
        "{\"best\":1.0,\"waited\":-1}", "{\"best\":1.0,\"waited\":1.5}",
        "{\"best\":1.0,\"waited\":4294967296}",
    };
    struct monitor monitor = monitor_start("val_loss", 0.0, true);
    struct epoch_metrics metrics = metrics_of(0.0, 0.0, 0.3, 0.0);
    monitor_watch(&monitor, &metrics);
    assert_int_equal(monitor_restore(&monitor, NULL), -1);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        json_t *kept = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_non_null(kept);
        assert_int_equal(monitor_restore(&monitor, kept), -1);
        assert_true(monitor.best == 0.3 && monitor.waited == 0);
        json_decref(kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_improves_by_falling),
        cmocka_unit_test(an_accuracy_improves_by_rising),
        cmocka_unit_test(what_is_not_finite_never_improves),
        cmocka_unit_test(each_name_has_its_metric_and_val_falls_back_to_train),
        cmocka_unit_test(a_state_is_gone_on_from),
        cmocka_unit_test(another_state_is_refused),
    };
    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
