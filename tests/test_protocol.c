#include "common/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void accept_line(const char *line, struct message *message)
{
    struct failure why = FAILURE_NONE;
    int result = message_parse(line, strlen(line), message, &why);
    if (result != 0)
        fail_msg("%s", why.text);
}

static void refuse_line(const char *line, const char *expected)
{
    struct failure why = FAILURE_NONE;
    struct message message;
    assert_int_equal(message_parse(line, strlen(line), &message, &why), -1);
    if (strstr(why.text, expected) == NULL)
        fail_msg("`%s` does not contain `%s`", why.text, expected);
    failure_clear(&why);
}

static void every_type_of_message_is_read(void **state)
{
    struct message m;
    (void)state;
    accept_line("{\"type\":\"ready\",\"version\":1,\"program\":\"p\",\"arithmetic\":\"a\"}", &m);
    assert_int_equal(m.type, MESSAGE_READY);
    assert_string_equal(m.arithmetic, "a");
    message_release(&m);
    accept_line("{\"type\":\"epoch\",\"trial\":3,\"attempt\":2,\"epoch\":5,\"metrics\":"
                "{\"val_loss\":null,\"x\":1},\"checkpoint\":\"c\",\"seconds\":0.5,\"new\":1}", &m);
    assert_int_equal(m.trial, 3);
    assert_int_equal(m.attempt, 2);
    assert_int_equal(m.epoch, 5);
    assert_string_equal(m.checkpoint, "c");
    assert_null(m.arithmetic);
    message_release(&m);
    accept_line("{\"type\":\"epoch\",\"trial\":3,\"attempt\":2,\"epoch\":5,\"metrics\":{},"
                "\"arithmetic\":\"amx bf16\"}", &m);
    assert_string_equal(m.arithmetic, "amx bf16");
    message_release(&m);
    accept_line("{\"type\":\"done\",\"trial\":0,\"attempt\":1}", &m);
    assert_int_equal(m.type, MESSAGE_DONE);
    assert_false(m.stopped_early);
    assert_null(m.arithmetic);
    message_release(&m);
    accept_line("{\"type\":\"done\",\"trial\":0,\"attempt\":1,\"arithmetic\":\"amx bf16\"}", &m);
    assert_string_equal(m.arithmetic, "amx bf16");
    message_release(&m);
    accept_line("{\"type\":\"done\",\"trial\":0,\"attempt\":1,\"stopped_early\":true}", &m);
    assert_true(m.stopped_early);
    message_release(&m);
    accept_line("{\"type\":\"done\",\"trial\":0,\"attempt\":1,\"stopped_early\":false}", &m);
    assert_false(m.stopped_early);
    message_release(&m);
    accept_line("{\"type\":\"described\",\"id\":7,\"data\":{}}", &m);
    assert_int_equal(m.id, 7);
    assert_null(m.precision);
    message_release(&m);
    accept_line("{\"type\":\"described\",\"id\":7,\"data\":{},\"precision\":\"bf16\","
                "\"arithmetic\":\"amx bf16\"}", &m);
    assert_string_equal(m.precision, "bf16");
    assert_string_equal(m.arithmetic, "amx bf16");
    message_release(&m);
    accept_line("{\"type\":\"error\",\"id\":1,\"text\":\"t\",\"where\":\"model[0]\","
                "\"retry\":false}", &m);
    assert_string_equal(m.where, "model[0]");
    assert_false(m.retry);
    message_release(&m);
    accept_line("{\"type\":\"predictions\",\"trial\":1,\"attempt\":1,\"first\":0,\"labels\":[1],"
                "\"predicted\":[0],\"probabilities\":[[0.5,0.5]]}", &m);
    assert_int_equal(json_array_size(m.labels), 1);
    assert_null(m.images);
    message_release(&m);
    accept_line("{\"type\":\"predictions\",\"trial\":1,\"attempt\":1,\"first\":7,\"labels\":[1],"
                "\"predicted\":[0],\"probabilities\":[[0.5,0.5]],"
                "\"images\":[{\"image\":7,\"pixels\":\"Zm9v\"}]}", &m);
    assert_int_equal(json_array_size(m.images), 1);
    message_release(&m);
}

/* `images` of a message with the images 5 and 6. */
static void refuse_images(const char *images)
{
    char *line = xasprintf("{\"type\":\"predictions\",\"trial\":1,\"attempt\":1,\"first\":5,"
                           "\"labels\":[1,1],\"predicted\":[0,0],"
                           "\"probabilities\":[[0.5,0.5],[0.5,0.5]],\"images\":%s}", images);
    refuse_line(line, "\"images\"");
    free(line);
}

static void images_that_are_not_of_their_message_are_refused(void **state)
{
    (void)state;
    refuse_images("{}");
    refuse_images("[{\"image\":4,\"pixels\":\"Zm9v\"}]");
    refuse_images("[{\"image\":7,\"pixels\":\"Zm9v\"}]");
    refuse_images("[{\"image\":5,\"pixels\":\"Zm9v\"},{\"image\":5,\"pixels\":\"Zm9v\"}]");
    refuse_images("[{\"image\":5.0,\"pixels\":\"Zm9v\"}]");
    refuse_images("[{\"image\":5,\"pixels\":\"no base64\"}]");
    refuse_images("[{\"image\":5}]");
    refuse_images("[5]");
}

/* The number of the last one is counted on from the first. */
static void images_are_numbered_within_bounds(void **state)
{
    struct message m;
    char *line;
    int64_t first;
    static const char form[] = "{\"type\":\"predictions\",\"trial\":1,\"attempt\":1,"
                               "\"first\":%lld,\"labels\":[1],\"predicted\":[0],"
                               "\"probabilities\":[[0.5,0.5]],\"images\":[]}";
    (void)state;
    line = xasprintf(form, (long long)INT32_MAX - 1);
    accept_line(line, &m);
    message_release(&m);
    free(line);
    for (first = INT32_MAX; first > 0; first = first < INT64_MAX ? INT64_MAX : 0) {
        line = xasprintf(form, (long long)first);
        refuse_line(line, "\"first\"");
        free(line);
    }
}

static void anything_else_is_refused_with_what_was_wrong(void **state)
{
    (void)state;
    refuse_line("", "not JSON");
    refuse_line("hello", "not JSON");
    refuse_line("[1]", "not a JSON object");
    refuse_line("{}", "no field \"type\"");
    refuse_line("{\"type\":\"sing\"}", "no message of type");
    refuse_line("{\"type\":\"ready\",\"version\":2,\"program\":\"p\",\"arithmetic\":\"a\"}",
                "version 2");
    refuse_line("{\"type\":\"done\",\"trial\":-1,\"attempt\":1}", "\"trial\"");
    refuse_line("{\"type\":\"done\",\"trial\":1.5,\"attempt\":1}", "\"trial\"");
    refuse_line("{\"type\":\"done\",\"trial\":1}", "\"attempt\"");
    refuse_line("{\"type\":\"done\",\"trial\":1,\"attempt\":1,\"stopped_early\":1}",
                "\"stopped_early\"");
    refuse_line("{\"type\":\"done\",\"trial\":1,\"trial\":1,\"attempt\":1}", "not JSON");
    refuse_line("{\"type\":\"epoch\",\"trial\":1,\"attempt\":1,\"epoch\":1,\"metrics\":[]}",
                "\"metrics\"");
    refuse_line("{\"type\":\"epoch\",\"trial\":1,\"attempt\":1,\"epoch\":1,\"metrics\":"
                "{\"a\":\"b\"}}", "metric \"a\"");
    refuse_line("{\"type\":\"epoch\",\"trial\":1,\"attempt\":1,\"epoch\":1,\"metrics\":"
                "{\"a\":NaN}}", "not JSON");
    refuse_line("{\"type\":\"epoch\",\"trial\":1,\"attempt\":1,\"epoch\":1,\"metrics\":{},"
                "\"arithmetic\":16}", "\"arithmetic\"");
    refuse_line("{\"type\":\"described\",\"id\":1,\"data\":{},\"precision\":16}", "\"precision\"");
    refuse_line("{\"type\":\"predictions\",\"trial\":1,\"attempt\":1,\"first\":0,\"labels\":[2],"
                "\"predicted\":[0],\"probabilities\":[[0.5,0.5]]}", "image 0");
    refuse_line("{\"type\":\"predictions\",\"trial\":1,\"attempt\":1,\"first\":0,\"labels\":[],"
                "\"predicted\":[],\"probabilities\":[]}", "same 1 to 500");
    refuse_line("{\"type\":\"error\",\"trial\":1,\"attempt\":1,\"text\":\"t\"}", "\"retry\"");
}

static void a_shown_line_is_short_and_printable(void **state)
{
    struct failure why = FAILURE_NONE;
    struct message message;
    char line[500];
    size_t i;
    (void)state;
    memset(line, 1, sizeof line);
    assert_int_equal(message_parse(line, sizeof line, &message, &why), -1);
    assert_true(strlen(why.text) < 250);
    for (i = 0; why.text[i] != '\0'; i++)
        assert_true((unsigned char)why.text[i] >= 0x20);
    failure_clear(&why);
}

static void lines_come_whole_however_they_are_cut(void **state)
{
    static const char sent[] = "one\n\ntwo and more\nlast without end";
    const char *expected[] = {"one", "", "two and more"};
    struct line_reader reader = LINE_READER_EMPTY;
    int ends[2];
    size_t i, seen = 0, length;
    char *line;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (i = 0; i < strlen(sent); i++) {
        assert_int_equal(write(ends[1], sent + i, 1), 1);
        assert_int_equal(line_reader_fill(&reader, ends[0]), 1);
        while (line_reader_next(&reader, &line, &length) == 1) {
            assert_true(seen < 3);
            assert_string_equal(line, expected[seen]);
            assert_int_equal(length, strlen(expected[seen]));
            seen++;
        }
    }
    assert_int_equal(seen, 3);
    close(ends[1]);
    assert_int_equal(line_reader_fill(&reader, ends[0]), 0);
    close(ends[0]);
    line_reader_free(&reader);
}

/* A long line comes in many parts: what has been looked through is not looked through again. */
static void no_byte_is_searched_twice(void **state)
{
    struct line_reader reader = LINE_READER_EMPTY;
    size_t length;
    int ends[2];
    char *line;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a\nlong", 6), 6);
    assert_int_equal(line_reader_fill(&reader, ends[0]), 6);
    assert_int_equal(line_reader_next(&reader, &line, &length), 1);
    assert_int_equal(line_reader_next(&reader, &line, &length), 0);
    reader.bytes[reader.start + 1] = '\n'; /* which only a second look would find */
    assert_int_equal(write(ends[1], "er\n", 3), 3);
    assert_int_equal(line_reader_fill(&reader, ends[0]), 3);
    assert_int_equal(line_reader_next(&reader, &line, &length), 1);
    assert_int_equal(length, strlen("longer"));
    assert_memory_equal(line, "l\nnger", length);
    line_reader_free(&reader);
    close(ends[0]);
    close(ends[1]);
}

/* Feeds `count` bytes of x from a file; what line_reader_next() says at the end. */
static int feed(size_t count, bool newline)
{
    char path[] = "/tmp/test_protocol.XXXXXX", *bytes = malloc(count + 1), *line;
    struct line_reader reader = LINE_READER_EMPTY;
    size_t length;
    int fd = mkstemp(path), there = 0;
    unlink(path);
    memset(bytes, 'x', count);
    bytes[count] = '\n';
    assert_int_equal(write(fd, bytes, count + newline), (ssize_t)(count + newline));
    lseek(fd, 0, SEEK_SET);
    while (there == 0 && line_reader_fill(&reader, fd) > 0)
        there = line_reader_next(&reader, &line, &length);
    free(bytes);
    close(fd);
    line_reader_free(&reader);
    return there;
}

static void a_line_of_a_mebibyte_is_the_longest(void **state)
{
    (void)state;
    assert_int_equal(feed(PROTOCOL_LINE_MAX - 1, true), 1);
    assert_int_equal(feed(PROTOCOL_LINE_MAX, true), -1);
    assert_int_equal(feed(3 * PROTOCOL_LINE_MAX, false), -1);
}

static void what_is_written_can_be_read(void **state)
{
    struct line_reader reader = LINE_READER_EMPTY;
    json_t *object = json_pack("{s:s, s:i, s:i}", "type", "done", "trial", 4, "attempt", 9);
    struct message message;
    int ends[2];
    char *line;
    size_t length;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(protocol_write(ends[1], object), 0);
    assert_true(line_reader_fill(&reader, ends[0]) > 0);
    assert_int_equal(line_reader_next(&reader, &line, &length), 1);
    accept_line(line, &message);
    assert_int_equal(message.attempt, 9);
    message_release(&message);
    json_decref(object);
    line_reader_free(&reader);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_message_is_read),
        cmocka_unit_test(anything_else_is_refused_with_what_was_wrong),
        cmocka_unit_test(images_that_are_not_of_their_message_are_refused),
        cmocka_unit_test(images_are_numbered_within_bounds),
        cmocka_unit_test(a_shown_line_is_short_and_printable),
        cmocka_unit_test(lines_come_whole_however_they_are_cut),
        cmocka_unit_test(no_byte_is_searched_twice),
        cmocka_unit_test(a_line_of_a_mebibyte_is_the_longest),
        cmocka_unit_test(what_is_written_can_be_read),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
