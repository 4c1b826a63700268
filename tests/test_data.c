#include "trainer/data.h"

#include "common/file.h"
#include "trainer/data_idx.h"
#include "tests/folder_remove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A folder with 200 + 50 synthetic digits. */
static int make_folder(void **state)
{
    const char *parent = getenv("TEST_TMP");
    char *folder = xasprintf("%s/data.XXXXXX", parent ? parent : "/tmp");
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    int result = mkdtemp(folder) ? 0 : -1;
    data_synthetic_load(200, 50, 1, dataset);
    if (result == 0)
        result = data_idx_write(folder, dataset, NULL);
    dataset_free(dataset);
    *state = folder;
    return result;
}

static int remove_folder(void **state)
{
    int result = folder_remove(*state, NULL);
    free(*state);
    return result;
}

/* Loads {"dataset": "idx", "folder": folder} with more settings, as JSON text. */
static struct dataset *load(const char *dataset, const char *folder, const char *settings,
                            struct failure *why)
{
    json_t *data = json_loads(settings, 0, NULL);
    assert_non_null(data);
    if (dataset)
        json_object_set_new(data, "dataset", json_string(dataset));
    if (folder)
        json_object_set_new(data, "folder", json_string(folder));
    struct dataset *loaded = dataset_load(data, why);
    json_decref(data);
    return loaded;
}

static json_int_t described(const struct dataset *dataset, const char *name)
{
    json_t *description = dataset_describe(dataset);
    assert_true(json_is_integer(json_object_get(description, name)));
    json_int_t value = json_integer_value(json_object_get(description, name));
    json_decref(description);
    return value;
}

static void a_folder_is_loaded_split_and_described(void **state)
{
    struct failure why = FAILURE_NONE;
    struct dataset *dataset =
        load("idx", *state, "{\"train\": 100, \"validation\": 50, \"seed\": \"42\"}", &why);
    assert_non_null(dataset);
    assert_int_equal(described(dataset, "height"), 28);
    assert_int_equal(described(dataset, "width"), 28);
    assert_int_equal(described(dataset, "channels"), 1);
    assert_int_equal(described(dataset, "classes"), 10);
    assert_int_equal(described(dataset, "images"), dataset->training.count);
    assert_int_equal(described(dataset, "train"), 100);
    assert_int_equal(described(dataset, "validation"), 50);
    assert_int_equal(described(dataset, "test"), 50);
    assert_int_equal(described(dataset, "checksum"), dataset->checksum);
    dataset_free(dataset);
}

static void settings_have_defaults(void **state)
{
    struct dataset *dataset = load("idx", *state, "{}", NULL);
    assert_int_equal(dataset->train_count, 200);
    assert_int_equal(dataset->validation_count, 0);
    dataset_free(dataset);

    dataset = load("idx", *state, "{\"train\": \"all\", \"validation\": 20}", NULL);
    assert_int_equal(dataset->train_count, 180);
    dataset_free(dataset);

    dataset = load("idx", *state, "{\"validation\": 20, \"join_validation\": true}", NULL);
    assert_int_equal(dataset->train_count, 200);
    assert_int_equal(dataset->validation_count, 0);
    dataset_free(dataset);
}

static void the_checksum_is_of_the_images_not_of_the_split(void **state)
{
    struct dataset *one = load("idx", *state, "{\"train\": 10, \"seed\": \"1\"}", NULL);
    struct dataset *other = load("idx", *state, "{\"train\": 20, \"seed\": \"2\"}", NULL);
    struct dataset *drawn = xcalloc(1, sizeof *drawn);
    assert_int_equal(one->checksum, other->checksum);

    char *folder = path_join(*state, "other");
    data_synthetic_load(200, 50, 2, drawn);
    assert_int_equal(data_idx_write(folder, drawn, NULL), 0);
    struct dataset *different = load("idx", folder, "{}", NULL);
    assert_int_not_equal(one->checksum, different->checksum);
    free(folder);
    dataset_free(one);
    dataset_free(other);
    dataset_free(drawn);
    dataset_free(different);
}

static void bad_settings_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *dataset;
        bool folder;
        const char *settings, *where, *text;
    } cases[] = {
        {NULL, true, "{}", "data.dataset", "needs a dataset"},
        {"cifar", true, "{}", "data.dataset", "there is no data set 'cifar'"},
        {"idx", false, "{}", "data.folder", "'idx' needs the folder"},
        {"mnist", false, "{}", "data.folder", "'mnist' needs the folder"},
        {"idx", true, "{\"train\": 0}", "data.train", "at least 1"},
        {"idx", true, "{\"train\": -5}", "data.train", "at least 1"},
        {"idx", true, "{\"train\": 1.5}", "data.train", "whole number"},
        {"idx", true, "{\"train\": \"most\"}", "data.train", "\"all\""},
        {"idx", true, "{\"train\": 201}", "data.train", "201 images"},
        {"idx", true, "{\"validation\": \"all\"}", "data.validation", "whole number"},
        {"idx", true, "{\"validation\": -1}", "data.validation", "at least 0"},
        {"idx", true, "{\"validation\": 200}", "data.validation", "only 200"},
        {"idx", true, "{\"seed\": 42}", "data.seed", "as a string"},
        {"idx", true, "{\"seed\": \"x\"}", "data.seed", "2^64 - 1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct failure why = FAILURE_NONE;
        assert_null(load(cases[i].dataset, cases[i].folder ? *state : NULL, cases[i].settings,
                         &why));
        assert_int_equal(why.code, EXIT_BAD_INPUT);
        assert_string_equal(why.where, cases[i].where);
        if (!strstr(why.text, cases[i].text))
            fail_msg("'%s' does not have '%s'", why.text, cases[i].text);
        failure_clear(&why);
    }
}

static void a_folder_of_other_images_is_not_mnist(void **state)
{
    struct failure why = FAILURE_NONE;
    struct dataset small = {.height = 2, .width = 2, .channels = 1, .classes = 2};
    uint8_t pixels[8] = {0};
    uint16_t labels[2] = {0, 1};
    char *folder = path_join(*state, "small");
    small.training = small.test = (struct image_set){pixels, labels, 2};
    assert_int_equal(data_idx_write(folder, &small, NULL), 0);
    assert_null(load("mnist", folder, "{}", &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, "are not MNIST"));
    failure_clear(&why);
    free(folder);
}

static void the_real_mnist_is_as_published(void **state)
{
    (void)state;
    const char *folder = getenv("MNIST_DIR");
    if (!folder)
        skip();
    struct failure why = FAILURE_NONE;
    struct dataset *dataset = load("mnist", folder, "{\"validation\": 5000}", &why);
    if (!dataset)
        fail_msg("%s", why.text);
    assert_int_equal(dataset->train_count, 55000);
    assert_int_equal(dataset->test.count, 10000);
    assert_int_equal(dataset->training.labels[0], 5);
    assert_int_equal(dataset->test.labels[0], 7);
    size_t zeros = 0;
    for (size_t i = 0; i < 60000; i++)
        zeros += dataset->training.labels[i] == 0;
    assert_int_equal(zeros, 5923);
    dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_is_loaded_split_and_described, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(settings_have_defaults, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_checksum_is_of_the_images_not_of_the_split,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(bad_settings_are_refused_with_their_place, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_of_other_images_is_not_mnist, make_folder,
                                        remove_folder),
        cmocka_unit_test(the_real_mnist_is_as_published),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
