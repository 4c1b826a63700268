#include "tuner/space.h"

#include "tuner/name.h"

#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A space from the text of its mapping; fails the test where that is refused. */
static struct space space_of(const char *text)
{
    struct failure why = FAILURE_NONE;
    struct space space = {NULL, 0};
    struct yaml *yaml = yaml_parse("f", text, strlen(text), &why);
    if (!yaml || space_read("f", yaml, &space, &why) != 0) {
        fail_msg("%s", why.text);
    }
    yaml_tree_free(yaml);
    return space;
}

static void assert_refused(const char *text, const char *message)
{
    struct failure why = FAILURE_NONE;
    struct space space;
    struct yaml *yaml = yaml_parse("f", text, strlen(text), &why);
    assert_int_equal(space_read("f", yaml, &space, &why), -1);
    assert_string_equal(why.text, message);
    assert_null(space.parameters);
    yaml_tree_free(yaml);
    failure_clear(&why);
}

static void assert_grid(const char *text, int points, const char *expected)
{
    struct space space = space_of(text);
    json_t *grid = parameter_grid(&space.parameters[0], points);
    char *dump = json_dumps(grid, JSON_REAL_PRECISION(17));
    if (strcmp(dump, expected) != 0) {
        fail_msg("%s gives %s instead of %s", text, dump, expected);
    }
    assert_true(parameter_grid_size(&space.parameters[0], points) ==
                (double)json_array_size(grid));
    free(dump);
    json_decref(grid);
    space_release(&space);
}

/* The n-th draw of trial t. */
static json_t *draw(const struct space *space, uint32_t trial)
{
    struct rng rng;
    rng_init(&rng, 7, trial, RNG_SAMPLER, 0);
    return space_draw(space, &rng);
}

static double drawn(const struct space *space, uint32_t trial)
{
    json_t *configuration = draw(space, trial);
    double value = json_number_value(json_object_get(configuration, space->parameters[0].name));
    json_decref(configuration);
    return value;
}

static void parameters_are_read(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 16, high: 64, step: 16}\n"
                                  "b: {type: float, low: 1e-4, high: 1, log: true}\n"
                                  "c: {type: categorical, choices: [1, x, 2.5, true, '1']}\n"
                                  "d: {type: bool}\n");
    assert_int_equal(space.count, 4);
    assert_int_equal(space.parameters[0].type, PARAMETER_INT);
    assert_true(space.parameters[0].step == 16);
    assert_true(space.parameters[1].log && space.parameters[1].low == 1e-4);
    assert_int_equal(json_array_size(space.parameters[2].choices), 5);
    assert_int_equal(space.parameters[3].line, 4);
    assert_ptr_equal(space_find(&space, "c"), &space.parameters[2]);
    assert_null(space_find(&space, "C"));
    space_release(&space);
}

static void int_draws_stay_on_their_steps(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 16, high: 64, step: 16}\n");
    int seen[5] = {0};
    for (uint32_t trial = 0; trial < 4000; trial++) {
        int value = (int)drawn(&space, trial);
        assert_true(value % 16 == 0 && value >= 16 && value <= 64);
        seen[value / 16]++;
    }
    for (int i = 1; i <= 4; i++) {
        assert_in_range(seen[i], 850, 1150); /* 1000 and five deviations */
    }
    space_release(&space);
}

static void a_step_that_does_not_fit_never_passes_high(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 1, high: 10, step: 4}\n");
    assert_true(space_size(&space) == 3);
    for (uint32_t trial = 0; trial < 300; trial++) {
        double value = drawn(&space, trial);
        assert_true(value == 1 || value == 5 || value == 9);
    }
    space_release(&space);
}

static void float_steps_are_short_decimals(void **state)
{
    (void)state;
    assert_grid("a: {type: float, low: 0, high: 0.5, step: 0.1}", 3,
                "[0.0, 0.10000000000000001, 0.20000000000000001, 0.29999999999999999, "
                "0.40000000000000002, 0.5]");
    assert_grid("a: {type: float, low: 0.1, high: 0.3, step: 0.1}", 3,
                "[0.10000000000000001, 0.20000000000000001, 0.29999999999999999]");
    assert_grid("a: {type: float, low: -0.3, high: 0.3, step: 0.3}", 3,
                "[-0.29999999999999999, 0.0, 0.29999999999999999]");
    assert_grid("a: {type: float, low: 0, high: 1, step: 0.4}", 3,
                "[0.0, 0.40000000000000002, 0.80000000000000004]");
}

static void draws_of_float_steps_equal_the_written_decimals(void **state)
{
    (void)state;
    static const double decimals[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5};
    struct space space = space_of("a: {type: float, low: 0, high: 0.5, step: 0.1}\n");
    bool seen[6] = {false};
    assert_true(space_size(&space) == 6);
    for (uint32_t trial = 0; trial < 300; trial++) {
        double value = drawn(&space, trial);
        int i = (int)(value * 10 + 0.5);
        assert_true(value == decimals[i]); /* to the last bit */
        seen[i] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2] && seen[3] && seen[4] && seen[5]);
    space_release(&space);
}

static void uniform_draws_fill_their_range_evenly(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: float, low: -2, high: 6}\n");
    int seen[8] = {0};
    for (uint32_t trial = 0; trial < 8000; trial++) {
        double value = drawn(&space, trial);
        assert_true(value >= -2 && value <= 6);
        seen[(int)(value + 2)]++;
    }
    for (int i = 0; i < 8; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    space_release(&space);
}

static void log_draws_are_even_in_the_logarithm(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: float, low: 1e-4, high: 1, log: true}\n");
    int seen[4] = {0};
    for (uint32_t trial = 0; trial < 4000; trial++) {
        double value = drawn(&space, trial);
        assert_true(value >= 1e-4 && value <= 1);
        seen[(int)(log10(value) + 4)]++;
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    space_release(&space);
}

static void log_ints_are_drawn_by_their_share_of_the_logarithm(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 1, high: 4, log: true}\n");
    int seen[5] = {0};
    for (uint32_t trial = 0; trial < 10000; trial++) {
        int value = (int)drawn(&space, trial);
        assert_in_range(value, 1, 4);
        seen[value]++;
    }
    for (int i = 1; i <= 4; i++) {
        double share = log((i + 0.5) / (i - 0.5)) / log(4.5 / 0.5);
        assert_true(fabs(seen[i] - 10000 * share) < 250);
    }
    space_release(&space);
}

static void log_ints_keep_their_steps(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 1, high: 101, step: 50, log: true}\n");
    bool seen[3] = {false};
    for (uint32_t trial = 0; trial < 500; trial++) {
        int value = (int)drawn(&space, trial);
        assert_true(value == 1 || value == 51 || value == 101);
        seen[value / 50] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    space_release(&space);
}

static void wide_ranges_stay_inside(void **state)
{
    (void)state;
    struct space space = space_of(
        "a: {type: int, low: -9007199254740992, high: 9007199254740992, step: 9007199254740992}\n"
        "b: {type: float, low: 5e-324, high: 1e308, log: true}\n"
        "c: {type: float, low: -8e307, high: 8e307}\n"
        "d: {type: int, low: 1, high: 9007199254740992, log: true}\n");
    for (uint32_t trial = 0; trial < 500; trial++) {
        json_t *configuration = draw(&space, trial);
        for (size_t i = 0; i < space.count; i++) {
            const struct parameter *parameter = &space.parameters[i];
            double value = json_number_value(json_object_get(configuration, parameter->name));
            assert_true(value >= parameter->low && value <= parameter->high);
        }
        json_decref(configuration);
    }
    space_release(&space);
}

static void a_trial_draws_the_same_every_time(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: float, low: 0, high: 1}\n"
                                  "b: {type: categorical, choices: [x, y, 3]}\n"
                                  "c: {type: bool}\n");
    json_t *first = draw(&space, 5), *again = draw(&space, 5), *other = draw(&space, 6);
    assert_true(json_equal(first, again));
    assert_false(json_equal(first, other));
    char *dump = json_dumps(first, JSON_COMPACT);
    assert_true(strncmp(dump, "{\"a\":", 5) == 0);
    assert_true(strstr(dump, "\"b\":") < strstr(dump, "\"c\":"));
    free(dump);
    json_decref(first);
    json_decref(again);
    json_decref(other);
    space_release(&space);
}

static void every_index_is_another_configuration(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 1, high: 3}\n"
                                  "b: {type: categorical, choices: [x, y]}\n"
                                  "c: {type: float, low: 0, high: 1, step: 0.25}\n"
                                  "d: {type: bool}\n");
    json_t *seen = json_object();
    assert_true(space_size(&space) == 3 * 2 * 5 * 2);
    for (double i = 0; i < 60; i++) {
        json_t *configuration = space_at(&space, i);
        char *dump = json_dumps(configuration, JSON_COMPACT);
        assert_null(json_object_get(seen, dump));
        json_object_set_new(seen, dump, json_true());
        free(dump);
        json_decref(configuration);
    }
    assert_int_equal(json_object_size(seen), 60);
    for (uint32_t trial = 0; trial < 200; trial++) { /* a draw is one of them */
        json_t *configuration = draw(&space, trial);
        char *dump = json_dumps(configuration, JSON_COMPACT);
        assert_non_null(json_object_get(seen, dump));
        free(dump);
        json_decref(configuration);
    }
    json_decref(seen);
    space_release(&space);
}

static void the_last_parameter_changes_fastest(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 1, high: 2}\nb: {type: bool}\n");
    const char *const expected[] = {"{\"a\":1,\"b\":false}", "{\"a\":1,\"b\":true}",
                                    "{\"a\":2,\"b\":false}", "{\"a\":2,\"b\":true}"};
    for (int i = 0; i < 4; i++) {
        json_t *configuration = space_at(&space, i);
        char *dump = json_dumps(configuration, JSON_COMPACT);
        assert_string_equal(dump, expected[i]);
        free(dump);
        json_decref(configuration);
    }
    space_release(&space);
}

static void sizes_beyond_exact_numbers_are_unbounded(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: float, low: 0, high: 1}\nb: {type: bool}\n");
    assert_true(space_size(&space) == 0);
    space_release(&space);
    space = space_of("a: {type: int, low: 0, high: 9007199254740992}\nb: {type: bool}\n");
    assert_true(space_size(&space) == 0);
    space_release(&space);
    space = space_of("a: {type: float, low: 0.5, high: 0.5}\nb: {type: bool}\n");
    assert_true(space_size(&space) == 2);
    space_release(&space);
}

static void grids_hold_all_values_or_spread_points(void **state)
{
    (void)state;
    assert_grid("a: {type: int, low: 16, high: 64, step: 16}", 2, "[16, 32, 48, 64]");
    assert_grid("a: {type: categorical, choices: [x, 3]}", 9, "[\"x\", 3]");
    assert_grid("a: {type: bool}", 9, "[false, true]");
    assert_grid("a: {type: float, low: 0, high: 1}", 5, "[0.0, 0.25, 0.5, 0.75, 1.0]");
    assert_grid("a: {type: float, low: 0, high: 1}", 1, "[0.0]");
    assert_grid("a: {type: float, low: 0.5, high: 0.5}", 3, "[0.5]");
    assert_grid("a: {type: float, low: 1, high: 10000, log: true}", 3, "[1.0, 100.0, 10000.0]");
    assert_grid("a: {type: float, low: 1e-4, high: 1e-2, log: true}", 3,
                "[0.0001, 0.001, 0.01]");
}

static void shares_of_a_range(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 16, high: 64, step: 16}\n"
                                  "b: {type: float, low: 1, high: 100, log: true}\n");
    json_t *middle = parameter_at(&space.parameters[1], 0.5);
    json_t *last = parameter_at(&space.parameters[0], 1);
    assert_true(json_real_value(middle) == 10);
    assert_int_equal(json_integer_value(last), 64);
    json_decref(middle);
    json_decref(last);
    space_release(&space);
}

static void parameters_are_told_to_people_and_recorded(void **state)
{
    (void)state;
    struct space space = space_of("a: {type: int, low: 16, high: 64, step: 16}\n"
                                  "b: {type: float, low: 1e-4, high: 0.5, log: true}\n"
                                  "c: {type: categorical, choices: [1, x, 0.1, true]}\n"
                                  "d: {type: bool}\n");
    const struct {
        const char *text, *json;
    } expected[] = {
        {"int 16 to 64 step 16",
         "{\"name\":\"a\",\"type\":\"int\",\"low\":16,\"high\":64,\"step\":16,\"log\":false}"},
        {"float 0.0001 to 0.5 log",
         "{\"name\":\"b\",\"type\":\"float\",\"low\":0.0001,\"high\":0.5,\"log\":true}"},
        {"categorical 1, x, 0.1, true",
         "{\"name\":\"c\",\"type\":\"categorical\",\"choices\":[1,\"x\",0.1,true]}"},
        {"bool", "{\"name\":\"d\",\"type\":\"bool\"}"},
    };
    for (size_t i = 0; i < space.count; i++) {
        char *text = parameter_text(&space.parameters[i]);
        json_t *json = parameter_json(&space.parameters[i]);
        char *dump = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
        assert_string_equal(text, expected[i].text);
        assert_string_equal(dump, expected[i].json);
        free(dump);
        json_decref(json);
        free(text);
    }
    space_release(&space);
}

static void every_keyword_of_sqlite_is_refused_as_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < sqlite3_keyword_count(); i++) {
        const char *keyword;
        int length;
        sqlite3_keyword_name(i, &keyword, &length);
        char *name = xstrndup(keyword, (size_t)length);
        if (!name_is_reserved(name)) {
            fail_msg("%s", name);
        }
        free(name);
    }
    assert_true(name_is_reserved("Select") && name_is_reserved("sqlite_x"));
    assert_false(name_is_reserved("filters") || name_is_reserved("selects"));
}

static void names_have_their_form(void **state)
{
    (void)state;
    char *longest = xasprintf("%064d", 0);
    longest[0] = 'a';
    assert_true(name_is_valid("a") && name_is_valid("A_9") && name_is_valid(longest));
    char *longer = xasprintf("%sb", longest);
    assert_false(name_is_valid(longer) || name_is_valid("") || name_is_valid("9a") ||
                 name_is_valid("_a") || name_is_valid("a-b") || name_is_valid("\xc3\xa9"));
    free(longer);
    free(longest);
}

static void errors_tell_their_place(void **state)
{
    (void)state;
    assert_refused("[a]", "f:1:1: error: `parameters` must be a mapping such as {rate: {type: float, "
                          "low: 0, high: 1}}, not a list");
    assert_refused("a: {type: int, low: 4, high: 2}",
                   "f:1:21: error: the range is upside down: `low` 4 is above `high` 2");
    assert_refused("a: {type: float, low: -1e308, high: 1e308}",
                   "f:1:23: error: the range is too wide");
    assert_refused("ok: {type: bool}\nOK: {type: bool}\n",
                   "f:2:1: error: `OK` differs from `ok` in line 1 by case only; choose another "
                   "name");
    assert_refused("a: {type: bol}", "f:1:11: error: `type` must be int, float, categorical or "
                                     "bool, not `bol`; did you mean `bool`?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(int_draws_stay_on_their_steps),
        cmocka_unit_test(a_step_that_does_not_fit_never_passes_high),
        cmocka_unit_test(float_steps_are_short_decimals),
        cmocka_unit_test(draws_of_float_steps_equal_the_written_decimals),
        cmocka_unit_test(uniform_draws_fill_their_range_evenly),
        cmocka_unit_test(log_draws_are_even_in_the_logarithm),
        cmocka_unit_test(log_ints_are_drawn_by_their_share_of_the_logarithm),
        cmocka_unit_test(log_ints_keep_their_steps),
        cmocka_unit_test(wide_ranges_stay_inside),
        cmocka_unit_test(a_trial_draws_the_same_every_time),
        cmocka_unit_test(every_index_is_another_configuration),
        cmocka_unit_test(the_last_parameter_changes_fastest),
        cmocka_unit_test(sizes_beyond_exact_numbers_are_unbounded),
        cmocka_unit_test(grids_hold_all_values_or_spread_points),
        cmocka_unit_test(shares_of_a_range),
        cmocka_unit_test(parameters_are_told_to_people_and_recorded),
        cmocka_unit_test(every_keyword_of_sqlite_is_refused_as_a_name),
        cmocka_unit_test(names_have_their_form),
        cmocka_unit_test(errors_tell_their_place),
    };
    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
