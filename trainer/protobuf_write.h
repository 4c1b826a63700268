/* Writes Protocol Buffers' wire format (protobuf.dev, "Encoding"), as far as ONNX files need
 * it.  A message is a text to which fields are appended; one that lies within another is made
 * apart and then put in as a field of it. */
#ifndef TRAINER_PROTOBUF_WRITE_H
#define TRAINER_PROTOBUF_WRITE_H

#include "common/text.h"

#include <stdint.h>

/* A number of any of the types int32, int64, bool and enum. */
void protobuf_add_integer(struct text *message, unsigned field, int64_t value);
void protobuf_add_float(struct text *message, unsigned field, float value);
void protobuf_add_string(struct text *message, unsigned field, const char *string);
/* An array of float as bytes in little-endian order, for fields of type bytes. */
void protobuf_add_float_bytes(struct text *message, unsigned field, const float *values,
                              size_t count);
/* Puts `inner` in and releases it. */
void protobuf_add_message(struct text *message, unsigned field, struct text *inner);

#endif
