#include "trainer/checkpoint.h"

#include "common/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "tests/tiny.h"

#define SMALL_MODEL                                                                         \
    "[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":2,\"activation\":\"none\","       \
    "\"weights\":\"he\"}]"
enum { SMALL_LENGTH = 10 }; /* parameters of SMALL_MODEL on images of 2x2x1 */

static json_t *small_header(void)
{
    return json_pack("{sososos[iii]sisssisisisi}", "model", tiny_json(SMALL_MODEL), "training",
                     tiny_json(TINY_ADAM), "extra", json_null(), "input", 2, 2, 1, "classes", 2,
                     "seed", "12345678901234567890", "trial", 3, "epoch", 2, "step", 16,
                     "schedule_epochs", 9);
}

static float small_parameters[SMALL_LENGTH] = {0.5f, -1.5f, 1e-40f, 3e38f, -0.0f,
                                               1.0f, 2.0f,  3.0f,   4.0f,  5.0f};
static float small_optimizer[3] = {6.0f, 7.0f, 0.1f};
static const struct checkpoint_vector small_vectors[] = {
    {"parameters", SMALL_LENGTH, small_parameters},
    {"optimizer_0", 3, small_optimizer},
};
enum { SMALL_NUMBERS = SMALL_LENGTH + 3 };

static void write_vectors(const char *path, const struct checkpoint_vector *vectors,
                          size_t count)
{
    struct failure why = FAILURE_NONE;
    json_t *header = small_header();
    if (checkpoint_write(path, header, vectors, count, &why) < 0)
        fail_msg("%s", why.text);
    json_decref(header);
}

static void write_small(const char *path)
{
    write_vectors(path, small_vectors, ARRAY_LENGTH(small_vectors));
}

static void put_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void get_file(const char *path, char **bytes, size_t *size)
{
    assert_int_equal(file_read(path, 1 << 20, bytes, size, NULL), 0);
}

/* Both readers say no, as bad input with the file's name. */
static void assert_refused(const char *path, const char *text)
{
    struct checkpoint checkpoint;
    struct failure why = FAILURE_NONE;
    assert_int_equal(checkpoint_read(path, &checkpoint, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, path));
    if (!strstr(why.text, text))
        fail_msg("'%s' does not say '%s'", why.text, text);
    assert_null(checkpoint.header);
    assert_null(checkpoint.vectors);
    assert_null(checkpoint.values);
    failure_clear(&why);
    assert_null(checkpoint_load_network(path, 1, NULL, NULL));
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    char *path = tiny_path("small.ckpt");
    struct checkpoint checkpoint;
    write_small(path);
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    assert_int_equal(checkpoint.vector_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct checkpoint_vector *vector = &checkpoint.vectors[i];
        assert_string_equal(vector->name, small_vectors[i].name);
        assert_int_equal(vector->length, small_vectors[i].length);
        assert_memory_equal(vector->values, small_vectors[i].values, vector->length * 4);
        assert_ptr_equal(checkpoint_find(&checkpoint, small_vectors[i].name), vector);
    }
    assert_null(checkpoint_find(&checkpoint, "optimizer_1"));
    json_t *header = small_header();
    json_object_set_new(header, "vectors",
                        tiny_json("[{\"name\":\"parameters\",\"length\":10},"
                                  "{\"name\":\"optimizer_0\",\"length\":3}]"));
    assert_true(json_equal(header, checkpoint.header));
    json_decref(header);
    checkpoint_release(&checkpoint);
    free(path);
}

/* What the watches of a training have seen is compared with later epochs bit by bit. */
static void doubles_in_the_header_come_back_bit_for_bit(void **state)
{
    (void)state;
    static const double numbers[] = {0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, -0.0,
                                     0.99940000000000007, 2.2250738585072011e-308, 3.0};
    char *path = tiny_path("doubles.ckpt");
    json_t *header = small_header(), *list = json_array();
    struct checkpoint checkpoint;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        json_array_append_new(list, json_real(numbers[i]));
    json_object_set_new(header, "numbers", list);
    assert_int_equal(checkpoint_write(path, header, small_vectors, 1, NULL), 0);
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    list = json_object_get(checkpoint.header, "numbers");
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        double number = json_real_value(json_array_get(list, i));
        assert_memory_equal(&number, &numbers[i], sizeof number);
    }
    checkpoint_release(&checkpoint);
    json_decref(header);
    free(path);
}

/* A foreign reader must find what the manual promises. */
static void the_file_is_laid_out_as_documented(void **state)
{
    (void)state;
    char *path = tiny_path("layout.ckpt");
    unsigned char *bytes;
    size_t size;
    write_small(path);
    get_file(path, (char **)&bytes, &size);
    assert_memory_equal(bytes, "TUNERCKP\2\0\0\0", 12);
    size_t length = bytes[12] + 256u * bytes[13];
    assert_int_equal(bytes[14] + bytes[15], 0);
    assert_int_equal(size, 16 + length + SMALL_NUMBERS * 4 + 4);
    assert_memory_equal(bytes + 16 + length, "\0\0\0\x3f\0\0\xc0\xbf", 8); /* 0.5, -1.5 */
    unsigned long sum = crc32(0, bytes, (unsigned)size - 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bytes[size - 4 + i], sum >> (8 * i) & 255);
    free(bytes);
    free(path);
}

static void every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    char *path = tiny_path("flipped.ckpt"), *bytes;
    size_t size;
    write_small(path);
    get_file(path, &bytes, &size);
    for (size_t i = 0; i < size; i++) {
        char byte = bytes[i];
        for (int bit = 0; bit < 8; bit += 7) {
            bytes[i] = (char)(byte ^ (1 << bit));
            put_file(path, bytes, size);
            assert_refused(path, "");
        }
        bytes[i] = (char)~byte;
        put_file(path, bytes, size);
        assert_refused(path, "");
        bytes[i] = byte;
    }
    free(bytes);
    free(path);
}

static void every_truncation_is_noticed(void **state)
{
    (void)state;
    char *path = tiny_path("short.ckpt"), *bytes;
    size_t size;
    write_small(path);
    get_file(path, &bytes, &size);
    for (size_t length = 0; length < size; length++) {
        put_file(path, bytes, length);
        assert_refused(path, length < 8 ? "no checkpoint" : "damaged");
    }
    free(bytes);
    free(path);
}

static void what_follows_the_end_is_noticed(void **state)
{
    (void)state;
    char *path = tiny_path("long.ckpt"), *bytes;
    size_t size;
    write_small(path);
    get_file(path, &bytes, &size);
    bytes = xrealloc(bytes, size + 4);
    memset(bytes + size, 0, 4);
    for (size_t more = 1; more <= 4; more++) {
        put_file(path, bytes, size + more);
        assert_refused(path, "damaged");
    }
    free(bytes);
    free(path);
}

/* ---- files that are well summed, but lie ---- */

static void put_u32(char *bytes, unsigned long value)
{
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (char)(value >> (8 * i) & 255);
}

/* A file with any header and `floats` zeros, and the right sum. */
static void forge(const char *path, unsigned version, unsigned long header_length,
                  const char *header, size_t floats)
{
    size_t length = strlen(header), size = 16 + length + floats * 4 + 4;
    char *bytes = xcalloc(size, 1);
    memcpy(bytes, "TUNERCKP", 8);
    put_u32(bytes + 8, version);
    put_u32(bytes + 12, header_length);
    memcpy(bytes + 16, header, length);
    put_u32(bytes + size - 4, crc32(0, (unsigned char *)bytes, (unsigned)size - 4));
    put_file(path, bytes, size);
    free(bytes);
}

/* The small header with one field changed, or removed where `value` is NULL. */
static void forge_field(const char *path, const char *field, const char *value, size_t floats)
{
    json_t *header = small_header();
    json_object_set_new(header, "vectors",
                        tiny_json("[{\"name\":\"parameters\",\"length\":10}]"));
    if (value)
        json_object_set_new(header, field, tiny_json(value));
    else
        json_object_del(header, field);
    char *text = json_dumps(header, JSON_COMPACT);
    forge(path, 2, strlen(text), text, floats);
    free(text);
    json_decref(header);
}

static void a_later_version_is_named(void **state)
{
    (void)state;
    char *path = tiny_path("version.ckpt");
    forge(path, 3, 2, "{}", 0);
    assert_refused(path, "version 3");
    free(path);
}

static void an_earlier_version_is_refused_with_the_remedy(void **state)
{
    (void)state;
    char *path = tiny_path("earlier.ckpt");
    forge(path, 1, 2, "{}", 0);
    assert_refused(path, "was written by an earlier version");
    assert_refused(path, "train again");
    free(path);
}

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    char *path = tiny_path("hostile.ckpt");
    char *deep = xcalloc(100001, 1);
    memset(deep, '[', 100000);
    forge(path, 2, 100000, deep, 0);
    assert_refused(path, "no JSON object");
    free(deep);
    forge(path, 2, 0xffffffff, "{}", 0);
    assert_refused(path, "longer than the file");
    forge(path, 2, 3, "{}", 0);
    assert_refused(path, "");
    static const char *const texts[] = {"", "{", "[]", "17", "null", "{}{}", "{\"a\":1,\"a\":2}",
                                        "\xff\xfe"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        forge(path, 2, strlen(texts[i]), texts[i], 0);
        assert_refused(path, "no JSON object");
    }
    forge(path, 2, 2, "{}", 0);
    assert_refused(path, "missing or out of range");
    free(path);
}

static void fields_of_a_wrong_kind_are_refused(void **state)
{
    (void)state;
    char *path = tiny_path("field.ckpt");
    static const struct {
        const char *field, *value;
    } cases[] = {
        {"model", NULL},        {"model", "{}"},         {"training", "[]"},
        {"input", "[2,2]"},     {"input", "[2,2,-1]"},   {"input", "[2,2,1e3]"},
        {"classes", "-1"},      {"classes", "\"2\""},    {"seed", "5"},
        {"seed", "\"\""},       {"seed", "\"-5\""},      {"seed", "\"123456789012345678901\""},
        {"trial", "-1"},        {"trial", "4294967296"}, {"epoch", "2147483648"},
        {"epoch", "1.5"},       {"step", "-1"},          {"schedule_epochs", "null"},
        {"vectors", "1"},       {"vectors", NULL},       {"vectors", "{}"},
        {"vectors", "[10]"},
        {"vectors", "[{\"name\":\"parameters\"}]"},
        {"vectors", "[{\"length\":10}]"},
        {"vectors", "[{\"name\":5,\"length\":10}]"},
        {"vectors", "[{\"name\":\"a\",\"length\":0},{\"name\":\"b\",\"length\":10}]"},
        {"vectors", "[{\"name\":\"a\",\"length\":-10}]"},
        {"vectors", "[{\"name\":\"a\",\"length\":4294967306}]"},
        {"vectors", "[{\"name\":\"a\",\"length\":5},{\"name\":\"a\",\"length\":5}]"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *text = xasprintf("'%s' in its header", cases[i].field);
        forge_field(path, cases[i].field, cases[i].value, SMALL_LENGTH);
        assert_refused(path, text);
        free(text);
    }
    free(path);
}

static void too_many_vectors_are_refused(void **state)
{
    (void)state;
    char *path = tiny_path("many.ckpt");
    json_t *list = json_array();
    for (int i = 0; i < 65; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        json_array_append_new(list, json_pack("{sssi}", "name", name, "length", 2147483647));
    }
    char *text = json_dumps(list, 0);
    forge_field(path, "vectors", text, SMALL_LENGTH);
    assert_refused(path, "'vectors' in its header");
    free(text);
    json_array_remove(list, 64);
    text = json_dumps(list, 0);
    forge_field(path, "vectors", text, SMALL_LENGTH);
    assert_refused(path, "its length is not what its header says");
    free(text);
    json_decref(list);
    free(path);
}

static void lengths_that_the_file_does_not_hold_are_refused(void **state)
{
    (void)state;
    char *path = tiny_path("lengths.ckpt");
    static const char *const vectors[] = {
        "[]", "[{\"name\":\"parameters\",\"length\":9}]",
        "[{\"name\":\"parameters\",\"length\":11}]",
        "[{\"name\":\"parameters\",\"length\":2147483647}]",
        "[{\"name\":\"parameters\",\"length\":10},{\"name\":\"optimizer_0\",\"length\":1}]",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        forge_field(path, "vectors", vectors[i], SMALL_LENGTH);
        assert_refused(path, "its length is not what its header says");
    }
    free(path);
}

/* ---- the network alone ---- */

static void check_no_network(const char *path, const char *text)
{
    struct failure why = FAILURE_NONE;
    assert_null(checkpoint_load_network(path, 1, NULL, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, path));
    if (!strstr(why.text, text))
        fail_msg("'%s' does not say '%s'", why.text, text);
    failure_clear(&why);
}

static void the_network_alone_can_be_loaded(void **state)
{
    (void)state;
    char *path = tiny_path("network.ckpt");
    struct failure why = FAILURE_NONE;
    json_t *header = NULL;
    write_small(path);
    struct network *network = checkpoint_load_network(path, 2, &header, &why);
    if (!network)
        fail_msg("%s", why.text);
    assert_int_equal(network_parameter_count(network), SMALL_LENGTH);
    assert_memory_equal(network_parameters(network), small_parameters, sizeof small_parameters);
    assert_int_equal(json_integer_value(json_object_get(header, "trial")), 3);
    const float image[4] = {0.0f, 0.0f, 0.0f, 0.5f};
    float logits[2];
    network_predict(network, image, 1, logits);
    assert_true(logits[0] == 0.5f * 2.0f + 4.0f && logits[1] == 0.5f * 3.0f + 5.0f);
    network_free(network);
    json_decref(header);
    free(path);
}

/* The first parameter of the network that is loaded from a file with such vectors. */
static float first_loaded(const char *path, const struct checkpoint_vector *vectors, size_t count)
{
    write_vectors(path, vectors, count);
    struct failure why = FAILURE_NONE;
    struct network *network = checkpoint_load_network(path, 1, NULL, &why);
    if (!network)
        fail_msg("%s", why.text);
    float first = network_parameters(network)[0];
    network_free(network);
    return first;
}

static void the_best_weights_go_before_the_average_and_that_before_the_last(void **state)
{
    (void)state;
    char *path = tiny_path("choice.ckpt");
    float average[SMALL_LENGTH] = {7.0f}, best[SMALL_LENGTH] = {8.0f};
    struct checkpoint_vector vectors[] = {
        {"parameters", SMALL_LENGTH, small_parameters},
        {"optimizer_0", 3, small_optimizer},
        {"ema_parameters", SMALL_LENGTH, average},
        {"best_parameters", SMALL_LENGTH, best},
    };
    assert_true(first_loaded(path, vectors, 2) == small_parameters[0]);
    assert_true(first_loaded(path, vectors, 3) == average[0]);
    assert_true(first_loaded(path, vectors, 4) == best[0]);
    vectors[2] = vectors[3];
    assert_true(first_loaded(path, vectors, 3) == best[0]);
    vectors[2].length = SMALL_LENGTH - 1;
    write_vectors(path, vectors, 3);
    check_no_network(path, "not as many as its model has");
    free(path);
}

static void statistics_that_the_network_has_not_are_refused(void **state)
{
    (void)state;
    char *path = tiny_path("statistics.ckpt");
    const struct checkpoint_vector vectors[] = {
        {"parameters", SMALL_LENGTH, small_parameters},
        {"statistics", 3, small_optimizer},
    };
    write_vectors(path, vectors, 2);
    check_no_network(path, "not as many as its model has");
    free(path);
}

static void a_model_that_is_no_good_gives_no_network(void **state)
{
    (void)state;
    char *path = tiny_path("model.ckpt");
    forge_field(path, "model", "[]", SMALL_LENGTH);
    check_no_network(path, "");
    forge_field(path, "model", "[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":-2}]",
                SMALL_LENGTH);
    check_no_network(path, "units");
    forge_field(path, "model", "[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":3}]",
                SMALL_LENGTH);
    check_no_network(path, "gives 3 values");
    forge_field(path, "input", "[2,3,1]", SMALL_LENGTH);
    check_no_network(path, "not as many as its model has");
    forge_field(path, "input", "[2147483647,2147483647,2147483647]", SMALL_LENGTH);
    check_no_network(path, "cannot be trained on");
    forge_field(path, "input", "[0,2,1]", SMALL_LENGTH);
    check_no_network(path, "cannot be trained on");
    forge_field(path, "vectors", "[]", 0);
    check_no_network(path, "not as many as its model has");
    free(path);
}

/* ---- the folder and the disk ---- */

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct checkpoint checkpoint;
    struct failure why = FAILURE_NONE;
    assert_int_equal(checkpoint_read("/nowhere/at.ckpt", &checkpoint, &why), -1);
    assert_non_null(strstr(why.text, "/nowhere/at.ckpt"));
    failure_clear(&why);
}

static void a_folder_that_is_missing_fails_and_leaves_nothing(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    json_t *header = small_header();
    assert_int_equal(checkpoint_write("/nowhere/at.ckpt", header, small_vectors, 1, &why), -1);
    assert_non_null(strstr(why.text, "/nowhere/at.ckpt"));
    failure_clear(&why);
    json_decref(header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(doubles_in_the_header_come_back_bit_for_bit),
        cmocka_unit_test(the_file_is_laid_out_as_documented),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(what_follows_the_end_is_noticed),
        cmocka_unit_test(a_later_version_is_named),
        cmocka_unit_test(an_earlier_version_is_refused_with_the_remedy),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(fields_of_a_wrong_kind_are_refused),
        cmocka_unit_test(too_many_vectors_are_refused),
        cmocka_unit_test(lengths_that_the_file_does_not_hold_are_refused),
        cmocka_unit_test(the_network_alone_can_be_loaded),
        cmocka_unit_test(the_best_weights_go_before_the_average_and_that_before_the_last),
        cmocka_unit_test(statistics_that_the_network_has_not_are_refused),
        cmocka_unit_test(a_model_that_is_no_good_gives_no_network),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_folder_that_is_missing_fails_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
