#include "trainer/onnx_read.h"

#include "trainer/onnx_fields.h"
#include "trainer/protobuf_read.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of one value. */
static const size_t VALUES_MOST = (size_t)1 << 30;

static char *take_string(const struct protobuf_field *field)
{
    return xstrndup(field->is_sized ? (const char *)field->bytes : "", field->size);
}

static void replace_string(char **string, const struct protobuf_field *field)
{
    free(*string);
    *string = take_string(field);
}

/* ---- constants ---- */

size_t onnx_size(const struct onnx_tensor *tensor)
{
    size_t size = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        size *= (size_t)tensor->dims[i];
    return size;
}

bool onnx_is_too_large(const struct onnx_tensor *tensor)
{
    size_t most = VALUES_MOST;
    for (size_t i = 0; i < tensor->rank; i++)
        most /= (size_t)tensor->dims[i];
    return most == 0;
}

static bool add_dim(int64_t *dims, size_t *rank, size_t most, int64_t dim)
{
    if (*rank == most || dim < 1 || (uint64_t)dim > VALUES_MOST)
        return false;
    dims[(*rank)++] = dim;
    return true;
}

static bool take_values(struct onnx_tensor *tensor, const struct protobuf_field *field)
{
    size_t count = onnx_size(tensor);
    if (onnx_is_too_large(tensor) || field->size != count * sizeof(float) || tensor->values)
        return false;
    tensor->values = xreallocarray(NULL, count, sizeof(float));
    for (size_t i = 0; i < count; i++)
        tensor->values[i] = protobuf_float_at(field, i);
    return true;
}

/* Dims before values, as they are written. */
static bool read_constant(const struct protobuf_field *from, struct onnx_tensor *tensor)
{
    struct protobuf reader = protobuf_begin(from->bytes, from->size);
    struct protobuf_field field;
    bool good = from->is_sized;
    while (good && protobuf_next(&reader, &field)) {
        if (field.number == TENSOR_DIMS)
            good = !tensor->values &&
                   add_dim(tensor->dims, &tensor->rank, ONNX_RANK, field.integer);
        else if (field.number == TENSOR_TYPE)
            good = field.integer == TENSOR_FLOAT;
        else if (field.number == TENSOR_NAME)
            replace_string(&tensor->name, &field);
        else if (field.number == TENSOR_BYTES)
            good = take_values(tensor, &field);
    }
    return good && !reader.damaged && tensor->name && tensor->values;
}

/* ---- nodes ---- */

static bool read_setting(const struct protobuf_field *from, struct onnx_setting *setting)
{
    struct protobuf reader = protobuf_begin(from->bytes, from->size);
    struct protobuf_field field;
    bool good = from->is_sized;
    while (good && protobuf_next(&reader, &field)) {
        if (field.number == ATTRIBUTE_NAME)
            replace_string(&setting->name, &field);
        else if (field.number == ATTRIBUTE_REAL)
            setting->real = protobuf_float(&field);
        else if (field.number == ATTRIBUTE_INTEGER || field.number == ATTRIBUTE_INTEGERS)
            if ((good = setting->count < ONNX_RANK))
                setting->integers[setting->count++] = field.integer;
    }
    return good && !reader.damaged && setting->name;
}

static bool read_node(const struct protobuf_field *from, struct onnx_node *node)
{
    struct protobuf reader = protobuf_begin(from->bytes, from->size);
    struct protobuf_field field;
    bool good = from->is_sized;
    while (good && protobuf_next(&reader, &field)) {
        if (field.number == NODE_INPUT && (good = node->input_count < ONNX_INPUTS))
            node->inputs[node->input_count++] = take_string(&field);
        else if (field.number == NODE_OUTPUT)
            replace_string(&node->output, &field);
        else if (field.number == NODE_OPERATOR)
            replace_string(&node->operator, &field);
        else if (field.number == NODE_ATTRIBUTE &&
                 (good = node->setting_count < ONNX_ATTRIBUTES))
            good = read_setting(&field, &node->settings[node->setting_count++]);
    }
    return good && !reader.damaged && node->output && node->operator && node->input_count > 0;
}

/* ---- the input ---- */

/* Steps into the message that is the field `number` of this one; false if there is none. */
static bool enter(struct protobuf *reader, unsigned number)
{
    struct protobuf_field field;
    while (protobuf_next(reader, &field)) {
        if (field.number == number && field.is_sized) {
            *reader = protobuf_begin(field.bytes, field.size);
            return true;
        }
    }
    return false;
}

static bool read_shape(struct protobuf reader, int64_t *dims, size_t most)
{
    struct protobuf_field field, dim;
    size_t rank = 0, sizes = 0;
    bool good = true;
    while (good && protobuf_next(&reader, &field)) {
        struct protobuf inner = protobuf_begin(field.bytes, field.size);
        good = field.is_sized && protobuf_next(&inner, &dim);
        if (good && rank++ > 0) /* the first is [batch] */
            good = dim.number == DIM_VALUE && add_dim(dims, &sizes, most, dim.integer);
        else
            good = good && dim.number == DIM_NAME;
    }
    return good && !reader.damaged && sizes == most;
}

static bool read_input(const struct protobuf_field *from, struct onnx_graph *graph)
{
    struct protobuf reader = protobuf_begin(from->bytes, from->size), shape = reader;
    struct protobuf_field field;
    bool good = from->is_sized && !graph->input;
    while (good && protobuf_next(&reader, &field)) {
        if (field.number == VALUE_NAME)
            replace_string(&graph->input, &field);
    }
    return good && !reader.damaged && graph->input && enter(&shape, VALUE_TYPE) &&
           enter(&shape, TYPE_TENSOR) && enter(&shape, TENSOR_TYPE_SHAPE) &&
           read_shape(shape, graph->input_dims, ARRAY_LENGTH(graph->input_dims));
}

/* ---- the whole ---- */

static struct onnx_node *more_nodes(struct onnx_graph *graph)
{
    graph->nodes = xreallocarray(graph->nodes, graph->node_count + 1, sizeof *graph->nodes);
    struct onnx_node *node = &graph->nodes[graph->node_count++];
    *node = (struct onnx_node){0};
    return node;
}

static struct onnx_tensor *more_constants(struct onnx_graph *graph)
{
    graph->constants =
        xreallocarray(graph->constants, graph->constant_count + 1, sizeof *graph->constants);
    struct onnx_tensor *constant = &graph->constants[graph->constant_count++];
    *constant = (struct onnx_tensor){0};
    return constant;
}

static bool read_graph(const struct protobuf_field *from, struct onnx_graph *graph)
{
    struct protobuf reader = protobuf_begin(from->bytes, from->size);
    struct protobuf_field field;
    bool good = from->is_sized;
    while (good && protobuf_next(&reader, &field)) {
        if (field.number == GRAPH_NODE)
            good = read_node(&field, more_nodes(graph));
        else if (field.number == GRAPH_INITIALIZER)
            good = read_constant(&field, more_constants(graph));
        else if (field.number == GRAPH_INPUT)
            good = read_input(&field, graph);
    }
    return good && !reader.damaged && graph->input && graph->node_count > 0;
}

struct onnx_graph *onnx_read(const void *bytes, size_t size, struct failure *why)
{
    struct protobuf reader = protobuf_begin(bytes, size);
    struct protobuf_field field;
    struct onnx_graph *graph = xcalloc(1, sizeof *graph);
    bool good = true, found = false;
    while (good && protobuf_next(&reader, &field)) {
        if (field.number == MODEL_GRAPH && (good = !found)) {
            good = read_graph(&field, graph);
            found = true;
        }
    }
    if (good && found && !reader.damaged)
        return graph;
    onnx_graph_free(graph);
    fail_input(why, "this is no ONNX file, is damaged, or has what this program does not write");
    return NULL;
}

static void release_node(struct onnx_node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        free(node->inputs[i]);
    for (size_t i = 0; i < node->setting_count; i++)
        free(node->settings[i].name);
    free(node->operator);
    free(node->output);
}

void onnx_graph_free(struct onnx_graph *graph)
{
    if (!graph)
        return;
    for (size_t i = 0; i < graph->node_count; i++)
        release_node(&graph->nodes[i]);
    for (size_t i = 0; i < graph->constant_count; i++) {
        free(graph->constants[i].name);
        free(graph->constants[i].values);
    }
    free(graph->nodes);
    free(graph->constants);
    free(graph->input);
    free(graph);
}
