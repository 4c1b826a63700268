#include "trainer/onnx_write.h"

#include "trainer/onnx_fields.h"
#include "trainer/protobuf_write.h"

void onnx_add_constant(struct onnx_writer *writer, const char *name, const int64_t *dims,
                       size_t rank, const float *values)
{
    struct text tensor = TEXT_EMPTY;
    size_t count = 1;
    for (size_t i = 0; i < rank; i++) {
        protobuf_add_integer(&tensor, TENSOR_DIMS, dims[i]);
        count *= (size_t)dims[i];
    }
    protobuf_add_integer(&tensor, TENSOR_TYPE, TENSOR_FLOAT);
    protobuf_add_string(&tensor, TENSOR_NAME, name);
    protobuf_add_float_bytes(&tensor, TENSOR_BYTES, values, count);
    protobuf_add_message(&writer->graph, GRAPH_INITIALIZER, &tensor);
}

static void add_attribute(struct text *node, const struct onnx_attribute *attribute)
{
    struct text message = TEXT_EMPTY;
    enum attribute_type type = attribute->integers  ? TYPE_INTEGERS
                               : attribute->is_real ? TYPE_REAL
                                                    : TYPE_INTEGER;
    protobuf_add_string(&message, ATTRIBUTE_NAME, attribute->name);
    if (type == TYPE_REAL)
        protobuf_add_float(&message, ATTRIBUTE_REAL, attribute->real);
    if (type == TYPE_INTEGER)
        protobuf_add_integer(&message, ATTRIBUTE_INTEGER, attribute->integer);
    for (size_t i = 0; type == TYPE_INTEGERS && i < attribute->count; i++)
        protobuf_add_integer(&message, ATTRIBUTE_INTEGERS, attribute->integers[i]);
    protobuf_add_integer(&message, ATTRIBUTE_TYPE, type);
    protobuf_add_message(node, NODE_ATTRIBUTE, &message);
}

void onnx_add_node(struct onnx_writer *writer, const char *operator, const char *const *inputs,
                   const char *output, const struct onnx_attribute *attributes)
{
    struct text node = TEXT_EMPTY;
    for (size_t i = 0; inputs[i]; i++)
        protobuf_add_string(&node, NODE_INPUT, inputs[i]);
    protobuf_add_string(&node, NODE_OUTPUT, output);
    protobuf_add_string(&node, NODE_NAME, output);
    protobuf_add_string(&node, NODE_OPERATOR, operator);
    for (size_t i = 0; attributes && attributes[i].name; i++)
        add_attribute(&node, &attributes[i]);
    protobuf_add_message(&writer->graph, GRAPH_NODE, &node);
}

/* A size that is known, or one that has a name. */
static void add_dim(struct text *shape, const char *name, int64_t value)
{
    struct text dim = TEXT_EMPTY;
    if (name)
        protobuf_add_string(&dim, DIM_NAME, name);
    else
        protobuf_add_integer(&dim, DIM_VALUE, value);
    protobuf_add_message(shape, SHAPE_DIM, &dim);
}

static void add_value(struct onnx_writer *writer, enum graph_field field, const char *name,
                      const int64_t *dims, size_t rank, const char *description)
{
    struct text shape = TEXT_EMPTY, tensor = TEXT_EMPTY, type = TEXT_EMPTY, value = TEXT_EMPTY;
    add_dim(&shape, "batch", 0);
    for (size_t i = 0; i < rank; i++)
        add_dim(&shape, NULL, dims[i]);
    protobuf_add_integer(&tensor, TENSOR_TYPE_ELEMENT, TENSOR_FLOAT);
    protobuf_add_message(&tensor, TENSOR_TYPE_SHAPE, &shape);
    protobuf_add_message(&type, TYPE_TENSOR, &tensor);
    protobuf_add_string(&value, VALUE_NAME, name);
    protobuf_add_message(&value, VALUE_TYPE, &type);
    protobuf_add_string(&value, VALUE_DESCRIPTION, description);
    protobuf_add_message(&writer->graph, field, &value);
}

void onnx_add_input(struct onnx_writer *writer, const char *name, const int64_t *dims,
                    size_t rank, const char *description)
{
    add_value(writer, GRAPH_INPUT, name, dims, rank, description);
}

void onnx_add_output(struct onnx_writer *writer, const char *name, const int64_t *dims,
                     size_t rank, const char *description)
{
    add_value(writer, GRAPH_OUTPUT, name, dims, rank, description);
}

struct text onnx_finish(struct onnx_writer *writer, const char *name, const char *producer,
                        const char *version)
{
    struct text model = TEXT_EMPTY, opset = TEXT_EMPTY;
    protobuf_add_integer(&model, MODEL_IR_VERSION, ONNX_IR_VERSION);
    protobuf_add_string(&model, MODEL_PRODUCER_NAME, producer);
    protobuf_add_string(&model, MODEL_PRODUCER_VERSION, version);
    protobuf_add_string(&opset, OPSET_DOMAIN, "");
    protobuf_add_integer(&opset, OPSET_VERSION, ONNX_OPSET);
    protobuf_add_message(&model, MODEL_OPSET_IMPORT, &opset);
    protobuf_add_string(&writer->graph, GRAPH_NAME, name);
    protobuf_add_message(&model, MODEL_GRAPH, &writer->graph);
    return model;
}
