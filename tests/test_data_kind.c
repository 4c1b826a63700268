#include "trainer/data_kind.h"

#include "common/file.h"
#include "tests/folder_remove.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int make_folder(void **state)
{
    const char *parent = getenv("TEST_TMP");
    char *folder = xasprintf("%s/kind.XXXXXX", parent ? parent : "/tmp");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    int result = folder_remove(*state, NULL);
    free(*state);
    return result;
}

/* Writes a file of the folder, and the folders above it. */
static void put(const char *folder, const char *name, const char *content)
{
    char *path = path_join(folder, name), *above = path_folder(path);
    const struct file_piece piece = {content, strlen(content)};
    assert_int_equal(folder_make(above, NULL), 0);
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
    free(above);
    free(path);
}

/* Gives a file of the folder another date, and nothing else. */
static void touch(const char *folder, const char *name)
{
    const struct timespec times[2] = {{1, 2}, {3, 4}};
    char *path = path_join(folder, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

/* The sources of a data set at a path, with more settings as JSON. */
static char *sources_of(const char *kind, const char *path, const char *settings)
{
    json_t *data = json_loads(settings, 0, NULL);
    assert_non_null(data);
    json_object_set_new(data, "dataset", json_string(kind));
    if (path)
        json_object_set_new(data, "folder", json_string(path));
    char *sources = data_kind_sources(data);
    json_decref(data);
    return sources;
}

static void assert_sources(const char *kind, const char *path, const char *one,
                           const char *other, bool equal)
{
    char *first = sources_of(kind, path, one), *second = sources_of(kind, path, other);
    assert_non_null(first);
    assert_non_null(second);
    assert_true((strcmp(first, second) == 0) == equal);
    free(second);
    free(first);
}

static void the_split_makes_no_other_images(void **state)
{
    const char *split = "{\"train\": 5, \"validation\": 6, \"join_validation\": true, "
                        "\"cache\": \"/somewhere\"}";
    static const char *const kinds[] = {"mnist", "idx", "csv", "npz", "png", "cifar10"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        assert_sources(kinds[i], *state, "{}", split, true);
    assert_sources("synthetic", NULL, "{}", split, true);
}

/* The seed draws synthetic digits, and the test set of a file that has none. */
static void the_seed_makes_other_images_of_some_kinds_alone(void **state)
{
    const char *one = "{\"seed\": \"1\"}", *other = "{\"seed\": \"2\"}";
    assert_sources("synthetic", NULL, one, other, false);
    assert_sources("csv", *state, one, other, false);
    assert_sources("mnist", *state, one, other, true);
    assert_sources("idx", *state, one, other, true);
    assert_sources("npz", *state, one, other, true);
    assert_sources("png", *state, one, other, true);
    assert_sources("cifar10", *state, one, other, true);
}

static void settings_of_the_form_make_other_images(void **state)
{
    assert_sources("idx", *state, "{}", "{\"transpose\": true}", false);
    assert_sources("idx", *state, "{}", "{\"first_label\": 1}", false);
    assert_sources("idx", *state, "{}", "{\"split\": \"letters\"}", false);
    assert_sources("csv", *state, "{\"height\": 2, \"width\": 3}",
                   "{\"width\": 2, \"height\": 3}", false);
    assert_sources("csv", *state, "{\"height\": 2, \"width\": 3}",
                   "{\"width\": 3, \"height\": 2}", true);
}

static void every_file_that_is_read_counts(void **state)
{
    static const struct {
        const char *kind, *settings, *path, *name;
    } files[] = {
        {"mnist", "{}", "", "train-images-idx3-ubyte.gz"},
        {"mnist", "{}", "", "train-labels-idx1-ubyte"},
        {"idx", "{}", "", "t10k-images-idx3-ubyte"},
        {"idx", "{}", "", "t10k-labels-idx1-ubyte.gz"},
        {"idx", "{\"split\": \"letters\"}", "", "emnist-letters-train-images-idx3-ubyte.gz"},
        {"idx", "{\"split\": \"letters\"}", "", "emnist-letters-test-labels-idx1-ubyte"},
        {"csv", "{}", "train.csv", "train.csv"},
        {"npz", "{}", "mnist.npz", "mnist.npz"},
        {"cifar10", "{}", "", "data_batch_1.bin"},
        {"cifar10", "{}", "", "data_batch_5.bin"},
        {"cifar10", "{}", "", "test_batch.bin"},
        {"png", "{}", "", "train/zero/1.png"},
        {"png", "{}", "", "train/zero/2.png"},
        {"png", "{}", "", "train/one/1.png"},
        {"png", "{}", "", "test/one/1.png"},
    };
    put(*state, "train.csv", "");
    put(*state, "mnist.npz", "");
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char *path = path_join(*state, files[i].path);
        char *before = sources_of(files[i].kind, path, files[i].settings);
        put(*state, files[i].name, "content");
        char *after = sources_of(files[i].kind, path, files[i].settings);
        touch(*state, files[i].name);
        char *later = sources_of(files[i].kind, path, files[i].settings);
        char *again = sources_of(files[i].kind, path, files[i].settings);
        assert_string_not_equal(before, after);
        assert_string_not_equal(after, later);
        assert_string_equal(later, again);
        free(again);
        free(later);
        free(after);
        free(before);
        free(path);
    }
}

static void other_files_do_not_count(void **state)
{
    static const char *const kinds[] = {"mnist", "idx", "cifar10", "png"};
    put(*state, "train/zero/1.png", "content");
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        char *before = sources_of(kinds[i], *state, "{}");
        put(*state, "README", kinds[i]);
        put(*state, "train/zero/notes.txt", kinds[i]);
        char *after = sources_of(kinds[i], *state, "{}");
        assert_string_equal(before, after);
        free(after);
        free(before);
    }
}

static void a_path_is_told_in_full(void **state)
{
    char *roundabout = xasprintf("%s/./x/..", (char *)*state);
    char *below = path_join(*state, "x");
    assert_int_equal(folder_make(below, NULL), 0);
    char *one = sources_of("idx", *state, "{}"), *other = sources_of("idx", roundabout, "{}");
    assert_string_equal(one, other);
    assert_memory_equal(one, "idx {", 5);
    assert_non_null(strstr(one, *state));
    free(other);
    free(one);
    free(below);
    free(roundabout);
}

static void what_cannot_be_told_has_no_sources(void **state)
{
    char *nowhere = path_join(*state, "nowhere");
    assert_null(sources_of("mnist", NULL, "{}"));
    assert_null(sources_of("mnist", nowhere, "{}"));
    assert_null(sources_of("csv", nowhere, "{}"));
    assert_null(sources_of("nonsense", *state, "{}"));
    json_t *nothing = json_object();
    assert_null(data_kind_sources(nothing));
    json_decref(nothing);
    free(nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
        CASE(the_split_makes_no_other_images),
        CASE(the_seed_makes_other_images_of_some_kinds_alone),
        CASE(settings_of_the_form_make_other_images),
        CASE(every_file_that_is_read_counts),
        CASE(other_files_do_not_count),
        CASE(a_path_is_told_in_full),
        CASE(what_cannot_be_told_has_no_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
