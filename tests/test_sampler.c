#include "tuner/sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char batch_size[] = "batch_size", dropout[] = "dropout", filters[] = "filters",
            flip[] = "flip", rate[] = "learning_rate";

static struct parameter whole(char *name, double low, double high, double step, bool log_scale)
{
    return (struct parameter){.name = name, .type = PARAMETER_INT, .low = low, .high = high,
                              .step = step, .log = log_scale};
}

static struct parameter real(char *name, double low, double high, bool log_scale)
{
    return (struct parameter){.name = name, .type = PARAMETER_FLOAT, .low = low, .high = high,
                              .log = log_scale};
}

static char *text_of(json_t *configuration)
{
    char *text = json_dumps(configuration, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(configuration);
    return text;
}

static void assert_configuration(json_t *configuration, const char *expected)
{
    char *text;

    assert_non_null(configuration);
    text = text_of(configuration);
    assert_string_equal(text, expected);
    free(text);
}

/* Proposes trials first .. first + count - 1, which must all differ from each other and
 * from all in `seen`, a set of texts; the texts are added to it. */
static void propose_different(struct sampler *sampler, uint32_t first, uint32_t count,
                              json_t *seen)
{
    for (uint32_t trial = first; trial < first + count; trial++) {
        json_t *configuration = sampler_propose(sampler, trial);
        char *text;

        assert_non_null(configuration);
        text = text_of(configuration);
        assert_null(json_object_get(seen, text));
        json_object_set_new(seen, text, json_true());
        free(text);
    }
}

/* ---- random ---- */

/* 4 * 4 * 2 = 32 configurations. */
static struct space small_space(void)
{
    static struct parameter parameters[3];

    parameters[0] = whole(filters, 16, 64, 16, false);
    parameters[1] = (struct parameter){.name = batch_size, .type = PARAMETER_CATEGORICAL,
                                       .choices = json_pack("[i,i,i,s]", 32, 64, 128, "all")};
    parameters[2] = (struct parameter){.name = flip, .type = PARAMETER_BOOL};
    return (struct space){parameters, 3};
}

static void random_draws_each_trial_from_a_generator_of_its_own(void **state)
{
    struct parameter parameters[] = {real(rate, 1e-4, 1e-2, true), real(dropout, 0, 0.5, false)};
    struct space space = {parameters, 2};
    struct sampler *sampler = sampler_new(SAMPLER_RANDOM, &space, 42, 0);

    (void)state;
    assert_true(sampler_size(sampler) == 0);
    for (uint32_t trial = 0; trial < 50; trial++) {
        json_t *configuration = sampler_propose(sampler, trial), *drawn;
        struct rng rng;

        rng_init(&rng, 42, trial, RNG_SAMPLER, 0);
        drawn = space_draw(&space, &rng);
        assert_true(json_equal(configuration, drawn));
        json_decref(configuration);
        json_decref(drawn);
    }
    sampler_free(sampler);
}

static void random_draws_again_from_the_same_generator_what_repeats(void **state)
{
    struct space space = small_space();
    struct sampler *sampler = sampler_new(SAMPLER_RANDOM, &space, 5, 0);
    json_t *seen = json_array();
    int repeats = 0;

    (void)state;
    for (uint32_t trial = 0; trial < 20; trial++) {
        json_t *configuration = sampler_propose(sampler, trial), *drawn;
        struct rng rng;

        rng_init(&rng, 5, trial, RNG_SAMPLER, 0);
        drawn = space_draw(&space, &rng);
        for (size_t i = 0; i < json_array_size(seen); i++) {
            if (!json_equal(drawn, json_array_get(seen, i)))
                continue;
            json_decref(drawn);
            drawn = space_draw(&space, &rng);
            repeats++;
            i = SIZE_MAX; /* from the first again */
        }
        assert_true(json_equal(configuration, drawn));
        json_decref(drawn);
        json_array_append_new(seen, configuration);
    }
    assert_true(repeats > 0);
    json_decref(seen);
    sampler_free(sampler);
    json_decref(space.parameters[1].choices);
}

static void random_proposes_every_configuration_of_a_finite_space_once(void **state)
{
    struct space space = small_space();

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sampler *sampler = sampler_new(SAMPLER_RANDOM, &space, seed, 0);
        json_t *seen = json_object();

        assert_true(sampler_size(sampler) == 32);
        propose_different(sampler, 0, 32, seen);
        assert_null(sampler_propose(sampler, 32));
        assert_null(sampler_propose(sampler, 33));
        json_decref(seen);
        sampler_free(sampler);
    }
    json_decref(space.parameters[1].choices);
}

static void random_depends_on_the_seed(void **state)
{
    struct space space = small_space();
    struct sampler *one = sampler_new(SAMPLER_RANDOM, &space, 1, 0);
    struct sampler *two = sampler_new(SAMPLER_RANDOM, &space, 2, 0);
    int same = 0;

    (void)state;
    for (uint32_t trial = 0; trial < 20; trial++) {
        json_t *a = sampler_propose(one, trial), *b = sampler_propose(two, trial);

        same += json_equal(a, b);
        json_decref(a);
        json_decref(b);
    }
    assert_in_range(same, 0, 10);
    sampler_free(one);
    sampler_free(two);
    json_decref(space.parameters[1].choices);
}

/* At every point: what is recalled from a record, its parameters in any order and read
 * back from text, leads to the same proposals. */
static void random_goes_on_from_what_it_recalls(void **state)
{
    struct space space = small_space();

    (void)state;
    for (uint32_t split = 0; split <= 32; split++) {
        struct sampler *whole_run = sampler_new(SAMPLER_RANDOM, &space, 9, 0);
        struct sampler *resumed = sampler_new(SAMPLER_RANDOM, &space, 9, 0);

        for (uint32_t trial = 0; trial < 32; trial++) {
            json_t *configuration = sampler_propose(whole_run, trial);
            char *record = json_dumps(configuration, JSON_SORT_KEYS);
            json_t *other = trial < split ? json_loads(record, 0, NULL)
                                          : sampler_propose(resumed, trial);

            assert_true(json_equal(configuration, other));
            if (trial < split)
                sampler_recall(resumed, trial, other);
            json_decref(configuration);
            json_decref(other);
            free(record);
        }
        assert_null(sampler_propose(resumed, 32));
        sampler_free(whole_run);
        sampler_free(resumed);
    }
    json_decref(space.parameters[1].choices);
}

/* Uniform draws in the logarithm hardly ever hit the large values: most of these come
 * from the search for an unused one. */
static void random_uses_up_a_space_of_100000(void **state)
{
    struct parameter parameters[] = {whole(filters, 1, 100000, 1, true)};
    struct space space = {parameters, 1};
    struct sampler *sampler = sampler_new(SAMPLER_RANDOM, &space, 3, 0);
    json_t *seen = json_object();

    (void)state;
    propose_different(sampler, 0, 100000, seen);
    assert_null(sampler_propose(sampler, 100000));
    json_decref(seen);
    sampler_free(sampler);
}

static void random_gives_up_on_a_range_without_room(void **state)
{
    struct parameter parameters[] = {real(dropout, 1, nextafter(1, 2), false)};
    struct space space = {parameters, 1};
    struct sampler *sampler = sampler_new(SAMPLER_RANDOM, &space, 3, 0);
    json_t *seen = json_object();

    (void)state;
    assert_true(sampler_size(sampler) == 0); /* it looks continuous and has two values */
    propose_different(sampler, 0, 2, seen);
    assert_null(sampler_propose(sampler, 2));
    json_decref(seen);
    sampler_free(sampler);
}

/* ---- grid ---- */

static void grid_goes_through_all_combinations_the_last_fastest(void **state)
{
    struct parameter parameters[] = {
        whole(filters, 16, 32, 16, false),
        real(rate, 0.0625, 1, true),
        {.name = batch_size, .type = PARAMETER_CATEGORICAL, .choices = json_pack("[s,i]", "a", 2)},
    };
    struct space space = {parameters, 3};
    struct sampler *sampler = sampler_new(SAMPLER_GRID, &space, 7, 3);
    static const char *const expected[] = {
        "{\"filters\":16,\"learning_rate\":0.0625,\"batch_size\":\"a\"}",
        "{\"filters\":16,\"learning_rate\":0.0625,\"batch_size\":2}",
        "{\"filters\":16,\"learning_rate\":0.25,\"batch_size\":\"a\"}",
        "{\"filters\":16,\"learning_rate\":0.25,\"batch_size\":2}",
        "{\"filters\":16,\"learning_rate\":1.0,\"batch_size\":\"a\"}",
        "{\"filters\":16,\"learning_rate\":1.0,\"batch_size\":2}",
        "{\"filters\":32,\"learning_rate\":0.0625,\"batch_size\":\"a\"}",
    };

    (void)state;
    assert_true(sampler_size(sampler) == 12);
    for (uint32_t trial = 0; trial < ARRAY_LENGTH(expected); trial++)
        assert_configuration(sampler_propose(sampler, trial), expected[trial]);
    sampler_recall(sampler, 7, NULL); /* its numbers alone say where a grid is */
    assert_configuration(sampler_propose(sampler, 11),
                         "{\"filters\":32,\"learning_rate\":1.0,\"batch_size\":2}");
    assert_null(sampler_propose(sampler, 12));
    json_decref(parameters[2].choices);
    sampler_free(sampler);
}

static void grid_has_the_values_of_each_parameter(void **state)
{
    struct parameter parameters[] = {
        whole(filters, 3, 20, 4, false),
        real(dropout, 0, 0.5, false),
        {.name = flip, .type = PARAMETER_BOOL},
        whole(batch_size, 5, 9, 1, true),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++) {
        struct space space = {&parameters[i], 1};
        struct sampler *sampler = sampler_new(SAMPLER_GRID, &space, 0, 4);
        json_t *values = parameter_grid(&parameters[i], 4);

        assert_true(sampler_size(sampler) == (double)json_array_size(values));
        for (uint32_t k = 0; k < json_array_size(values); k++) {
            json_t *configuration = sampler_propose(sampler, k);

            assert_true(json_equal(json_object_get(configuration, parameters[i].name),
                                   json_array_get(values, k)));
            json_decref(configuration);
        }
        assert_null(sampler_propose(sampler, (uint32_t)json_array_size(values)));
        json_decref(values);
        sampler_free(sampler);
    }
}

static void grid_of_any_size_starts_at_once(void **state)
{
    struct parameter parameters[] = {
        whole(filters, 0, 1e12, 1, false),
        whole(batch_size, 0, 1e12, 1, false),
        real(dropout, 0, 1, false),
    };
    struct space space = {parameters, 3};
    struct sampler *sampler = sampler_new(SAMPLER_GRID, &space, 0, 2);

    (void)state;
    assert_true(sampler_size(sampler) > 1e24);
    assert_configuration(sampler_propose(sampler, UINT32_MAX),
                         "{\"filters\":0,\"batch_size\":2147483647,\"dropout\":1.0}");
    sampler_free(sampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_draws_each_trial_from_a_generator_of_its_own),
        cmocka_unit_test(random_draws_again_from_the_same_generator_what_repeats),
        cmocka_unit_test(random_proposes_every_configuration_of_a_finite_space_once),
        cmocka_unit_test(random_depends_on_the_seed),
        cmocka_unit_test(random_goes_on_from_what_it_recalls),
        cmocka_unit_test(random_uses_up_a_space_of_100000),
        cmocka_unit_test(random_gives_up_on_a_range_without_room),
        cmocka_unit_test(grid_goes_through_all_combinations_the_last_fastest),
        cmocka_unit_test(grid_has_the_values_of_each_parameter),
        cmocka_unit_test(grid_of_any_size_starts_at_once),
    };

    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
