#include "trainer/onnx_run.h"

#include "trainer/onnx_call.h"

#include <stdlib.h>
#include <string.h>

/* The input, the constants and what the nodes have made so far. */
struct run {
    const struct onnx_graph *graph;
    struct onnx_tensor input;
    struct onnx_tensor *made; /* [node_count], of each node */
    size_t made_count;
};

static const struct onnx_tensor *find_among(const struct onnx_tensor *tensors, size_t count,
                                            const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tensors[i].name, name) == 0)
            return &tensors[i];
    }
    return NULL;
}

static const struct onnx_tensor *find(const struct run *run, const char *name)
{
    const struct onnx_graph *graph = run->graph;
    const struct onnx_tensor *found = find_among(run->made, run->made_count, name);
    if (!found)
        found = find_among(graph->constants, graph->constant_count, name);
    if (!found)
        found = find_among(&run->input, 1, name);
    return found;
}

static int run_node(struct run *run, const struct onnx_node *node, struct failure *why)
{
    struct onnx_tensor output = {.name = node->output};
    struct onnx_call call = {.node = node, .input_count = node->input_count, .output = &output};
    if (find(run, node->output))
        return fail_input(why, "two values are named '%s'", node->output);
    for (size_t i = 0; i < node->input_count; i++) {
        call.inputs[i] = find(run, node->inputs[i]);
        if (!call.inputs[i])
            return fail_input(why, "%s of '%s' needs '%s', which nothing has made before",
                              node->operator, node->output, node->inputs[i]);
    }
    if (onnx_call(&call, why) < 0)
        return -1;
    run->made[run->made_count++] = output;
    return 0;
}

static int take_output(const struct run *run, const char *name, size_t count, size_t classes,
                       float *values, struct failure *why)
{
    const struct onnx_tensor *output = find(run, name);
    if (!output || output->rank != 2 || output->dims[0] != (int64_t)count ||
        output->dims[1] != (int64_t)classes)
        return fail_input(why, "'%s' is not made, or is not [%zu, %zu]", name, count, classes);
    memcpy(values, output->values, count * classes * sizeof *values);
    return 0;
}

int onnx_run(const struct onnx_graph *graph, const float *input, size_t count,
             const char *output, size_t classes, float *values, struct failure *why)
{
    const int64_t *dims = graph->input_dims;
    struct run run = {
        .graph = graph,
        .input = {graph->input, 4, {(int64_t)count, dims[0], dims[1], dims[2]}, (float *)input},
        .made = xcalloc(graph->node_count, sizeof *run.made),
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < graph->node_count; i++)
        result = run_node(&run, &graph->nodes[i], why);
    if (result == 0)
        result = take_output(&run, output, count, classes, values, why);
    for (size_t i = 0; i < run.made_count; i++)
        free(run.made[i].values);
    free(run.made);
    return result;
}
