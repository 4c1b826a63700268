#include "trainer/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tiny.h"

enum { SIDE = 1024, IMAGES = 19, CLASSES = 3 };

static void fewer_large_images_are_worked_on_at_once(void **state)
{
    (void)state;
    assert_int_equal(evaluate_piece(500, 784), 500);
    assert_int_equal(evaluate_piece(500, (size_t)SIDE * SIDE), 16);
    assert_int_equal(evaluate_piece(500, (size_t)1 << 28), 1);
}

static struct network *make_network(void)
{
    struct failure why = FAILURE_NONE;
    json_t *model = tiny_json(
        "[{\"type\":\"max_pool\",\"size\":64,\"stride\":0,\"padding\":\"valid\"},"
        "{\"type\":\"flatten\"},"
        "{\"type\":\"dense\",\"units\":3,\"activation\":\"none\",\"weights\":\"he\"}]");
    struct network *network = network_new(model, (struct shape){SIDE, SIDE, 1}, CLASSES, 1, &why);
    json_decref(model);
    assert_non_null(network);
    network_initialize(network, 1, 2);
    return network;
}

/* Each with a bright spot of its own. */
static struct image_set make_images(void)
{
    const size_t pixels = (size_t)SIDE * SIDE;
    struct image_set set = {xcalloc(IMAGES, pixels), xcalloc(IMAGES, sizeof(uint16_t)), IMAGES};
    for (size_t i = 0; i < IMAGES; i++) {
        set.pixels[i * pixels + i * 40000] = 255;
        set.labels[i] = (uint16_t)(i % CLASSES);
    }
    return set;
}

static bool at_once(void *context)
{
    ++*(int *)context;
    return true;
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    const size_t pixels = (size_t)SIDE * SIDE;
    struct network *network = make_network();
    struct image_set set = make_images();
    struct evaluation all, one;
    size_t correct = 0;
    double loss = 0.0;
    assert_int_equal(evaluate_images(network, &set, NULL, NULL, &all), 0);
    for (size_t i = 0; i < IMAGES; i++) {
        struct image_set alone = {set.pixels + i * pixels, set.labels + i, 1};
        assert_int_equal(evaluate_images(network, &alone, NULL, NULL, &one), 0);
        assert_int_equal(all.predicted[i], one.predicted[0]);
        for (size_t c = 0; c < CLASSES; c++)
            assert_float_equal(all.probabilities[i * CLASSES + c], one.probabilities[c], 1e-6);
        correct += one.correct;
        loss += one.loss / IMAGES;
        evaluation_release(&one);
    }
    assert_int_equal(all.correct, correct);
    assert_float_equal(all.loss, loss, 1e-6);
    evaluation_release(&all);

    int asked = 0;
    assert_int_equal(evaluate_images(network, &set, at_once, &asked, &all), 1);
    assert_int_equal(asked, 1);
    evaluation_release(&all);
    free(set.pixels);
    free(set.labels);
    network_free(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_large_images_are_worked_on_at_once),
        cmocka_unit_test(pieces_make_no_difference),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
