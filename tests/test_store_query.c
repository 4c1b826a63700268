/* Queries that people write, and who reads their rows. */
#include "tests/store_fixture.h"

#include "db/ready_query.h"
#include "db/store_query.h"

/* A reader that notes what it is told, and can have enough. */
struct notes {
    char text[4096];
    int rows, most_rows; /* 0: all */
    int looks, most_looks;
};

static void note(struct notes *notes, const char *format, const char *text)
{
    size_t length = strlen(notes->text);
    snprintf(notes->text + length, sizeof notes->text - length, format, text);
}

static int begin(void *context, const char *const *names, size_t count, struct failure *reason)
{
    (void)reason;
    for (size_t i = 0; i < count; i++)
        note(context, i == 0 ? "[%s" : ",%s", names[i]);
    return 0;
}

static int row(void *context, const struct value *values, size_t count, struct failure *reason)
{
    struct notes *notes = context;
    for (size_t i = 0; i < count; i++) {
        json_t *json = value_to_json(&values[i]);
        char *text = json_dumps(json, JSON_ENCODE_ANY);
        note(notes, i == 0 ? "|%s" : ",%s", text);
        free(text);
        json_decref(json);
    }
    notes->rows++;
    return notes->rows == notes->most_rows ? fail(reason, "enough") : 0;
}

static int end(void *context, struct failure *reason)
{
    (void)reason;
    note(context, "%s", "]");
    return 0;
}

static bool interrupted(void *context)
{
    struct notes *notes = context;
    return ++notes->looks == notes->most_looks;
}

static int ask(const struct fixture *fixture, const char *sql, json_t *arguments,
               struct notes *notes)
{
    const struct query_reader reader = {notes, begin, row, end,
                                        notes->most_looks ? interrupted : NULL};
    int result = store_query(fixture->store, sql, arguments, &reader, &why);
    json_decref(arguments);
    return result;
}

static int open_to_read(void **state)
{
    if (make_fixture(state) < 0)
        return -1;
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_READ);
    return 0;
}

#define QUERY_TEST(name) cmocka_unit_test_setup_teardown(name, open_to_read, remove_fixture)

static void rows_come_with_their_names_and_types(void **state)
{
    struct notes notes = {0};
    DONE(ask(*state, "-- first\nSELECT 1 AS a, 0.5 AS b, 'x' AS c, NULL AS d, x'0a' AS e;"
                     " SELECT 2 AS a UNION SELECT 3; ;  -- last", NULL, &notes));
    assert_string_equal(notes.text, "[a,b,c,d,e|1,0.5,\"x\",null,\"0a\"][a|2|3]");
}

static void arguments_are_bound_by_name(void **state)
{
    struct notes notes = {0};
    DONE(ask(*state, "SELECT :n AS n, :text AS text, :none AS none",
             json_pack("{s:i, s:s}", "n", 7, "text", "it's"), &notes));
    assert_string_equal(notes.text, "[n,text,none|7,\"it's\",null]");
    REFUSED(ask(*state, "SELECT 1", json_pack("{s:i}", "odd", 1), &notes), EXIT_BAD_USAGE,
            "no :odd");
}

static void a_reader_that_has_enough_ends_the_query(void **state)
{
    struct notes notes = {.most_rows = 2};
    REFUSED(ask(*state, "SELECT trial FROM trials; SELECT 1", NULL, &notes), EXIT_FAILED, "enough");
    assert_string_equal(notes.text, "[trial|0|1");
}

static void a_query_without_end_is_interrupted(void **state)
{
    struct notes notes = {.most_looks = 3};
    int result = ask(*state, "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
                             " SELECT count(*) FROM n", NULL, &notes);
    assert_int_equal(result, 1);
    assert_int_equal(notes.looks, 3);
    assert_null(why.text);
    /* And the store is as good as before. */
    struct notes after = {0};
    DONE(ask(*state, "SELECT count(*) AS n FROM trials", NULL, &after));
    assert_string_equal(after.text, "[n|6]");
}

static void what_is_more_than_reading_is_refused_before_it_begins(void **state)
{
    struct fixture *fixture = *state;
    static const char *const queries[] = {
        "DELETE FROM recorded_trials", "CREATE TEMP TABLE x (a)", "ATTACH ':memory:' AS x",
        "PRAGMA query_only = OFF", "BEGIN", "VACUUM", "SELECT 1; DROP VIEW trials"};
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        struct notes notes = {0};
        REFUSED(ask(fixture, queries[i], NULL, &notes), EXIT_BAD_INPUT, "can only be read");
    }
    /* Also where the database is open for writing. */
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    struct notes notes = {0};
    REFUSED(ask(fixture, queries[0], NULL, &notes), EXIT_BAD_INPUT, "can only be read");
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), 6);
}

static void a_mistake_is_marked(void **state)
{
    struct notes notes = {0};
    REFUSED(ask(*state, "SELECT 1;\nSELECT  vale\nFROM trials", NULL, &notes), EXIT_BAD_INPUT,
            "no such column: vale, in line 2\n  SELECT  vale\n          ^");
}

static void a_query_is_whole_at_its_semicolon(void **state)
{
    (void)state;
    assert_true(query_is_complete("SELECT ';';"));
    assert_false(query_is_complete("SELECT ';"));
    assert_false(query_is_complete("SELECT 1 -- ;"));
    assert_false(query_is_complete("SELECT 1"));
}

static void ready_queries_stand_in_the_order_of_their_names(void **state)
{
    (void)state;
    size_t count;
    const struct ready_query *queries = ready_queries(&count);
    assert_true(count >= 12);
    for (size_t i = 0; i < count; i++) {
        char *path = xasprintf("db/queries/%s.sql", queries[i].name), *bytes;
        size_t size;
        assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), 0);
        assert_string_equal(bytes, queries[i].sql);
        assert_true(i == 0 || strcmp(queries[i - 1].name, queries[i].name) < 0);
        free(bytes);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUERY_TEST(rows_come_with_their_names_and_types),
        QUERY_TEST(arguments_are_bound_by_name),
        QUERY_TEST(a_reader_that_has_enough_ends_the_query),
        QUERY_TEST(a_query_without_end_is_interrupted),
        QUERY_TEST(what_is_more_than_reading_is_refused_before_it_begins),
        QUERY_TEST(a_mistake_is_marked),
        cmocka_unit_test(a_query_is_whole_at_its_semicolon),
        cmocka_unit_test(ready_queries_stand_in_the_order_of_their_names),
    };
    return cmocka_run_group_tests_name("store_query", tests, NULL, NULL);
}
