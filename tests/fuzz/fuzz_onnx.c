/* The bytes are an ONNX file.  A graph that is accepted is whole; one that asks for little work
 * is run on two images as well. */
#include "tests/fuzz/fuzz.h"

#include "trainer/onnx_run.h"

#include <stdlib.h>

/* What is run: the reader takes whatever its own program writes, which may run for minutes. */
enum { NODES_MOST = 6, VALUES_MOST = 64, SETTING_MOST = 4 };
enum { IMAGES = 2, CLASSES = 3 };

static void check_constant(const struct onnx_tensor *constant)
{
    fuzz_expect(constant->name && constant->values && constant->rank <= ONNX_RANK,
                "a constant has a name and values");
    for (size_t i = 0; i < constant->rank; i++)
        fuzz_expect(constant->dims[i] > 0, "sizes are positive");
    float sum = 0.0f;
    for (size_t i = 0; i < onnx_size(constant); i++)
        sum += constant->values[i];
    fuzz_expect(sum <= 0.0f || sum > 0.0f || sum != sum, "every value can be read");
}

static void check_node(const struct onnx_node *node)
{
    fuzz_expect(node->operator && node->output && node->input_count > 0 &&
                node->input_count <= ONNX_INPUTS && node->setting_count <= ONNX_ATTRIBUTES,
                "a node has an operator, inputs and an output");
    for (size_t i = 0; i < node->input_count; i++)
        fuzz_expect(node->inputs[i] != NULL, "an input has a name");
    for (size_t i = 0; i < node->setting_count; i++)
        fuzz_expect(node->settings[i].name && node->settings[i].count <= ONNX_RANK,
                    "a setting has a name");
}

static void check(const struct onnx_graph *graph)
{
    fuzz_expect(graph->input && graph->node_count > 0, "a graph has an input and nodes");
    for (size_t i = 0; i < ARRAY_LENGTH(graph->input_dims); i++)
        fuzz_expect(graph->input_dims[i] > 0, "sizes are positive");
    for (size_t i = 0; i < graph->constant_count; i++)
        check_constant(&graph->constants[i]);
    for (size_t i = 0; i < graph->node_count; i++)
        check_node(&graph->nodes[i]);
}

/* Settings out of every range are refused, and so are no work either. */
static bool is_quick_node(const struct onnx_node *node)
{
    for (size_t i = 0; i < node->setting_count; i++) {
        for (size_t k = 0; k < node->settings[i].count; k++) {
            int64_t value = node->settings[i].integers[k];
            if (value > SETTING_MOST && value < INT64_MAX / 4)
                return false;
        }
    }
    return true;
}

static bool is_quick(const struct onnx_graph *graph)
{
    int64_t pixels = 1;
    for (size_t i = 0; i < ARRAY_LENGTH(graph->input_dims) && pixels <= VALUES_MOST; i++)
        pixels *= graph->input_dims[i];
    if (pixels > VALUES_MOST || graph->node_count > NODES_MOST)
        return false;
    for (size_t i = 0; i < graph->constant_count; i++) {
        if (onnx_size(&graph->constants[i]) > VALUES_MOST)
            return false;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        if (!is_quick_node(&graph->nodes[i]))
            return false;
    }
    return true;
}

static void run(const struct onnx_graph *graph)
{
    float images[IMAGES * VALUES_MOST], classes[IMAGES * CLASSES];
    struct failure why = FAILURE_NONE;
    for (size_t i = 0; i < ARRAY_LENGTH(images); i++)
        images[i] = (float)i / 7.0f - 3.0f;
    fuzz_judge(onnx_run(graph, images, IMAGES, graph->nodes[graph->node_count - 1].output,
                        CLASSES, classes, &why) == 0, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    struct onnx_graph *graph = onnx_read(bytes, size, &why);
    fuzz_judge(graph != NULL, &why);
    if (graph)
        check(graph);
    if (graph && is_quick(graph))
        run(graph);
    onnx_graph_free(graph);
    return 0;
}
