/* ONNX files written, read and run: each operator on numbers worked out by hand, and files that
 * are damaged. */
#include "trainer/onnx_run.h"
#include "trainer/onnx_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

/* Images of 1x2x2, unless a test says otherwise. */
static const int64_t small[] = {1, 2, 2};

static void add_node(struct onnx_writer *writer, const char *operator, const char *first,
                     const char *second, const char *output,
                     const struct onnx_attribute *attributes)
{
    const char *const inputs[] = {first, second, NULL};
    onnx_add_node(writer, operator, inputs, output, attributes);
}

/* Runs the nodes on one image; their last value, "y", is flattened for comparison. */
static void assert_runs(struct onnx_writer *writer, const float *image, const float *expected,
                        size_t count)
{
    struct failure why = FAILURE_NONE;
    float values[32];
    add_node(writer, "Flatten", "y", NULL, "out", NULL);
    struct text file = onnx_finish(writer, "graph", "test", "1");
    struct onnx_graph *graph = onnx_read(file.at, file.length, &why);
    if (!graph || onnx_run(graph, image, 1, "out", count, values, &why) < 0)
        fail_msg("%s", why.text);
    for (size_t i = 0; i < count; i++) {
        if (fabsf(values[i] - expected[i]) > 1e-6f)
            fail_msg("value %zu is %g instead of %g", i, (double)values[i], (double)expected[i]);
    }
    onnx_graph_free(graph);
    text_free(&file);
}

static struct onnx_writer begin(const int64_t *dims)
{
    struct onnx_writer writer = {TEXT_EMPTY};
    onnx_add_input(&writer, "x", dims, 3, "images");
    return writer;
}

static void functions_work_value_by_value(void **state)
{
    (void)state;
    static const float image[] = {-2.0f, -0.5f, 0.0f, 1.5f};
    static const struct onnx_attribute alpha[] = {
        {.name = "alpha", .is_real = true, .real = 0.25f}, {0}};
    static const struct {
        const char *operator;
        const struct onnx_attribute *attributes;
        float expected[4];
    } cases[] = {
        {"Relu", NULL, {0.0f, 0.0f, 0.0f, 1.5f}},
        {"LeakyRelu", alpha, {-0.5f, -0.125f, 0.0f, 1.5f}},
        {"LeakyRelu", NULL, {-0.02f, -0.005f, 0.0f, 1.5f}},
        {"Elu", NULL, {-0.864664717f, -0.393469340f, 0.0f, 1.5f}},
        {"Tanh", NULL, {-0.964027580f, -0.462117157f, 0.0f, 0.905148254f}},
        {"Sigmoid", NULL, {0.119202922f, 0.377540669f, 0.5f, 0.817574476f}},
        {"Erf", NULL, {-0.995322265f, -0.520499878f, 0.0f, 0.966105146f}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct onnx_writer writer = begin(small);
        add_node(&writer, cases[i].operator, "x", NULL, "y", cases[i].attributes);
        assert_runs(&writer, image, cases[i].expected, 4);
    }
}

static void arithmetic_takes_two_values_or_a_number(void **state)
{
    (void)state;
    static const float image[] = {1.0f, 2.0f, 3.0f, 4.0f}, two = 2.0f;
    static const int64_t one[] = {1};
    static const struct {
        const char *operator, *second;
        float expected[4];
    } cases[] = {
        {"Add", "two", {3.0f, 4.0f, 5.0f, 6.0f}},  {"Add", "x", {2.0f, 4.0f, 6.0f, 8.0f}},
        {"Mul", "two", {2.0f, 4.0f, 6.0f, 8.0f}},  {"Mul", "x", {1.0f, 4.0f, 9.0f, 16.0f}},
        {"Div", "two", {0.5f, 1.0f, 1.5f, 2.0f}},  {"Div", "x", {1.0f, 1.0f, 1.0f, 1.0f}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct onnx_writer writer = begin(small);
        onnx_add_constant(&writer, "two", one, 1, &two);
        add_node(&writer, cases[i].operator, "x", cases[i].second, "y", NULL);
        assert_runs(&writer, image, cases[i].expected, 4);
    }
}

static void vectors_are_multiplied_and_shared_out(void **state)
{
    (void)state;
    static const float image[] = {1.0f, 2.0f, 3.0f, 4.0f};
    static const float weights[] = {1.0f, 0.0f, 0.0f, 2.0f, 0.5f, 0.5f, 0.5f, 0.5f};
    static const float bias[] = {0.0f, -4.0f};
    static const int64_t dims[] = {2, 4};
    static const struct onnx_attribute transposed[] = {{.name = "transB", .integer = 1}, {0}};
    static const struct onnx_attribute axis[] = {{.name = "axis", .integer = 1}, {0}};
    const char *const inputs[] = {"row", "w", "b", NULL};
    for (int softmax = 0; softmax < 2; softmax++) {
        struct onnx_writer writer = begin(small);
        onnx_add_constant(&writer, "w", dims, 2, weights);
        onnx_add_constant(&writer, "b", dims, 1, bias);
        add_node(&writer, "Flatten", "x", NULL, "row", NULL);
        onnx_add_node(&writer, "Gemm", inputs, softmax ? "product" : "y", transposed);
        if (softmax)
            add_node(&writer, "Softmax", "product", NULL, "y", axis);
        /* 1 + 8 and 5 - 4 */
        assert_runs(&writer, image,
                    softmax ? (const float[]){0.999664650f, 0.000335350f}
                            : (const float[]){9.0f, 1.0f}, 2);
    }
}

static void an_image_is_turned_normalized_and_averaged(void **state)
{
    (void)state;
    static const int64_t dims[] = {2, 1, 2}, two[] = {2}, last[] = {0, 2, 3, 1};
    static const float image[] = {1.0f, 3.0f, 10.0f, 30.0f};
    static const float gamma[] = {2.0f, 1.0f}, beta[] = {0.0f, 5.0f}, mean[] = {1.0f, 20.0f};
    static const float variance[] = {3.0f, 24.0f};
    static const struct onnx_attribute turn[] = {{.name = "perm", .integers = last, .count = 4},
                                                 {0}};
    static const struct onnx_attribute epsilon[] = {
        {.name = "epsilon", .is_real = true, .real = 1.0f}, {0}};
    const char *const inputs[] = {"x", "gamma", "beta", "mean", "variance", NULL};

    struct onnx_writer writer = begin(dims);
    add_node(&writer, "Transpose", "x", NULL, "y", turn);
    assert_runs(&writer, image, (const float[]){1.0f, 10.0f, 3.0f, 30.0f}, 4);

    writer = begin(dims);
    onnx_add_constant(&writer, "gamma", two, 1, gamma);
    onnx_add_constant(&writer, "beta", two, 1, beta);
    onnx_add_constant(&writer, "mean", two, 1, mean);
    onnx_add_constant(&writer, "variance", two, 1, variance);
    onnx_add_node(&writer, "BatchNormalization", inputs, "y", epsilon);
    assert_runs(&writer, image, (const float[]){0.0f, 2.0f, 3.0f, 7.0f}, 4);

    writer = begin(dims);
    add_node(&writer, "GlobalAveragePool", "x", NULL, "y", NULL);
    assert_runs(&writer, image, (const float[]){2.0f, 20.0f}, 2);
}

/* Windows of 2x2 over an image of 2x3, at stride 2, with a row and a column of padding behind. */
static void windows_leave_padding_out(void **state)
{
    (void)state;
    static const int64_t dims[] = {1, 2, 3}, filter[] = {1, 1, 2, 2};
    static const int64_t two[] = {2, 2}, behind[] = {0, 0, 1, 1};
    static const float image[] = {-1.0f, -2.0f, -3.0f, -4.0f, -5.0f, -6.0f};
    static const float weights[] = {1.0f, 10.0f, 100.0f, 1000.0f};
    static const struct onnx_attribute window[] = {
        {.name = "kernel_shape", .integers = two, .count = 2},
        {.name = "strides", .integers = two, .count = 2},
        {.name = "pads", .integers = behind, .count = 4},
        {0}};
    static const struct {
        const char *operator, *second;
        float expected[2];
    } cases[] = {
        {"MaxPool", NULL, {-1.0f, -3.0f}},
        {"AveragePool", NULL, {-3.0f, -4.5f}},
        {"Conv", "w", {-5421.0f, -603.0f}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct onnx_writer writer = begin(dims);
        onnx_add_constant(&writer, "w", filter, 4, weights);
        add_node(&writer, cases[i].operator, "x", cases[i].second, "y", window);
        assert_runs(&writer, image, cases[i].expected, 2);
    }
}

/* ---- what does not fit ---- */

static void assert_not_run(struct onnx_writer *writer, const char *complaint)
{
    struct failure why = FAILURE_NONE;
    const float image[4] = {0};
    float values[4];
    struct text file = onnx_finish(writer, "graph", "test", "1");
    struct onnx_graph *graph = onnx_read(file.at, file.length, &why);
    assert_non_null(graph);
    assert_int_equal(onnx_run(graph, image, 1, "y", 4, values, &why), -1);
    if (!strstr(why.text, complaint))
        fail_msg("'%s' does not say '%s'", why.text, complaint);
    failure_clear(&why);
    onnx_graph_free(graph);
    text_free(&file);
}

static void a_graph_that_does_not_fit_is_not_run(void **state)
{
    (void)state;
    static const int64_t three[] = {3};
    static const float numbers[] = {1.0f, 2.0f, 3.0f};
    static const struct {
        const char *operator, *first, *second, *output, *complaint;
    } cases[] = {
        {"Relu", "z", NULL, "y", "needs 'z'"},
        {"Relu", "y", NULL, "y", "needs 'y'"},
        {"Relu", "x", NULL, "x", "two values are named 'x'"},
        {"Relu", "x", NULL, "other", "'y' is not made"},
        {"Relu", "x", NULL, "y", "is not [1, 4]"}, /* an image */
        {"Relu", "x", "x", "y", "do not fit"},
        {"Gelu", "x", NULL, "y", "Gelu"},
        {"Add", "x", "three", "y", "do not fit"},
        {"Add", "x", NULL, "y", "do not fit"},
        {"Gemm", "x", "three", "y", "do not fit"},
        {"Conv", "x", "three", "y", "do not fit"},
        {"MaxPool", "x", NULL, "y", "do not fit"},
        {"Transpose", "x", NULL, "y", "do not fit"},
        {"Softmax", "x", NULL, "y", "do not fit"},
        {"BatchNormalization", "x", "three", "y", "do not fit"},
        {"GlobalAveragePool", "three", NULL, "y", "do not fit"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct onnx_writer writer = begin(small);
        onnx_add_constant(&writer, "three", three, 1, numbers);
        add_node(&writer, cases[i].operator, cases[i].first, cases[i].second, cases[i].output,
                 NULL);
        assert_not_run(&writer, cases[i].complaint);
    }
}

/* No writer of ours makes them, but a damaged file may have them: sums that overflow, windows on
 * padding alone, an index twice, more numbers than there is memory for. */
static void settings_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const int64_t one[] = {1, 1}, none[] = {0, 0, 0, 0}, around[] = {1, 1, 1, 1};
    static const int64_t far[] = {INT64_MAX, 0, INT64_MAX, 0}, wide[] = {1 << 17, 1 << 17};
    static const int64_t almost[] = {(1 << 17) - 1, (1 << 17) - 1, (1 << 17) - 1, (1 << 17) - 1};
    static const int64_t twice[] = {0, 1, 1, 3};
    static const struct {
        const char *operator;
        const int64_t *size, *pads, *turn;
        const char *complaint;
    } cases[] = {
        {"MaxPool", one, far, none, "do not fit"},
        {"AveragePool", one, around, none, "do not fit"},
        {"MaxPool", wide, almost, none, "too large"},
        {"Transpose", one, none, twice, "do not fit"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct onnx_writer writer = begin(small);
        const struct onnx_attribute attributes[] = {
            {.name = "kernel_shape", .integers = cases[i].size, .count = 2},
            {.name = "strides", .integers = one, .count = 2},
            {.name = "pads", .integers = cases[i].pads, .count = 4},
            {.name = "perm", .integers = cases[i].turn, .count = 4},
            {0}};
        add_node(&writer, cases[i].operator, "x", NULL, "y", attributes);
        assert_not_run(&writer, cases[i].complaint);
    }
}

static void a_number_alone_has_no_rows(void **state)
{
    (void)state;
    static const float number = 1.0f;
    struct onnx_writer writer = begin(small);
    onnx_add_constant(&writer, "number", NULL, 0, &number);
    add_node(&writer, "Flatten", "number", NULL, "y", NULL);
    assert_not_run(&writer, "do not fit");
}

/* ---- damage ---- */

static struct text whole_file(void)
{
    static const int64_t filter[] = {1, 1, 1, 1}, one[] = {1, 1}, none[] = {0, 0, 0, 0};
    static const float weight = 3.0f;
    static const struct onnx_attribute window[] = {
        {.name = "kernel_shape", .integers = one, .count = 2},
        {.name = "strides", .integers = one, .count = 2},
        {.name = "pads", .integers = none, .count = 4},
        {0}};
    struct onnx_writer writer = begin(small);
    onnx_add_constant(&writer, "w", filter, 4, &weight);
    add_node(&writer, "Conv", "x", "w", "image", window);
    add_node(&writer, "Flatten", "image", NULL, "y", NULL);
    onnx_add_output(&writer, "y", one, 1, "");
    return onnx_finish(&writer, "graph", "test", "1");
}

/* From memory that ends where the file does, so that a read behind it is seen. */
static void read_and_run(const char *bytes, size_t size, bool refused)
{
    static const float image[] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f};
    float values[8];
    struct failure why = FAILURE_NONE;
    char *copy = xmalloc(size + 1);
    memcpy(copy, bytes, size);
    copy = xrealloc(copy, size > 0 ? size : 1);
    struct onnx_graph *graph = onnx_read(copy, size, &why);
    if (refused)
        assert_null(graph);
    if (graph && memcmp(graph->input_dims, small, sizeof small) == 0)
        onnx_run(graph, image, 1, "y", 4, values, &why);
    onnx_graph_free(graph);
    failure_clear(&why);
    free(copy);
}

static void a_file_that_ends_early_is_refused(void **state)
{
    (void)state;
    struct text file = whole_file();
    for (size_t size = 0; size < file.length; size++)
        read_and_run(file.at, size, true);
    read_and_run(file.at, file.length, false);
    text_free(&file);
}

static void a_file_with_a_wrong_byte_does_no_harm(void **state)
{
    (void)state;
    struct text file = whole_file();
    for (size_t i = 0; i < file.length; i++) {
        char right = file.at[i];
        for (int bit = 0; bit < 8; bit++) {
            file.at[i] = (char)(right ^ 1 << bit);
            read_and_run(file.at, file.length, false);
        }
        file.at[i] = right;
    }
    text_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_work_value_by_value),
        cmocka_unit_test(arithmetic_takes_two_values_or_a_number),
        cmocka_unit_test(vectors_are_multiplied_and_shared_out),
        cmocka_unit_test(an_image_is_turned_normalized_and_averaged),
        cmocka_unit_test(windows_leave_padding_out),
        cmocka_unit_test(a_graph_that_does_not_fit_is_not_run),
        cmocka_unit_test(settings_that_cannot_be_are_refused),
        cmocka_unit_test(a_number_alone_has_no_rows),
        cmocka_unit_test(a_file_that_ends_early_is_refused),
        cmocka_unit_test(a_file_with_a_wrong_byte_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
