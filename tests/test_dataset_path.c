#include "common/dataset_path.h"

#include "common/file.h"
#include "tests/folder_remove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/* A world of its own: a home, and a folder of programs that stands first in PATH, so
 * that no network is ever asked. */
struct world {
    char *folder, *home, *programs, *calls; /* `calls`: what curl was asked for */
    char *old_path, *old_mnist;
};

static void write_text(const char *path, const char *text)
{
    const struct file_piece piece = {text, strlen(text)};
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
}

static void write_program(const struct world *world, const char *name, const char *script)
{
    char *path = path_join(world->programs, name);
    write_text(path, script);
    assert_int_equal(chmod(path, 0755), 0);
    free(path);
}

/* A curl that notes its last argument, the URL, and does what `body` says; $out is the
 * file to write. */
static void write_curl(const struct world *world, const char *body)
{
    char *script = xasprintf("#!/bin/sh\n"
                             "while [ $# -gt 1 ]; do [ $1 = --output ] && out=$2; shift; done\n"
                             "echo \"$1\" >>'%s'\n%s\n", world->calls, body);
    write_program(world, "curl", script);
    free(script);
}

static int make_world(void **state)
{
    const char *parent = getenv("TEST_TMP");
    struct world *world = xcalloc(1, sizeof *world);
    world->folder = xasprintf("%s/path.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(world->folder))
        return -1;
    world->home = path_join(world->folder, "home");
    world->programs = path_join(world->folder, "bin");
    world->calls = path_join(world->folder, "calls");
    world->old_path = xstrdup(getenv("PATH"));
    world->old_mnist = getenv("MNIST_DIR") ? xstrdup(getenv("MNIST_DIR")) : NULL;
    char *path = xasprintf("%s:%s", world->programs, world->old_path);
    int result = folder_make(world->programs, NULL);
    setenv("PATH", path, 1);
    unsetenv("MNIST_DIR");
    free(path);
    *state = world;
    write_curl(world, "exit 6");
    return result;
}

static int remove_world(void **state)
{
    struct world *world = *state;
    int result = folder_remove(world->folder, NULL);
    setenv("PATH", world->old_path, 1);
    if (world->old_mnist)
        setenv("MNIST_DIR", world->old_mnist, 1);
    else
        unsetenv("MNIST_DIR");
    free(world->folder);
    free(world->home);
    free(world->programs);
    free(world->calls);
    free(world->old_path);
    free(world->old_mnist);
    free(world);
    return result;
}

/* A folder below the world with files of the four names. */
static char *make_data(const struct world *world, const char *name, const char *suffix)
{
    char *folder = path_join(world->folder, name);
    assert_int_equal(folder_make(folder, NULL), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *path = xasprintf("%s/%s%s", folder, names[i], suffix);
        write_text(path, "images");
        free(path);
    }
    return folder;
}

static json_t *resolve(const struct world *world, const char *dataset, const char *folder,
                       bool fetch, struct failure *why)
{
    json_t *data = json_pack("{s:s, s:i}", "dataset", dataset, "train", 7);
    if (folder)
        json_object_set_new(data, "folder", json_string(folder));
    json_t *resolved = dataset_resolve(data, world->home, fetch, why);
    assert_string_equal(json_string_value(json_object_get(data, "dataset")), dataset);
    json_decref(data);
    return resolved;
}

static void assert_resolved(json_t *resolved, const char *dataset, const char *folder)
{
    assert_non_null(resolved);
    assert_string_equal(json_string_value(json_object_get(resolved, "dataset")), dataset);
    assert_int_equal(json_integer_value(json_object_get(resolved, "train")), 7);
    const char *found = json_string_value(json_object_get(resolved, "folder"));
    if (folder) {
        char *real = realpath(folder, NULL);
        assert_string_equal(found, real);
        free(real);
    } else {
        assert_null(found);
    }
    json_decref(resolved);
}

static void assert_refused(json_t *resolved, struct failure *why, const char *text)
{
    assert_null(resolved);
    assert_int_equal(why->code, EXIT_BAD_INPUT);
    if (!strstr(why->text, text))
        fail_msg("'%s' does not have '%s'", why->text, text);
    failure_clear(why);
}

static void mnist_is_found_by_the_environment_first(void **state)
{
    struct world *world = *state;
    char *named = make_data(world, "named", ".gz");
    char *other = make_data(world, "home/data/mnist", "");
    setenv("MNIST_DIR", named, 1);
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "mnist", named);
    unsetenv("MNIST_DIR");
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "mnist", other);
    assert_false(file_exists(world->calls));
    free(named);
    free(other);
}

static void a_named_folder_without_the_files_is_refused(void **state)
{
    struct world *world = *state;
    struct failure why = FAILURE_NONE;
    char *half = make_data(world, "half", "");
    char *missing = path_join(half, names[2]);
    assert_int_equal(unlink(missing), 0);
    setenv("MNIST_DIR", half, 1);
    assert_refused(resolve(world, "mnist", NULL, true, &why), &why, names[2]);
    setenv("MNIST_DIR", "/nowhere/at/all", 1);
    assert_refused(resolve(world, "mnist", NULL, true, &why), &why, "$MNIST_DIR");
    unsetenv("MNIST_DIR");
    assert_refused(resolve(world, "mnist", half, true, &why), &why, "data.folder");
    assert_false(file_exists(world->calls));
    free(half);
    free(missing);
}

static void without_network_the_digits_are_synthetic(void **state)
{
    struct world *world = *state;
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "synthetic", NULL);
    char *calls = NULL;
    size_t size = 0;
    assert_int_equal(file_read(world->calls, 4096, &calls, &size, NULL), 0);
    assert_non_null(strstr(calls, "storage.googleapis.com/cvdf-datasets/mnist/train-images"));
    assert_non_null(strstr(calls, "ossci-datasets.s3.amazonaws.com/mnist/train-images"));
    assert_null(strstr(calls, "labels")); /* the first file told enough */
    free(calls);
}

static void without_leave_nothing_is_fetched_or_made(void **state)
{
    struct world *world = *state;
    assert_resolved(resolve(world, "mnist", NULL, false, NULL), "synthetic", NULL);
    assert_false(file_exists(world->calls));
    assert_false(file_exists(world->home));
}

static void a_fetched_file_of_another_content_is_thrown_away(void **state)
{
    struct world *world = *state;
    write_curl(world, "echo an error page >\"$out\"");
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "synthetic", NULL);
    char *folder = path_join(world->home, "data/mnist");
    assert_int_equal(rmdir(folder), 0); /* empty */
    free(folder);
}

/* The sum is checked by sha256sum, which here says of every file what it should be. */
static void all_files_are_fetched_from_the_second_mirror_if_need_be(void **state)
{
    struct world *world = *state;
    write_curl(world, "case $1 in *googleapis*) exit 7;; esac; echo $1 >\"$out\"");
    write_program(world, "sha256sum",
                  "#!/bin/sh\nread url\ncase $url in\n"
                  "*train-images*) echo 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f2"
                  "03523609;;\n"
                  "*train-labels*) echo 3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e"
                  "8010255c;;\n"
                  "*t10k-images*) echo 8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a"
                  "2dbc4e6;;\n"
                  "*t10k-labels*) echo f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924"
                  "204aec6;;\nesac\n");
    char *folder = path_join(world->home, "data/mnist");
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "mnist", folder);
    assert_int_equal(unlink(world->calls), 0);

    /* Once there, nothing is fetched; one lost file is fetched alone. */
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "mnist", folder);
    assert_false(file_exists(world->calls));
    char *lost = xasprintf("%s/%s.gz", folder, names[1]);
    assert_int_equal(unlink(lost), 0);
    assert_resolved(resolve(world, "mnist", NULL, true, NULL), "mnist", folder);
    char *calls = NULL;
    size_t size = 0;
    assert_int_equal(file_read(world->calls, 4096, &calls, &size, NULL), 0);
    assert_non_null(strstr(calls, names[1]));
    assert_null(strstr(calls, names[0]));
    free(calls);
    free(lost);
    free(folder);
}

static void synthetic_needs_nothing(void **state)
{
    struct world *world = *state;
    assert_resolved(resolve(world, "synthetic", NULL, true, NULL), "synthetic", NULL);
    assert_false(file_exists(world->calls));
}

static void a_folder_becomes_an_absolute_path(void **state)
{
    struct world *world = *state;
    char *folder = make_data(world, "digits", "");
    assert_resolved(resolve(world, folder, NULL, false, NULL), "idx", folder);
    assert_resolved(resolve(world, "idx", folder, false, NULL), "idx", folder);
    char *roundabout = xasprintf("%s/../digits/.", folder);
    assert_resolved(resolve(world, roundabout, NULL, false, NULL), "idx", folder);
    free(roundabout);
    free(folder);
}

static void other_names_are_refused(void **state)
{
    struct world *world = *state;
    struct failure why = FAILURE_NONE;
    assert_refused(resolve(world, "mnits", NULL, true, &why), &why,
                   "there is no data set or folder 'mnits'");
    assert_refused(resolve(world, "idx", NULL, true, &why), &why, "needs a folder");
    assert_refused(resolve(world, world->programs, NULL, true, &why), &why, names[0]);
    json_t *empty = json_object();
    assert_refused(dataset_resolve(empty, world->home, true, &why), &why, "needs a dataset");
    json_decref(empty);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, remove_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(mnist_is_found_by_the_environment_first),
        IN_WORLD(a_named_folder_without_the_files_is_refused),
        IN_WORLD(without_network_the_digits_are_synthetic),
        IN_WORLD(without_leave_nothing_is_fetched_or_made),
        IN_WORLD(a_fetched_file_of_another_content_is_thrown_away),
        IN_WORLD(all_files_are_fetched_from_the_second_mirror_if_need_be),
        IN_WORLD(synthetic_needs_nothing),
        IN_WORLD(a_folder_becomes_an_absolute_path),
        IN_WORLD(other_names_are_refused),
    };
    return cmocka_run_group_tests_name("dataset_path", tests, NULL, NULL);
}
