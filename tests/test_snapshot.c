#include "trainer/snapshot.h"

#include "trainer/floats.h"
#include "trainer/network_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tiny.h"

enum { PARAMETERS = 37, STATISTICS = 5 };

/* Only the blocks count here: a network with the numbers that the test wants, and with
 * statistics whatever its layers are. */
static struct network network_of_blocks(void)
{
    struct network network = {.parameter_count = PARAMETERS, .statistic_count = STATISTICS};
    network.parameters = floats_new(PARAMETERS);
    network.statistics = floats_new(STATISTICS);
    return network;
}

static void release(struct network *network)
{
    free(network->parameters);
    free(network->statistics);
}

/* Other numbers for every `salt`. */
static void set_weights(struct network *network, size_t salt)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        network->parameters[i] = (float)tiny_number(i, salt);
    for (size_t i = 0; i < STATISTICS; i++)
        network->statistics[i] = (float)tiny_number(PARAMETERS + i, salt);
}

static void assert_weights(const float *parameters, const float *statistics, size_t salt)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        assert_true(parameters[i] == (float)tiny_number(i, salt));
    for (size_t i = 0; i < STATISTICS; i++)
        assert_true(statistics[i] == (float)tiny_number(PARAMETERS + i, salt));
}

static void a_snapshot_is_a_copy(void **state)
{
    (void)state;
    struct network network = network_of_blocks();
    set_weights(&network, 1);
    struct snapshot *snapshot = snapshot_new(&network);
    set_weights(&network, 2);
    assert_weights(snapshot->parameters, snapshot->statistics, 1);
    snapshot_take(snapshot, &network);
    set_weights(&network, 3);
    assert_weights(snapshot->parameters, snapshot->statistics, 2);
    snapshot_free(snapshot);
    release(&network);
}

static void swapping_twice_brings_each_back(void **state)
{
    (void)state;
    struct network network = network_of_blocks();
    set_weights(&network, 1);
    struct snapshot *snapshot = snapshot_new(&network);
    set_weights(&network, 2);
    snapshot_swap(snapshot, &network);
    assert_weights(network.parameters, network.statistics, 1);
    assert_weights(snapshot->parameters, snapshot->statistics, 2);
    snapshot_swap(snapshot, &network);
    assert_weights(network.parameters, network.statistics, 2);
    assert_weights(snapshot->parameters, snapshot->statistics, 1);
    snapshot_free(snapshot);
    release(&network);
}

/* Against the formula in double precision, over steps of which the first have the smaller
 * decay: with 0.9 the eighty-first is the first that has not. */
static void the_average_follows_its_formula(void **state)
{
    (void)state;
    static const double decays[] = {0.0, 0.5, 0.9, 0.999};
    for (size_t d = 0; d < ARRAY_LENGTH(decays); d++) {
        struct network network = network_of_blocks();
        double expected[PARAMETERS + STATISTICS];
        set_weights(&network, 0);
        struct snapshot *average = snapshot_new(&network);
        for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
            expected[i] = tiny_number(i, 0);
        for (unsigned t = 1; t <= 100; t++) {
            double decay = (1.0 + t) / (10.0 + t);
            if (decay > decays[d])
                decay = decays[d];
            set_weights(&network, t);
            snapshot_average(average, &network, decays[d], t);
            for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
                expected[i] = decay * expected[i] + (1.0 - decay) * tiny_number(i, t);
                double value = i < PARAMETERS ? (double)average->parameters[i]
                                              : (double)average->statistics[i - PARAMETERS];
                assert_true(fabs(value - expected[i]) < 1e-6);
            }
        }
        snapshot_free(average);
        release(&network);
    }
}

static void weights_that_stand_still_are_their_own_average(void **state)
{
    (void)state;
    struct network network = network_of_blocks();
    set_weights(&network, 1);
    struct snapshot *average = snapshot_new(&network);
    for (unsigned t = 1; t <= 1000; t++)
        snapshot_average(average, &network, 0.99, t);
    assert_weights(average->parameters, average->statistics, 1);
    snapshot_free(average);
    release(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_is_a_copy),
        cmocka_unit_test(swapping_twice_brings_each_back),
        cmocka_unit_test(the_average_follows_its_formula),
        cmocka_unit_test(weights_that_stand_still_are_their_own_average),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
