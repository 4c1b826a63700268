/* Reads Protocol Buffers' wire format (protobuf.dev, "Encoding"), field by field:
 *
 *   struct protobuf reader = protobuf_begin(bytes, size);
 *   struct protobuf_field field;
 *   while (protobuf_next(&reader, &field)) ...
 *   if (reader.damaged) ...
 *
 * A field of many values may be packed into one of bytes, which is read by a reader again. */
#ifndef TRAINER_PROTOBUF_READ_H
#define TRAINER_PROTOBUF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct protobuf {
    const uint8_t *at, *end;
    bool damaged; /* what was to come next is cut off, or has no known form */
};

struct protobuf_field {
    unsigned number;
    bool is_sized;       /* string, bytes or message: `bytes` and `size`; else `integer` */
    int64_t integer;     /* of a float or double: its bits */
    const uint8_t *bytes;
    size_t size;
};

struct protobuf protobuf_begin(const void *bytes, size_t size); /* of 0 bytes NULL will do */
/* False at the end, and where the message is damaged. */
bool protobuf_next(struct protobuf *reader, struct protobuf_field *field);

float protobuf_float(const struct protobuf_field *field);
/* Float i of a field of bytes, which are little-endian. */
float protobuf_float_at(const struct protobuf_field *field, size_t i);

#endif
