/* Transactions, and asking. */
#include "tests/store_fixture.h"

/* ---- transactions ---- */

static void recording_needs_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    REFUSED(store_set_winner(fixture->store, fixture->study, 0, &why), EXIT_FAILED, "transaction");
}

static void a_rollback_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    DONE(store_begin(fixture->store, &why));
    add_trial(fixture->store, fixture->study, 0);
    store_rollback(fixture->store);
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), 0);
    DONE(store_begin(fixture->store, &why));
    add_trial(fixture->store, fixture->study, 0);
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), 0);
}

static void a_transaction_with_a_gap_is_never_committed(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fixture->study = add_study(store, "digits");
    json_t *none = json_object();
    DONE(store_begin(store, &why));
    add_trial(store, fixture->study, 0);
    REFUSED(store_add_trial(store, fixture->study, 0, 0, none, none, &why), EXIT_FAILED,
            "UNIQUE constraint");
    REFUSED(store_add_trial(store, 99, 0, 0, none, none, &why), EXIT_FAILED,
            "FOREIGN KEY constraint");
    add_trial(store, fixture->study, 1);
    REFUSED(store_commit(store, &why), EXIT_FAILED, "nothing of it was");
    assert_int_equal(count_rows(store, "SELECT * FROM trials"), 0);
    DONE(store_begin(store, &why));
    add_trial(store, fixture->study, 1);
    DONE(store_commit(store, &why));
    assert_int_equal(count_rows(store, "SELECT * FROM trials"), 1);
    json_decref(none);
}

static void a_study_that_cannot_be_named_is_refused(void **state)
{
    struct fixture *fixture = *state;
    add_study(fixture->store, "digits");
    const char *const names[] = {"digits", "DIGITS", "x\"; DROP TABLE recorded_studies; --", "9x",
                                 ""};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const struct study_record record = {.name = names[i], .file = "f", .text = "t",
                                            .fingerprint = "{}", .metric = "val_loss",
                                            .sampler = "grid", .scheduler = "full", .data = "{}"};
        int64_t id;
        DONE(store_begin(fixture->store, &why));
        REFUSED(store_add_study(fixture->store, &record, &id, &why), EXIT_FAILED, "constraint");
        store_rollback(fixture->store);
    }
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM studies"), 1);
}

static void a_reader_does_not_record(void **state)
{
    struct fixture *fixture = *state;
    struct store *reader = open_store(fixture->path, STORE_READ);
    REFUSED(store_begin(reader, &why), EXIT_FAILED, "reading only");
    REFUSED(store_set_study_state(reader, 1, "finished", NULL, &why), EXIT_FAILED, "reading only");
    store_close(reader);
}

/* ---- asking ---- */

static void asking_never_writes(void **state)
{
    struct fixture *fixture = *state;
    add_study(fixture->store, "digits");
    const char *const statements[] = {
        "DELETE FROM recorded_parameters", "INSERT INTO recorded_plan VALUES (1, 9, 0, 1, 0, 1)",
        "DELETE FROM recorded_parameters RETURNING name",
        "SELECT 1; DELETE FROM recorded_parameters", "DROP VIEW trials", "BEGIN", "COMMIT",
        "PRAGMA user_version = 7", "PRAGMA journal_mode = DELETE", "VACUUM",
        "ATTACH ':memory:' AS m", "", "-- nothing"};
    for (size_t i = 0; i < ARRAY_LENGTH(statements); i++) {
        assert_null(store_rows(fixture->store, statements[i], NULL, &why));
        REFUSED(-1, EXIT_FAILED, "only one SELECT");
    }
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM parameters"), 4);
}

static void a_question_that_is_wrong_says_how(void **state)
{
    struct fixture *fixture = *state;
    assert_null(store_rows(fixture->store, "SELECT colour FROM trials", NULL, &why));
    REFUSED(-1, EXIT_FAILED, "no such column: colour");
    json_t *two = json_pack("[i, i]", 1, 2);
    assert_null(store_rows(fixture->store, "SELECT ?1", two, &why));
    REFUSED(-1, EXIT_FAILED, "out of range");
    json_decref(two);
}

static void arguments_and_columns_keep_their_types(void **state)
{
    struct fixture *fixture = *state;
    json_t *arguments = json_pack("[i, f, s, n, b]", 7, 0.1, "it's", 1);
    json_t *rows = store_rows(fixture->store, "SELECT ?1 AS i, ?2 AS r, ?3 AS t, ?4 AS n, ?5 AS b,"
                                              " x'00ff' AS blob, 9e999 AS endless;\n",
                              arguments, NULL);
    json_t *expected = json_pack("[{s:i, s:f, s:s, s:n, s:i, s:s, s:n}]", "i", 7, "r", 0.1, "t",
                                 "it's", "n", "b", 1, "blob", "00ff", "endless");
    assert_true(json_equal(rows, expected));
    json_decref(arguments);
    json_decref(rows);
    json_decref(expected);
}

static void text_that_is_no_utf_8_is_shown_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    DONE(store_begin(fixture->store, &why));
    DONE(store_add_fault(fixture->store, fixture->study, -1, 0, 0, "garbage", "said \xff\xc3", "-",
                         &why));
    DONE(store_commit(fixture->store, &why));
    assert_rows(fixture->store, "SELECT reason FROM faults", "[{\"reason\":\"said \?\?\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(recording_needs_a_transaction),
        STORE_TEST(a_rollback_leaves_nothing),
        STORE_TEST(a_transaction_with_a_gap_is_never_committed),
        STORE_TEST(a_study_that_cannot_be_named_is_refused),
        STORE_TEST(a_reader_does_not_record),
        STORE_TEST(asking_never_writes),
        STORE_TEST(a_question_that_is_wrong_says_how),
        STORE_TEST(arguments_and_columns_keep_their_types),
        STORE_TEST(text_that_is_no_utf_8_is_shown_all_the_same),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
