/* What is opened, what is refused, and how a read-only folder is read. */
#include "tests/folder_remove.h"
#include "tests/store_fixture.h"

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void put_file(const char *path, const void *bytes, size_t size)
{
    const struct file_piece piece = {bytes, size};
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
}

/* Opening fails as bad input that names the file and has `part` in its message, the file
 * stays as it was, and no lock is left behind. */
static void assert_not_opened(const char *path, enum store_mode mode, const char *part)
{
    char *before = NULL, *after = NULL, *lock = xasprintf("%s.lock", path);
    size_t size_before = 0, size_after = 0;
    bool is_file = file_read(path, 1 << 20, &before, &size_before, NULL) == 0;
    struct store *store = store_open(path, mode, &why);
    assert_null(store);
    assert_non_null(strstr(why.text, path));
    REFUSED(-1, EXIT_BAD_INPUT, part);
    if (is_file) {
        assert_int_equal(file_read(path, 1 << 20, &after, &size_after, NULL), 0);
        assert_int_equal(size_after, size_before);
        assert_memory_equal(after, before, size_before);
    }
    assert_false(file_exists(lock));
    free(before);
    free(after);
    free(lock);
}

static void run_sql(const char *path, const char *sql)
{
    char *command = xasprintf("sqlite3 '%s' \"%s\" > /dev/null", path, sql);
    assert_int_equal(system(command), 0);
    free(command);
}

/* ---- opening ---- */

static void a_new_database_is_marked_as_ours(void **state)
{
    struct fixture *fixture = *state;
    assert_rows(fixture->store, "PRAGMA application_id", "[{\"application_id\":1414876741}]");
    assert_rows(fixture->store, "PRAGMA user_version", "[{\"user_version\":8}]");
    char *mode = sqlite3_output(fixture->path, "'PRAGMA journal_mode'");
    assert_string_equal(mode, "wal\n");
    free(mode);
    assert_rows(fixture->store, "PRAGMA synchronous", "[{\"synchronous\":2}]");
    assert_rows(fixture->store, "PRAGMA foreign_keys", "[{\"foreign_keys\":1}]");
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM studies"), 0);
}

static void schema_sql_makes_the_same_database(void **state)
{
    struct fixture *fixture = *state;
    char *path = path_join(fixture->folder, "by_hand.db");
    static const char ask[] = ".schema 'PRAGMA user_version' 'PRAGMA application_id'";
    char *made = sqlite3_output(path, "< db/schema.sql");
    char *by_hand = sqlite3_output(path, ask), *ours = sqlite3_output(fixture->path, ask);
    assert_non_null(strstr(ours, "CREATE VIEW results"));
    assert_string_equal(ours, by_hand);
    free(made);
    free(by_hand);
    free(ours);
    free(path);
}

static void tables_are_strict_and_every_view_works(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(count_rows(fixture->store, "SELECT name FROM pragma_table_list WHERE schema ="
                                                " 'main' AND type = 'table' AND NOT strict"
                                                " AND name NOT LIKE 'sqlite%'"), 0);
    json_t *views = store_rows(fixture->store, "SELECT name FROM sqlite_schema"
                                               " WHERE type = 'view'", NULL, NULL);
    assert_true(json_array_size(views) >= 20);
    for (size_t i = 0; i < json_array_size(views); i++) {
        const json_t *view = json_array_get(views, i);
        char *sql = xasprintf("SELECT * FROM %s",
                              json_string_value(json_object_get(view, "name")));
        assert_int_equal(count_rows(fixture->store, sql), 0);
        free(sql);
    }
    json_decref(views);
}

static void what_was_recorded_is_there_after_opening_again(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_int_equal(store_find_study(fixture->store, "digits", NULL), fixture->study);
}

static void views_are_made_anew_and_those_of_users_stay(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    store_close(fixture->store);
    run_sql(fixture->path, "DROP VIEW trials; CREATE VIEW trials AS SELECT 1 AS old;"
                           "DROP VIEW study_digits; CREATE VIEW mine AS SELECT 2 AS two");
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_int_equal(count_rows(fixture->store, "SELECT trial, value FROM trials"), 0);
    assert_int_equal(count_rows(fixture->store, "SELECT batch_size FROM study_digits"), 0);
    assert_rows(fixture->store, "SELECT * FROM mine", "[{\"two\":2}]");
}

/* Whatever makes a view anew makes every reader read the schema again. */
static void views_that_are_there_are_left_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    store_close(fixture->store);
    char *before = sqlite3_output(fixture->path, "'PRAGMA schema_version'");
    fixture->store = open_store(fixture->path, STORE_WRITE);
    char *after = sqlite3_output(fixture->path, "'PRAGMA schema_version'");
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *path = path_join(fixture->folder, "notes.txt");
    char *large = xmalloc(20000);
    memset(large, 'x', 20000);
    put_file(path, "short notes", 11);
    assert_not_opened(path, STORE_WRITE, "not a database");
    assert_not_opened(path, STORE_READ, "not a database");
    put_file(path, large, 20000);
    assert_not_opened(path, STORE_WRITE, "not a database");
    assert_not_opened(path, STORE_READ, "not a database");
    assert_not_opened(fixture->folder, STORE_WRITE, "folder");
    assert_not_opened(fixture->folder, STORE_READ, "folder");
    free(large);
    free(path);
}

static void a_damaged_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *bytes;
    size_t size;
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(file_read(fixture->path, 1 << 20, &bytes, &size, NULL), 0);
    assert_true(size > 8192);
    memset(bytes + 4096, 0xa5, size - 4096);
    memset(bytes + 100, 0xa5, 3996);
    put_file(fixture->path, bytes, size);
    assert_not_opened(fixture->path, STORE_READ, "damaged");
    assert_not_opened(fixture->path, STORE_WRITE, "damaged");
    free(bytes);
}

static void a_database_of_another_program_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *path = path_join(fixture->folder, "photos.db");
    run_sql(path, "CREATE TABLE photos (name); INSERT INTO photos VALUES ('cat')");
    assert_not_opened(path, STORE_WRITE, "another program");
    assert_not_opened(path, STORE_READ, "another program");
    run_sql(path, "PRAGMA application_id = 7; PRAGMA user_version = 1; PRAGMA journal_mode = WAL");
    assert_not_opened(path, STORE_WRITE, "another program (application id 7)");
    assert_not_opened(path, STORE_READ, "another program (application id 7)");
    free(path);
}

static void a_database_of_a_later_version_is_refused(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    fixture->store = NULL;
    run_sql(fixture->path, "PRAGMA user_version = 99");
    assert_not_opened(fixture->path, STORE_WRITE, "later version");
    assert_not_opened(fixture->path, STORE_READ, "later version");
}

static void a_database_of_an_earlier_version_is_brought_up_to_date(void **state)
{
    struct fixture *fixture = *state;
    char *path = path_join(fixture->folder, "old.db");
    char *made = sqlite3_output(path, "< db/migrations/001.sql");
    run_sql(path, "PRAGMA application_id = 1414876741; PRAGMA user_version = 1;"
                  "INSERT INTO recorded_studies (id, name, file, text, fingerprint, seed, metric,"
                  " maximize, sampler, scheduler, data, started_ms) VALUES"
                  " (1, 'old', 'f', 't', '{}', '1', 'val_loss', 0, 'grid', 'full', '{}', 1);"
                  "INSERT INTO recorded_trials (study, trial, bracket, parameters, state,"
                  " started_ms) VALUES (1, 0, 0, '{}', 'completed', 1),"
                  " (1, 1, 0, '{}', 'failed', 1), (1, 2, 0, '{}', 'completed', 1);"
                  "INSERT INTO recorded_segments (study, trial, rung, attempt, from_epoch,"
                  " to_epoch, state, value, started_ms) VALUES"
                  " (1, 0, 0, 1, 0, 1, 'ended', 0.5, 1), (1, 0, 1, 2, 1, 3, 'ended', 0.25, 1),"
                  " (1, 1, 0, 1, 0, 1, 'ended', 0.125, 1), (1, 2, 0, 1, 0, 1, 'ended', 0.2, 1);"
                  "CREATE VIEW trials AS SELECT bracket FROM recorded_trials");
    struct store *store = open_store(path, STORE_WRITE);
    assert_rows(store, "PRAGMA user_version", "[{\"user_version\":8}]");
    assert_rows(store, "SELECT study, trial, state, early_end FROM trials WHERE trial = 0",
                "[{\"study\":\"old\",\"trial\":0,\"state\":\"completed\",\"early_end\":null}]");
    assert_rows(store, "SELECT trial, value, value_epochs FROM trials",
                "[{\"trial\":0,\"value\":0.25,\"value_epochs\":3},"
                "{\"trial\":1,\"value\":null,\"value_epochs\":null},"
                "{\"trial\":2,\"value\":0.2,\"value_epochs\":1}]");
    assert_rows(store, "SELECT rank, trial, value FROM leaderboard",
                "[{\"rank\":1,\"trial\":2,\"value\":0.2},{\"rank\":2,\"trial\":0,\"value\":0.25}]");
    assert_rows(store, "SELECT precision FROM studies", "[{\"precision\":null}]");
    store_close(store);
    free(made);
    free(path);
}

/* ---- databases of earlier versions, made by the programs of their time ---- */

/* 4 to 6 are steps on the way to 7, with which no program went out. */
static const int versions[] = {1, 2, 3, 7};

static char *unpack(const struct fixture *fixture, int version)
{
    char *path = xasprintf("%s/v%d.db", fixture->folder, version);
    char *command = xasprintf("gzip -dc tests/cases/databases/%d.db.gz > '%s'", version, path);
    assert_int_equal(system(command), 0);
    free(command);
    return path;
}

static const char results_sql[] =
    "\"SELECT study, trial, bracket, parameters, rung, epochs, value, rank, verdict, epoch,"
    " format('%!.17g', train_loss), format('%!.17g', train_accuracy),"
    " format('%!.17g', val_loss), format('%!.17g', val_accuracy), winner FROM results\"";

/* What a trial draws is recorded in the order of the trials alone: an index over it would have each
 * value written to a place of its own. */
static void assert_no_index_of_values(struct store *store)
{
    assert_int_equal(count_rows(store, "SELECT name FROM sqlite_schema WHERE type = 'index' AND"
                                       " tbl_name = 'recorded_trial_parameters' AND sql NOT NULL"),
                     0);
}

static void assert_migrated(const struct fixture *fixture, int version, enum store_mode mode)
{
    char *path = unpack(fixture, version);
    char *backup = xasprintf("%s.v%d.backup", path, version);
    char *before = sqlite3_output(path, results_sql);
    assert_int_equal(strncmp(before, "digits|0|2|", 11), 0);
    struct store *store = open_store(path, mode);
    assert_rows(store, "SELECT study, state, winner, correct FROM studies",
                "[{\"study\":\"digits\",\"state\":\"finished\",\"winner\":9,"
                "\"correct\":980}]");
    assert_rows(store, "SELECT count(DISTINCT trial) AS trials FROM study_digits",
                "[{\"trials\":10}]");
    assert_no_index_of_values(store);
    store_close(store);
    char *after = sqlite3_output(path, results_sql), *kept = sqlite3_output(backup, results_sql);
    char *marks = sqlite3_output(backup, "'PRAGMA user_version' 'PRAGMA integrity_check'");
    char *expected = xasprintf("%d\nok\n", version);
    assert_string_equal(after, before);
    assert_string_equal(kept, before);
    assert_string_equal(marks, expected);
    char *const texts[] = {path, backup, before, after, kept, marks, expected};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        free(texts[i]);
}

static void old_databases_migrate_with_the_same_results_and_a_backup(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++)
        assert_migrated(fixture, versions[i], STORE_WRITE);
}

static void reading_an_old_database_migrates_it_too(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++)
        assert_migrated(fixture, versions[i], STORE_READ);
}

static void nothing_is_migrated_where_no_backup_can_be_made(void **state)
{
    struct fixture *fixture = *state;
    char *path = unpack(fixture, 2), *backup = xasprintf("%s.v2.backup", path);
    assert_int_equal(folder_make(backup, NULL), 0);
    assert_null(store_open(path, STORE_WRITE, &why));
    assert_non_null(strstr(why.text, "nothing was changed"));
    failure_clear(&why);
    char *version = sqlite3_output(path, "'PRAGMA user_version'");
    assert_string_equal(version, "2\n");
    free(version);
    free(path);
    free(backup);
}

static void a_new_database_has_no_index_of_values(void **state)
{
    struct fixture *fixture = *state;
    assert_no_index_of_values(fixture->store);
}

static void a_database_of_this_version_is_not_copied(void **state)
{
    struct fixture *fixture = *state;
    char *backup = xasprintf("%s.v8.backup", fixture->path);
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_false(file_exists(backup));
    free(backup);
}

/* Every earlier version has its database among the cases. */
static void no_earlier_version_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    json_t *rows = store_rows(fixture->store, "PRAGMA user_version", NULL, NULL);
    json_int_t version =
        json_integer_value(json_object_get(json_array_get(rows, 0), "user_version"));
    for (json_int_t i = 1; i < version; i++) {
        char *path = xasprintf("tests/cases/databases/%lld.db.gz", (long long)i);
        assert_true(file_exists(path) || (i >= 4 && i <= 6));
        free(path);
    }
    json_decref(rows);
}

static void reading_needs_a_database(void **state)
{
    struct fixture *fixture = *state;
    char *missing = path_join(fixture->folder, "missing.db");
    char *below = path_join(fixture->folder, "none/missing.db");
    char *empty = path_join(fixture->folder, "empty.db");
    assert_not_opened(missing, STORE_READ, "no such database");
    assert_false(file_exists(missing));
    assert_not_opened(below, STORE_WRITE, "folder does not exist");
    put_file(empty, "", 0);
    assert_not_opened(empty, STORE_READ, "no studies yet");
    free(missing);
    free(below);
    free(empty);
}

static void an_empty_file_becomes_a_database(void **state)
{
    struct fixture *fixture = *state;
    char *path = path_join(fixture->folder, "empty.db");
    put_file(path, "", 0);
    struct store *store = open_store(path, STORE_WRITE);
    assert_int_equal(count_rows(store, "SELECT * FROM studies"), 0);
    store_close(store);
    free(path);
}

/* ---- read-only places ---- */

/* Runs `what` as a user without rights, for whom a folder can be read-only. */
static void as_nobody(void (*what)(const char *), const char *path)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
            _exit(2);
        what(path);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void write_is_refused(const char *path)
{
    if (store_open(path, STORE_WRITE, &why) || why.code != EXIT_BAD_INPUT ||
        !strstr(why.text, path) || !strstr(why.text, "choose a place that you may write to"))
        _exit(1);
}

static void read_finds_digits(const char *path)
{
    struct store *store = store_open(path, STORE_READ, &why);
    if (!store || store_find_study(store, "digits", NULL) != 1)
        _exit(1);
    store_close(store);
}

static void read_is_refused_for_the_log(const char *path)
{
    if (store_open(path, STORE_READ, &why) || why.code != EXIT_BAD_INPUT ||
        !strstr(why.text, "-wal holds a part of it"))
        _exit(1);
}

/* A folder that nobody may write, in /tmp because the way to it must be open to all. */
struct closed_place {
    char folder[40];
    char *path;
};

static void make_closed_place(struct closed_place *place)
{
    strcpy(place->folder, "/tmp/store closed?%XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->path = path_join(place->folder, "trials.db");
}

static void close_place(struct closed_place *place)
{
    assert_int_equal(chmod(place->path, 0444), 0);
    assert_int_equal(chmod(place->folder, 0555), 0);
}

static void remove_closed_place(struct closed_place *place)
{
    assert_int_equal(chmod(place->folder, 0755), 0);
    assert_int_equal(folder_remove(place->folder, NULL), 0);
    free(place->path);
}

static void a_read_only_folder_can_be_read_but_not_written(void **state)
{
    (void)state;
    struct closed_place place;
    make_closed_place(&place);
    struct store *store = open_store(place.path, STORE_WRITE);
    add_study(store, "digits");
    store_close(store);
    close_place(&place);
    as_nobody(write_is_refused, place.path);
    as_nobody(read_finds_digits, place.path);
    remove_closed_place(&place);
}

static void a_log_in_a_read_only_folder_is_not_passed_over(void **state)
{
    (void)state;
    struct closed_place place;
    make_closed_place(&place);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        add_study(open_store(place.path, STORE_WRITE), "digits");
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    char *shared = xasprintf("%s-shm", place.path);
    unlink(shared);
    close_place(&place);
    as_nobody(read_is_refused_for_the_log, place.path);
    free(shared);
    remove_closed_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_database_is_marked_as_ours),
        STORE_TEST(schema_sql_makes_the_same_database),
        STORE_TEST(tables_are_strict_and_every_view_works),
        STORE_TEST(what_was_recorded_is_there_after_opening_again),
        STORE_TEST(views_are_made_anew_and_those_of_users_stay),
        STORE_TEST(views_that_are_there_are_left_alone),
        STORE_TEST(what_is_no_database_is_refused),
        STORE_TEST(a_damaged_database_is_refused),
        STORE_TEST(a_database_of_another_program_is_refused),
        STORE_TEST(a_database_of_a_later_version_is_refused),
        STORE_TEST(a_database_of_an_earlier_version_is_brought_up_to_date),
        STORE_TEST(old_databases_migrate_with_the_same_results_and_a_backup),
        STORE_TEST(reading_an_old_database_migrates_it_too),
        STORE_TEST(nothing_is_migrated_where_no_backup_can_be_made),
        STORE_TEST(a_new_database_has_no_index_of_values),
        STORE_TEST(a_database_of_this_version_is_not_copied),
        STORE_TEST(no_earlier_version_is_left_out),
        STORE_TEST(reading_needs_a_database),
        STORE_TEST(an_empty_file_becomes_a_database),
        cmocka_unit_test(a_read_only_folder_can_be_read_but_not_written),
        cmocka_unit_test(a_log_in_a_read_only_folder_is_not_passed_over),
    };
    return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
