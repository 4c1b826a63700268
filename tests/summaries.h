/* What a network says of its layers; after <cmocka.h>. */
#ifndef TESTS_SUMMARIES_H
#define TESTS_SUMMARIES_H

#include "trainer/network.h"

/* Each layer's summary is the expected one, and their sums are the network's. */
static inline void assert_summaries(const struct network *network, size_t count,
                                    const struct layer_summary *expected /* [count] */)
{
    size_t parameters = 0;
    double flops = 0.0;
    assert_int_equal(network_layer_count(network), count);
    for (size_t i = 0; i < count; i++) {
        struct layer_summary summary;
        network_layer(network, i, &summary);
        assert_string_equal(summary.name, expected[i].name);
        assert_string_equal(summary.type, expected[i].type);
        assert_memory_equal(&summary.output, &expected[i].output, sizeof summary.output);
        assert_int_equal(summary.flat, expected[i].flat);
        assert_int_equal(summary.parameters, expected[i].parameters);
        assert_true(summary.flops == expected[i].flops);
        parameters += summary.parameters;
        flops += summary.flops;
    }
    assert_int_equal(network_parameter_count(network), parameters);
    assert_true(network_flops(network) == flops);
}

#endif
