#include "trainer/export_c_parts.h"

#include "trainer/layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/export_sample.h"

/* Nobody's, or the images'. */
enum { NOBODY = -2, IMAGES = -1 };

/* Whose values a layer's output are: those of the last layer that runs anything. */
static int owner(const struct export_model *model, int layer)
{
    while (layer >= 0 && c_runs_nothing(&model->layers[layer]))
        layer = model->layers[layer].source;
    return layer;
}

static void assert_there(const struct export_model *model, const struct c_buffers *buffers,
                         const int *holds, int read, int reader)
{
    int wanted = owner(model, read);
    if (wanted == IMAGES) {
        assert_true(read < 0 || buffers->of_layer[read] == -1);
        return;
    }
    if (holds[buffers->of_layer[read]] != wanted)
        fail_msg("layer %d reads %d, but its buffer has %d", reader, wanted,
                 holds[buffers->of_layer[read]]);
}

/* Runs the plan: what each layer reads must still be there, and each buffer large enough. */
static int run_plan(const struct sample_layer *layers, size_t count)
{
    struct sample sample;
    const struct export_model *model = sample_model(&sample, layers, count);
    struct c_buffers buffers = c_buffers_plan(model);
    int holds[SAMPLE_MOST];
    for (size_t i = 0; i < SAMPLE_MOST; i++)
        holds[i] = NOBODY;
    for (int i = 0; i < (int)count; i++) {
        const struct export_layer *layer = &model->layers[i];
        if (c_runs_nothing(layer))
            continue;
        assert_there(model, &buffers, holds, layer->source, i);
        if (strcmp(layer->type, "add") == 0)
            assert_there(model, &buffers, holds, layer->shortcut, i);
        int to = buffers.of_layer[i];
        if (layer->window.size > 0 && layer->source >= 0)
            assert_int_not_equal(to, buffers.of_layer[layer->source]);
        assert_true(buffers.sizes[to] >= shape_size(layer->output));
        holds[to] = i;
    }
    assert_there(model, &buffers, holds, (int)count - 1, (int)count);
    int used = buffers.count;
    c_buffers_release(&buffers);
    return used;
}

static void a_chain_takes_two_buffers(void **state)
{
    (void)state;
    static const struct sample_layer chain[] = {
        {"conv", "conv2d_1", -1, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 4)},
        {"relu", "relu_1", 0, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"conv", "conv2d_2", 1, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 9)},
        {"flatten", "flatten_1", 2, -1, IMAGE(5, 5, 9), VECTOR(225)},
        {"dropout", "dropout_1", 3, -1, VECTOR(225), VECTOR(225)},
        {"dense", "dense_1", 4, -1, VECTOR(225), VECTOR(9)},
        {"dense", "dense_2", 5, -1, VECTOR(9), VECTOR(4)},
        {"dropout", "dropout_2", 6, -1, VECTOR(4), VECTOR(4)},
    };
    assert_int_equal(run_plan(chain, ARRAY_LENGTH(chain)), 2);
}

static void what_a_residual_adds_in_the_end_stays_until_then(void **state)
{
    (void)state;
    static const struct sample_layer residuals[] = {
        {"conv", "conv2d_1", -1, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 4)},
        {"relu", "relu_1", 0, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"conv", "conv2d_2", 1, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"relu", "relu_2", 2, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"add", "add_1", 3, 2, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"conv", "conv2d_3", 4, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"add", "add_2", 5, 1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"relu", "relu_3", 6, -1, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"add", "add_3", 7, 6, IMAGE(5, 5, 4), IMAGE(5, 5, 4)},
        {"flatten", "flatten_1", 8, -1, IMAGE(5, 5, 4), VECTOR(100)},
    };
    assert_int_equal(run_plan(residuals, ARRAY_LENGTH(residuals)), 3);
}

static void the_images_are_read_but_never_written(void **state)
{
    (void)state;
    static const struct sample_layer images[] = {
        {"dropout", "dropout_1", -1, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 1)},
        {"relu", "relu_1", 0, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 1)},
        {"add", "add_1", 1, 0, IMAGE(5, 5, 1), IMAGE(5, 5, 1)},
        {"add", "add_2", 2, -1, IMAGE(5, 5, 1), IMAGE(5, 5, 1)},
    };
    static const struct sample_layer nothing[] = {
        {"flatten", "flatten_1", -1, -1, IMAGE(2, 2, 1), VECTOR(4)}};
    assert_int_equal(run_plan(images, ARRAY_LENGTH(images)), 1);
    assert_int_equal(run_plan(nothing, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_takes_two_buffers),
        cmocka_unit_test(what_a_residual_adds_in_the_end_stays_until_then),
        cmocka_unit_test(the_images_are_read_but_never_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
