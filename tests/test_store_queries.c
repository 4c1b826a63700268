/* The queries for users, by sqlite3 itself, and the view whose rows depend on no luck. */
#include "tests/store_fixture.h"

#include <dirent.h>

static const struct query {
    const char *file, *rows;
} queries[] = {
    {"best_trials.sql",
     "1|2|0.9375|3|{\"learning_rate\":0.0003,\"batch_size\":32,\"epochs\":5,\"augment\":false}\n"
     "2|0|0.875|3|{\"learning_rate\":0.0001,\"batch_size\":32,\"epochs\":1,\"augment\":true}\n"
     "3|4|0.625|3|{\"learning_rate\":0.0005,\"batch_size\":32,\"epochs\":9,\"augment\":false}\n"
     "4|1|0.5|1|{\"learning_rate\":0.0002,\"batch_size\":64,\"epochs\":3,\"augment\":false}\n"},
    {"curve.sql",
     "2|1|3.0|0.5|3.0|0.75\n"
     "2|2|3.0|0.5|4.0|0.875\n"
     "2|3|3.0|0.5|5.0|0.9375\n"},
    {"by_parameter.sql",
     "learning_rate|0.0001|1|0.875|0.875|3.0\n"
     "learning_rate|0.0002|1|0.5|0.5|1.0\n"
     "learning_rate|0.0003|1|0.9375|0.9375|3.0\n"
     "learning_rate|0.0005|1|0.625|0.625|3.0\n"
     "batch_size|32|3|0.8125|0.9375|3.0\n"
     "batch_size|64|1|0.5|0.5|1.0\n"
     "epochs|1|1|0.875|0.875|3.0\n"
     "epochs|3|1|0.5|0.5|1.0\n"
     "epochs|5|1|0.9375|0.9375|3.0\n"
     "epochs|9|1|0.625|0.625|3.0\n"
     "augment|0|3|0.6875|0.9375|2.3\n"
     "augment|1|1|0.875|0.875|3.0\n"},
    {"parameter_pairs.sql",
     "batch_size|32|augment|0|2|0.7813|0.9375\n"},
    {"epoch_times.sql",
     "batch_size|32|9|0.75|0.25|1.25\n"
     "batch_size|64|3|1.167|0.5|1.5\n"},
    {"bracket_costs.sql",
     "1|4|7|3.5|34.1|0.9375|2\n"
     "0|2|5|6.8|65.9|0.625|4\n"},
    {"rank_by_rung.sql",
     "1|2|1|0|1|2|4|0.75\n"
     "1|2|1|1|3|1|2|0.9375\n"
     "1|0|2|0|1|1|4|0.75\n"
     "1|0|2|1|3|2|2|0.875\n"},
    {"regret.sql",
     "1.0|1|0|1|0.75|0.1875\n"
     "6.0|8|0|3|0.875|0.0625\n"
     "8.0|10|2|3|0.9375|0.0\n"},
    {"repeatability.sql",
     "digits|1|0.9375||0.9375|0.9375|0.7143|0.0\n"},
    {"disk.sql",
     "older|0.0|0.0|0.4|1|\n"
     "digits|0.0|0.2|3.0|12|\n"},
    {"promotions.sql",
     "1|0|1|0|0.75|1|promoted as number 1\n"
     "1|0|1|2|0.75|2|promoted as number 2\n"},
    {"failures.sql",
     "3||trial failed|killed by signal 11|\n"
     "3|1|crashed|killed by signal 11|retried\n"
     "3|2|crashed|killed by signal 11|trial failed\n"
     "5||trial failed|val_loss is not finite|\n"
     "5|1|diverged|val_loss is not finite|trial failed\n"},
    {"brackets.sql",
     "1|0|1|4|2|1|1|0.75|0.6667\n"
     "1|1|3|2|0|0|0|0.9375|0.9063\n"
     "0|0|3|2|0|0|1|0.625|0.625\n"},
    {"slowest_trials.sql",
     "4|3.8|3|1.25|{\"learning_rate\":0.0005,\"batch_size\":32,\"epochs\":9,\"augment\":false}\n"
     "5|3.0|2|1.5|{\"learning_rate\":0.0006,\"batch_size\":64,\"epochs\":1,\"augment\":false}\n"
     "2|2.3|3|0.75|{\"learning_rate\":0.0003,\"batch_size\":32,\"epochs\":5,\"augment\":false}\n"
     "0|0.8|3|0.25|{\"learning_rate\":0.0001,\"batch_size\":32,\"epochs\":1,\"augment\":true}\n"
     "1|0.5|1|0.5|{\"learning_rate\":0.0002,\"batch_size\":64,\"epochs\":3,\"augment\":false}\n"},
    {"per_class.sql",
     "0|0.6667|0.6667|0.6667|3\n"
     "2|1.0|0.5|0.6667|2\n"
     "1|0.6667|1.0|0.8|2\n"},
    {"most_confused.sql",
     "0|1|1|33.33\n"
     "2|0|1|50.0\n"},
    {"surest_mistakes.sql",
     "5|2|0|0.875\n"
     "2|0|1|0.5\n"},
};

static void run_sql(const char *path, const char *sql)
{
    char *rest = xasprintf("\"%s\"", sql);
    free(sqlite3_output(path, rest));
    free(rest);
}

/* Segments end a second after another, the upper rung last. */
static void set_times(const char *path)
{
    run_sql(path, "UPDATE recorded_segments SET ended_ms = 1000 * (1 + trial + 5 * rung)"
                  " + (SELECT started_ms FROM recorded_studies WHERE id = study)");
}

/* An older study stands before the one that is meant, and gives other rows. */
static void fill(struct fixture *fixture)
{
    int64_t older = add_study(fixture->store, "older");
    DONE(store_begin(fixture->store, &why));
    add_trial(fixture->store, older, 1);
    add_segment(fixture->store, older, 1, 0, 1, 0, 1, 0);
    decide(fixture->store, older, 1, 0, "promoted", 1);
    DONE(store_add_fault(fixture->store, older, 1, 1, 0, "hung", "said nothing", "retried", &why));
    DONE(store_commit(fixture->store, &why));
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
    fill_final(fixture->store, fixture->study);
    set_times(fixture->path);
}

/* How large the file is depends on much else. */
static const char *filter_of(const char *file)
{
    return strcmp(file, "disk.sql") == 0 ? "| head -2" : "";
}

static void each_query_gives_what_it_promises(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        char *rest = xasprintf("< db/queries/%s %s", queries[i].file, filter_of(queries[i].file));
        char *rows = sqlite3_output(fixture->path, rest);
        assert_string_equal(rows, queries[i].rows);
        free(rows);
        free(rest);
    }
}

static bool is_expected(const char *file)
{
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        if (strcmp(queries[i].file, file) == 0)
            return true;
    }
    return false;
}

static void no_query_is_left_out_here(void **state)
{
    (void)state;
    DIR *folder = opendir("db/queries");
    assert_non_null(folder);
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!strstr(entry->d_name, ".sql"))
            continue;
        files++;
        if (!is_expected(entry->d_name))
            print_error("%s is not tested\n", entry->d_name);
        assert_true(is_expected(entry->d_name));
    }
    closedir(folder);
    assert_int_equal(files, ARRAY_LENGTH(queries));
}

static void queries_on_an_empty_database_give_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        char *rest = xasprintf("< db/queries/%s", queries[i].file);
        char *rows = sqlite3_output(fixture->path, rest);
        assert_string_equal(rows, "");
        free(rows);
        free(rest);
    }
}

/* ---- where the small study does not tell ---- */

static void repeatability_is_over_the_seeds_of_like_studies(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"one", "two", "other"};
        int64_t study = add_study(fixture->store, names[i]);
        fill_search(fixture->store, study);
        fill_final(fixture->store, study);
    }
    run_sql(fixture->path,
            "UPDATE recorded_studies SET seed = id, fingerprint ="
            " format('{\\\"seed\\\":\\\"%d\\\",\\\"eta\\\":%d}', id, id / 3);"
            "UPDATE recorded_studies SET winner = 0 WHERE name = 'two'");
    char *rows = sqlite3_output(fixture->path, "< db/queries/repeatability.sql");
    assert_string_equal(rows, "one|2|0.9063|0.04419|0.875|0.9375|0.7143|0.0\n"
                              "other|1|0.9375||0.9375|0.9375|0.7143|0.0\n");
    free(rows);
}

static void by_parameter_puts_many_values_into_four_groups(void **state)
{
    struct fixture *fixture = *state;
    int64_t study = add_study(fixture->store, "digits");
    DONE(store_begin(fixture->store, &why));
    for (int trial = 0; trial < 12; trial++) {
        add_trial(fixture->store, study, trial);
        add_segment(fixture->store, study, trial, 0, 1, 0, 1, 0);
    }
    DONE(store_commit(fixture->store, &why));
    char *rows = sqlite3_output(fixture->path,
                                "< db/queries/by_parameter.sql | grep learning_rate");
    /* The values of trials 0 to 5 at their first epoch, and once more for 6 to 11. */
    assert_string_equal(rows, "learning_rate|0.0001 to 0.0003|3|0.6667|0.75|1.0\n"
                              "learning_rate|0.0004 to 0.0006|3|0.1667|0.25|1.0\n"
                              "learning_rate|0.0007 to 0.0009|3|0.6667|0.75|1.0\n"
                              "learning_rate|0.001 to 0.0012|3|0.1667|0.25|1.0\n");
    free(rows);
}

static void disk_counts_the_model_the_predictions_and_the_file(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    run_sql(fixture->path, "UPDATE recorded_models SET bytes = zeroblob(3 * 1024)");
    char *rows = sqlite3_output(fixture->path, "< db/queries/disk.sql");
    char *size = sqlite3_output(fixture->path, "\"SELECT 'the whole file||||13|' || (page_count *"
                                " page_size / 1024.0) FROM pragma_page_count, pragma_page_size\"");
    assert_non_null(strstr(rows, "digits|3.0|0.2|"));
    assert_non_null(strstr(rows, size));
    free(rows);
    free(size);
}

/* ---- the manual ---- */

static void every_view_and_column_is_in_the_manual(void **state)
{
    struct fixture *fixture = *state;
    char *manual;
    size_t size;
    assert_int_equal(file_read("docs/database.md", 1 << 20, &manual, &size, NULL), 0);
    json_t *columns = store_rows(fixture->store,
                                 "SELECT v.name AS view, c.name AS column FROM sqlite_schema v"
                                 " JOIN pragma_table_info(v.name) c WHERE v.type = 'view'",
                                 NULL, NULL);
    assert_true(json_array_size(columns) > 100);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *view, *column;
        json_unpack(json_array_get(columns, i), "{s:s, s:s}", "view", &view, "column", &column);
        char *quoted = xasprintf("`%s`", column);
        if (!strstr(manual, view) || !strstr(manual, quoted))
            print_error("%s.%s is not described\n", view, column);
        assert_non_null(strstr(manual, view));
        assert_non_null(strstr(manual, quoted));
        free(quoted);
    }
    json_decref(columns);
    free(manual);
}

/* ---- results ---- */

/* The same search by other workers in another order, with everything that may go wrong
 * without changing a result: retries, interruptions, epochs run again, a replay. */
static void fill_search_otherwise(struct store *store, int64_t study)
{
    int64_t one = 0, two = 0;
    DONE(store_begin(store, &why));
    DONE(store_add_worker(store, study, 100, "trainer 1.0", "avx512 fp32", &one, &why));
    DONE(store_add_worker(store, study, 200, "trainer 1.0", "avx512 fp32", &two, &why));
    for (int trial = 5; trial >= 0; trial--)
        add_trial(store, study, trial);
    fail_trial_5(store, study, two);
    add_segment(store, study, 2, 0, 1, 0, 1, one);
    fail_trial_3(store, study, two);
    DONE(store_begin_segment(store, study, 4, 0, 1, 0, 3, one, &why));
    add_epoch(store, study, 4, 1, 1);
    DONE(store_end_segment(store, study, 4, 0, 1, "interrupted", 0, "Ctrl-C", &why));
    add_segment(store, study, 1, 0, 1, 0, 1, two);
    decide(store, study, 3, 0, "failed", 3);
    decide(store, study, 2, 0, "promoted", 1);
    DONE(store_begin_segment(store, study, 2, 1, 2, 1, 3, two, &why));
    add_epoch(store, study, 2, 2, 2);
    DONE(store_add_fault(store, study, 2, 2, two, "crashed", "killed by signal 9", "retried",
                         &why));
    DONE(store_end_segment(store, study, 2, 1, 2, "retry", 0, "killed by signal 9", &why));
    add_segment(store, study, 4, 0, 2, 0, 3, one);
    add_segment(store, study, 2, 1, 3, 1, 3, one);
    decide(store, study, 2, 1, "completed", 1);
    add_segment(store, study, 0, 0, 1, 0, 1, one);
    decide(store, study, 0, 0, "promoted", 1);
    decide(store, study, 1, 0, "stopped", 3);
    decide(store, study, 5, 0, "failed", 1);
    add_segment(store, study, 0, 1, 2, 1, 3, two);
    decide(store, study, 0, 1, "completed", 2);
    decide(store, study, 4, 0, "completed", 1);
    decide(store, study, 2, 0, "promoted", 2);
    DONE(store_set_winner(store, study, 2, &why));
    DONE(store_commit(store, &why));
}

static void results_do_not_depend_on_order_workers_or_interruptions(void **state)
{
    struct fixture *fixture = *state;
    char *path = path_join(fixture->folder, "other.db");
    struct store *other = open_store(path, STORE_WRITE);
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
    fill_search_otherwise(other, add_study(other, "digits"));
    json_t *ours = store_rows(fixture->store, "SELECT * FROM results", NULL, NULL);
    json_t *theirs = store_rows(other, "SELECT * FROM results", NULL, NULL);
    assert_int_equal(json_array_size(ours), 1 + 2 + 1 + 1 + 2 + 1 + 3 + 2);
    assert_true(json_equal(ours, theirs));
    json_decref(ours);
    json_decref(theirs);
    store_close(other);
    free(path);
}

static void results_hold_every_epoch_rung_and_failure(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
    assert_rows(fixture->store,
                "SELECT study, trial, rung, epochs, value, rank, verdict, epoch, val_loss,"
                " val_accuracy, winner FROM results WHERE trial IN (2, 3)",
                "[{\"study\":\"digits\",\"trial\":2,\"rung\":0,\"epochs\":1,\"value\":0.75,"
                "\"rank\":2,\"verdict\":\"promoted\",\"epoch\":1,\"val_loss\":3.0,"
                "\"val_accuracy\":0.75,\"winner\":1},"
                "{\"study\":\"digits\",\"trial\":2,\"rung\":1,\"epochs\":3,\"value\":0.9375,"
                "\"rank\":1,\"verdict\":\"completed\",\"epoch\":2,\"val_loss\":4.0,"
                "\"val_accuracy\":0.875,\"winner\":1},"
                "{\"study\":\"digits\",\"trial\":2,\"rung\":1,\"epochs\":3,\"value\":0.9375,"
                "\"rank\":1,\"verdict\":\"completed\",\"epoch\":3,\"val_loss\":5.0,"
                "\"val_accuracy\":0.9375,\"winner\":1},"
                "{\"study\":\"digits\",\"trial\":3,\"rung\":0,\"epochs\":1,\"value\":null,"
                "\"rank\":4,\"verdict\":\"failed\",\"epoch\":null,\"val_loss\":null,"
                "\"val_accuracy\":null,\"winner\":0}]");
}

static void results_tell_one_bit_of_a_metric(void **state)
{
    struct fixture *fixture = *state;
    json_t *metrics = json_pack("{s:f}", "val_loss", nextafter(0.1, 1));
    const struct epoch_record epoch = {0, 1, 1, metrics, NULL, 1};
    bool differs;
    fixture->study = add_study(fixture->store, "digits");
    DONE(store_begin(fixture->store, &why));
    add_trial(fixture->store, fixture->study, 0);
    DONE(store_begin_segment(fixture->store, fixture->study, 0, 0, 1, 0, 1, 0, &why));
    DONE(store_add_epoch(fixture->store, fixture->study, &epoch, &differs, &why));
    DONE(store_commit(fixture->store, &why));
    json_t *rows = store_rows(fixture->store, "SELECT val_loss FROM results", NULL, NULL);
    double recorded = json_real_value(json_object_get(json_array_get(rows, 0), "val_loss"));
    assert_true(recorded == nextafter(0.1, 1));
    json_decref(rows);
    json_decref(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(each_query_gives_what_it_promises),
        cmocka_unit_test(no_query_is_left_out_here),
        STORE_TEST(queries_on_an_empty_database_give_nothing),
        STORE_TEST(repeatability_is_over_the_seeds_of_like_studies),
        STORE_TEST(by_parameter_puts_many_values_into_four_groups),
        STORE_TEST(disk_counts_the_model_the_predictions_and_the_file),
        STORE_TEST(every_view_and_column_is_in_the_manual),
        STORE_TEST(results_do_not_depend_on_order_workers_or_interruptions),
        STORE_TEST(results_hold_every_epoch_rung_and_failure),
        STORE_TEST(results_tell_one_bit_of_a_metric),
    };
    return cmocka_run_group_tests_name("store_queries", tests, NULL, NULL);
}
