#include "trainer/protobuf_write.h"

#include "trainer/floats.h"

#include <string.h>

/* What a field's tag says of the bytes behind it. */
enum wire { WIRE_VARINT = 0, WIRE_SIZED = 2, WIRE_FOUR_BYTES = 5 };

/* Seven bits a byte, the lowest first; the eighth says that there are more. */
static void add_varint(struct text *message, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        text_add_char(message, (char)(uint8_t)(value | 128));
    text_add_char(message, (char)(uint8_t)value);
}

static void add_tag(struct text *message, unsigned field, enum wire wire)
{
    add_varint(message, (uint64_t)field << 3 | wire);
}

static void add_bytes(struct text *message, unsigned field, const char *bytes, size_t size)
{
    add_tag(message, field, WIRE_SIZED);
    add_varint(message, size);
    text_add_bytes(message, bytes, size);
}

void protobuf_add_integer(struct text *message, unsigned field, int64_t value)
{
    add_tag(message, field, WIRE_VARINT);
    add_varint(message, (uint64_t)value);
}

void protobuf_add_float(struct text *message, unsigned field, float value)
{
    add_tag(message, field, WIRE_FOUR_BYTES);
    floats_write(message, &value, 1);
}

void protobuf_add_string(struct text *message, unsigned field, const char *string)
{
    add_bytes(message, field, string, strlen(string));
}

void protobuf_add_float_bytes(struct text *message, unsigned field, const float *values,
                              size_t count)
{
    add_tag(message, field, WIRE_SIZED);
    add_varint(message, count * sizeof *values);
    floats_write(message, values, count);
}

void protobuf_add_message(struct text *message, unsigned field, struct text *inner)
{
    add_bytes(message, field, text_string(inner), inner->length);
    text_free(inner);
}
