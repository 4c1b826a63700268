/* The wire format against bytes worked out by hand from its description, and read again. */
#include "trainer/protobuf_read.h"
#include "trainer/protobuf_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_bytes(text, ...)                                                  \
    do {                                                                         \
        const uint8_t expected[] = {__VA_ARGS__};                                \
        assert_int_equal((text).length, sizeof expected);                        \
        assert_memory_equal((text).at, expected, sizeof expected);               \
    } while (0)

static void a_number_is_written_seven_bits_at_a_time(void **state)
{
    (void)state;
    struct text message = TEXT_EMPTY;
    protobuf_add_integer(&message, 1, 0);
    protobuf_add_integer(&message, 1, 127);
    protobuf_add_integer(&message, 1, 150);
    protobuf_add_integer(&message, 20, 7);
    assert_bytes(message, 0x08, 0x00, 0x08, 0x7f, 0x08, 0x96, 0x01, 0xa0, 0x01, 0x07);
    text_clear(&message);
    protobuf_add_integer(&message, 3, -1);
    assert_bytes(message, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    text_free(&message);
}

static void floats_strings_and_messages_are_written(void **state)
{
    (void)state;
    const float values[] = {1.0f, -2.0f};
    struct text message = TEXT_EMPTY, inner = TEXT_EMPTY, empty = TEXT_EMPTY;
    protobuf_add_float(&message, 2, 0.5f);
    protobuf_add_string(&message, 2, "hi");
    protobuf_add_float_bytes(&message, 9, values, 2);
    protobuf_add_integer(&inner, 1, 5);
    protobuf_add_message(&message, 3, &inner);
    protobuf_add_message(&message, 4, &empty);
    assert_bytes(message, 0x15, 0, 0, 0, 0x3f, 0x12, 2, 'h', 'i', 0x4a, 8, 0, 0, 0x80, 0x3f, 0, 0,
                 0, 0xc0, 0x1a, 2, 0x08, 5, 0x22, 0);
    text_free(&message);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const float values[] = {1.5f, -0.25f};
    struct text message = TEXT_EMPTY;
    struct protobuf_field field;
    protobuf_add_integer(&message, 5, INT64_MIN);
    protobuf_add_float(&message, 6, -3.25f);
    protobuf_add_string(&message, 300, "name");
    protobuf_add_float_bytes(&message, 8, values, 2);
    struct protobuf reader = protobuf_begin(message.at, message.length);
    assert_true(protobuf_next(&reader, &field));
    assert_true(field.number == 5 && !field.is_sized && field.integer == INT64_MIN);
    assert_true(protobuf_next(&reader, &field));
    assert_true(field.number == 6 && protobuf_float(&field) == -3.25f);
    assert_true(protobuf_next(&reader, &field));
    assert_true(field.number == 300 && field.is_sized && field.size == strlen("name"));
    assert_memory_equal(field.bytes, "name", field.size);
    assert_true(protobuf_next(&reader, &field));
    assert_true(field.size == 8 && protobuf_float_at(&field, 1) == -0.25f);
    assert_false(protobuf_next(&reader, &field));
    assert_false(reader.damaged);
    text_free(&message);
}

static void assert_damaged(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size); /* so that a read behind its end is seen */
    memcpy(copy, bytes, size);
    struct protobuf reader = protobuf_begin(copy, size);
    struct protobuf_field field;
    assert_false(protobuf_next(&reader, &field));
    assert_true(reader.damaged);
    assert_false(protobuf_next(&reader, &field));
    free(copy);
}

static void what_is_cut_off_or_unknown_is_damaged(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        size_t size;
    } cases[] = {
        {{0x08}, 1},                         /* a tag without its number */
        {{0x08, 0x80}, 2},                   /* a number without its last byte */
        {{0x80}, 1},                         /* half a tag */
        {{0x15, 0, 0, 0}, 4},                /* three bytes of four */
        {{0x11, 0, 0, 0, 0, 0, 0, 0}, 8},    /* seven bytes of eight */
        {{0x12, 3, 'h', 'i'}, 4},            /* two letters of three */
        {{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11},
        {{0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 12},
        {{0x0b, 0x0c}, 2},                   /* a group, which nobody writes any more */
        {{0x0f}, 1},                         /* no form at all */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_damaged(cases[i].bytes, cases[i].size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_written_seven_bits_at_a_time),
        cmocka_unit_test(floats_strings_and_messages_are_written),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_cut_off_or_unknown_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
