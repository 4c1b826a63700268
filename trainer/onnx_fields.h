/* Numbers of the fields of ONNX's messages, and of its types, as onnx.proto has them. */
#ifndef TRAINER_ONNX_FIELDS_H
#define TRAINER_ONNX_FIELDS_H

enum model_field {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER_NAME = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET_IMPORT = 8
};
enum opset_field { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum graph_field {
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12
};
enum node_field {
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OPERATOR = 4,
    NODE_ATTRIBUTE = 5
};
enum attribute_field {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_REAL = 2,
    ATTRIBUTE_INTEGER = 3,
    ATTRIBUTE_INTEGERS = 8,
    ATTRIBUTE_TYPE = 20
};
enum attribute_type { TYPE_REAL = 1, TYPE_INTEGER = 2, TYPE_INTEGERS = 7 };
enum tensor_field { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_BYTES = 9 };
enum tensor_type { TENSOR_FLOAT = 1 };
enum value_field { VALUE_NAME = 1, VALUE_TYPE = 2, VALUE_DESCRIPTION = 3 };
enum type_field { TYPE_TENSOR = 1 };
enum tensor_type_field { TENSOR_TYPE_ELEMENT = 1, TENSOR_TYPE_SHAPE = 2 };
enum shape_field { SHAPE_DIM = 1 };
enum dim_field { DIM_VALUE = 1, DIM_NAME = 2 };

#endif
