/* The final training, its predictions and the model. */
#include "tests/store_fixture.h"

static void fill(struct fixture *fixture)
{
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
}

static void the_final_reads_back_whole(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    void *bytes = NULL;
    size_t size = 0;
    fill(fixture);
    assert_int_equal(store_final_model(store, fixture->study, &bytes, &size, NULL), 0);
    fill_final(store, fixture->study);
    assert_rows(store, "SELECT trial, state, attempt, epochs, images, correct, test_loss, layers,"
                       " arithmetic FROM finals",
                "[{\"trial\":2,\"state\":\"ended\",\"attempt\":1,\"epochs\":3,\"images\":7,"
                "\"correct\":5,\"test_loss\":0.5,"
                "\"layers\":\"[{\\\"name\\\":\\\"dense\\\",\\\"parameters\\\":30}]\","
                "\"arithmetic\":\"avx2 fp32\"}]");
    assert_rows(store, "SELECT epoch, train_loss, val_accuracy FROM final_curves",
                "[{\"epoch\":1,\"train_loss\":3.0,\"val_accuracy\":0.75}]");
    assert_rows(store, "SELECT state, winner, images, correct, test_accuracy FROM studies",
                "[{\"state\":\"finished\",\"winner\":2,\"images\":7,\"correct\":5,"
                "\"test_accuracy\":0.714285714286}]");
    assert_int_equal(store_final_model(store, fixture->study, &bytes, &size, NULL), 1);
    assert_int_equal(size, 15);
    assert_memory_equal(bytes, "weights\0and all", 15);
    free(bytes);
}

static void predictions_and_confusion_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fill(fixture);
    fill_final(store, fixture->study);
    assert_rows(store, "SELECT image, label, predicted, correct, probability, probabilities"
                       " FROM predictions WHERE image IN (2, 6)",
                "[{\"image\":2,\"label\":0,\"predicted\":1,\"correct\":0,\"probability\":0.5,"
                "\"probabilities\":\"[0.25,0.5,0.25]\"},"
                "{\"image\":6,\"label\":2,\"predicted\":2,\"correct\":1,\"probability\":0.75,"
                "\"probabilities\":\"[0,0.25,0.75]\"}]");
    assert_rows(store, "SELECT label, predicted, images FROM confusion",
                "[{\"label\":0,\"predicted\":0,\"images\":2},"
                "{\"label\":0,\"predicted\":1,\"images\":1},"
                "{\"label\":1,\"predicted\":1,\"images\":2},"
                "{\"label\":2,\"predicted\":0,\"images\":1},"
                "{\"label\":2,\"predicted\":2,\"images\":1}]");
    DONE(store_begin(store, &why));
    DONE(store_begin_final(store, fixture->study, 2, 2, 3, &why));
    DONE(store_clear_predictions(store, fixture->study, &why));
    DONE(store_commit(store, &why));
    assert_int_equal(count_rows(store, "SELECT * FROM predictions"), 0);
    assert_rows(store, "SELECT state, attempt FROM finals",
                "[{\"state\":\"running\",\"attempt\":2}]");
}

static void images_read_back_and_go_with_the_predictions(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    json_t *images = json_loads("[{\"image\":2,\"pixels\":\"AAH/\"},"
                                "{\"image\":5,\"pixels\":\"\"}]", 0, NULL);
    fill(fixture);
    fill_final(store, fixture->study);
    DONE(store_begin(store, &why));
    DONE(store_add_images(store, fixture->study, NULL, &why));
    DONE(store_add_images(store, fixture->study, images, &why));
    DONE(store_add_images(store, fixture->study, images, &why));
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT * FROM images",
                "[{\"study\":\"digits\",\"image\":2,\"pixels\":\"0001ff\"},"
                "{\"study\":\"digits\",\"image\":5,\"pixels\":\"\"}]");
    DONE(store_begin(store, &why));
    DONE(store_clear_predictions(store, fixture->study, &why));
    DONE(store_commit(store, &why));
    assert_int_equal(count_rows(store, "SELECT * FROM images"), 0);
    json_decref(images);
}

static void an_image_that_is_no_base64_is_not_recorded(void **state)
{
    struct fixture *fixture = *state;
    json_t *images = json_pack("[{s:i, s:s}]", "image", 0, "pixels", "?");
    fill(fixture);
    fill_final(fixture->store, fixture->study);
    DONE(store_begin(fixture->store, &why));
    REFUSED(store_add_images(fixture->store, fixture->study, images, &why), EXIT_FAILED,
            "no base64");
    assert_int_equal(store_commit(fixture->store, NULL), -1);
    json_decref(images);
}

static void predictions_that_do_not_belong_together_are_refused(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    json_t *two = json_pack("[i,i]", 0, 1), *one = json_pack("[[f,f]]", 0.5, 0.5);
    DONE(store_begin(fixture->store, &why));
    DONE(store_begin_final(fixture->store, fixture->study, 2, 1, 3, &why));
    REFUSED(store_add_predictions(fixture->store, fixture->study, 0, two, two, one, &why),
            EXIT_FAILED, "2, 2 and 1 images");
    assert_int_equal(store_commit(fixture->store, NULL), -1);
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM finals"), 0);
    json_decref(two);
    json_decref(one);
}

/* A winner that was not trained anew was trained in its trial's arithmetic. */
static void the_arithmetic_is_that_of_the_training(void **state)
{
    static const char sql[] = "SELECT arithmetic FROM finals";
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
    DONE(store_begin(fixture->store, &why));
    DONE(store_set_arithmetic(fixture->store, fixture->study, 2, 1, 2, "amx bf16", &why));
    DONE(store_begin_final(fixture->store, fixture->study, 2, 1, 3, &why));
    assert_rows(fixture->store, sql, "[{\"arithmetic\":\"amx bf16\"}]");
    DONE(store_set_final_arithmetic(fixture->store, fixture->study, "avx512 fp32", &why));
    DONE(store_begin_final(fixture->store, fixture->study, 2, 2, 3, &why));
    assert_rows(fixture->store, sql, "[{\"arithmetic\":\"avx512 fp32\"}]");
    DONE(store_commit(fixture->store, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_final_reads_back_whole),
        STORE_TEST(predictions_and_confusion_read_back),
        STORE_TEST(images_read_back_and_go_with_the_predictions),
        STORE_TEST(an_image_that_is_no_base64_is_not_recorded),
        STORE_TEST(predictions_that_do_not_belong_together_are_refused),
        STORE_TEST(the_arithmetic_is_that_of_the_training),
    };
    return cmocka_run_group_tests_name("store_final", tests, NULL, NULL);
}
