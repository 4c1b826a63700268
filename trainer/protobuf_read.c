#include "trainer/protobuf_read.h"

#include <endian.h>
#include <string.h>

enum wire { WIRE_VARINT = 0, WIRE_EIGHT_BYTES = 1, WIRE_SIZED = 2, WIRE_FOUR_BYTES = 5 };

struct protobuf protobuf_begin(const void *bytes, size_t size)
{
    const uint8_t *at = size > 0 ? bytes : (const uint8_t *)""; /* of nothing, NULL has no end */
    return (struct protobuf){.at = at, .end = at + size};
}

static size_t left(const struct protobuf *reader)
{
    return (size_t)(reader->end - reader->at);
}

static uint64_t read_varint(struct protobuf *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end)
            break;
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    reader->damaged = true;
    return 0;
}

static uint64_t read_fixed(struct protobuf *reader, size_t size)
{
    uint64_t value = 0;
    if (size > left(reader)) {
        reader->damaged = true;
        return 0;
    }
    memcpy(&value, reader->at, size);
    reader->at += size;
    return le64toh(value);
}

static void read_sized(struct protobuf *reader, struct protobuf_field *field)
{
    uint64_t size = read_varint(reader);
    field->is_sized = true;
    if (size > left(reader)) {
        reader->damaged = true;
        return;
    }
    field->bytes = reader->at;
    field->size = (size_t)size;
    reader->at += size;
}

bool protobuf_next(struct protobuf *reader, struct protobuf_field *field)
{
    *field = (struct protobuf_field){0};
    if (reader->damaged || reader->at == reader->end)
        return false;
    uint64_t tag = read_varint(reader);
    field->number = (unsigned)(tag >> 3);
    switch (tag & 7) {
    case WIRE_VARINT:
        field->integer = (int64_t)read_varint(reader);
        break;
    case WIRE_EIGHT_BYTES:
        field->integer = (int64_t)read_fixed(reader, 8);
        break;
    case WIRE_FOUR_BYTES:
        field->integer = (int64_t)read_fixed(reader, 4);
        break;
    case WIRE_SIZED:
        read_sized(reader, field);
        break;
    default:
        reader->damaged = true;
    }
    return !reader->damaged;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float protobuf_float(const struct protobuf_field *field)
{
    return float_of((uint32_t)field->integer);
}

float protobuf_float_at(const struct protobuf_field *field, size_t i)
{
    uint32_t bits;
    memcpy(&bits, field->bytes + i * sizeof bits, sizeof bits);
    return float_of(le32toh(bits));
}
