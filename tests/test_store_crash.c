/* Killed processes, full disks, and other programs at the same file. */
#include "tests/store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EPOCHS = 3, TRIALS_MAX = 1000000 };

static void assert_sound(struct store *store)
{
    assert_rows(store, "PRAGMA integrity_check", "[{\"integrity_check\":\"ok\"}]");
    assert_int_equal(count_rows(store, "PRAGMA foreign_key_check"), 0);
}

/* One transaction: a trial with all its epochs.  For children, which cannot use the
 * assertions of the test program: false when it fails. */
static bool record_trial(struct store *store, int64_t study, int trial, struct failure *cause)
{
    json_t *none = json_object();
    json_t *metrics = json_pack("{s:f, s:f}", "val_accuracy", 0.5 + trial, "val_loss", 0.25);
    bool differs, well = store_begin(store, cause) == 0 &&
                         store_add_trial(store, study, trial, 0, none, none, cause) == 0 &&
                         store_begin_segment(store, study, trial, 0, 1, 0, EPOCHS, 0, cause) == 0;
    for (int epoch = 1; epoch <= EPOCHS && well; epoch++) {
        const struct epoch_record record = {trial, epoch, 1, metrics, "some/path", 1};
        well = store_add_epoch(store, study, &record, &differs, cause) == 0;
    }
    well = well && store_commit(store, cause) == 0;
    json_decref(none);
    json_decref(metrics);
    return well;
}

/* Records trial after trial until it is killed, and tells the number of each that is
 * committed. */
static void record_for_ever(const char *path, int64_t study, int first, int told)
{
    struct store *store = store_open(path, STORE_WRITE, NULL);
    for (int trial = first; store && trial < TRIALS_MAX; trial++) {
        if (!record_trial(store, study, trial, NULL) ||
            write(told, &trial, sizeof trial) != sizeof trial)
            break;
    }
    _exit(1);
}

/* The last trial that a child was heard to have committed before it was killed. */
static int kill_a_writer(const char *path, int64_t study, int first, useconds_t after_us)
{
    int ends[2], last = first - 1;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        record_for_ever(path, study, first, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
    usleep(after_us);
    kill(child, SIGKILL);
    while (read(ends[0], &last, sizeof last) == sizeof last)
        continue;
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(ends[0]);
    return last;
}

static void a_killed_writer_loses_nothing_that_was_committed(void **state)
{
    struct fixture *fixture = *state;
    int first = 0;
    fixture->study = add_study(fixture->store, "digits");
    store_close(fixture->store);
    fixture->store = NULL;
    for (int round = 0; round < 25; round++) {
        /* Steps that have no divisor in common with the time of a transaction. */
        int last = kill_a_writer(fixture->path, fixture->study, first,
                                 (useconds_t)(round * 1237 % 20011));
        struct store *reader = open_store(fixture->path, STORE_READ);
        assert_true(count_rows(reader, "SELECT * FROM trials") > last);
        store_close(reader);
        struct store *store = open_store(fixture->path, STORE_WRITE);
        assert_sound(store);
        int64_t trials = count_rows(store, "SELECT * FROM trials");
        assert_true(trials > last && trials <= last + 2);
        assert_int_equal(count_rows(store, "SELECT * FROM epochs"), EPOCHS * trials);
        assert_int_equal(count_rows(store, "SELECT * FROM metrics"), 2 * EPOCHS * trials);
        store_close(store);
        first = (int)trials;
    }
}

static void what_a_killed_tuner_left_running_is_interrupted(void **state)
{
    struct fixture *fixture = *state;
    int64_t worker;
    fixture->study = add_study(fixture->store, "digits");
    DONE(store_begin(fixture->store, &why));
    DONE(store_add_worker(fixture->store, fixture->study, 7, "trainer", "fp32", &worker, &why));
    add_trial(fixture->store, fixture->study, 0);
    add_trial(fixture->store, fixture->study, 1);
    add_segment(fixture->store, fixture->study, 0, 0, 1, 0, 1, worker);
    DONE(store_begin_segment(fixture->store, fixture->study, 1, 0, 1, 0, 1, worker, &why));
    DONE(store_commit(fixture->store, &why));
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_rows(fixture->store, "SELECT state, ended_ms FROM studies",
                "[{\"state\":\"interrupted\",\"ended_ms\":null}]");
    assert_rows(fixture->store, "SELECT trial, state FROM trials",
                "[{\"trial\":0,\"state\":\"paused\"},{\"trial\":1,\"state\":\"pending\"}]");
    assert_rows(fixture->store, "SELECT trial, state, ended_ms IS NULL AS open FROM segments",
                "[{\"trial\":0,\"state\":\"ended\",\"open\":0},"
                "{\"trial\":1,\"state\":\"interrupted\",\"open\":1}]");
    assert_rows(fixture->store, "SELECT reason FROM workers",
                "[{\"reason\":\"the tuner ended before it\"}]");
}

/* ---- full and failing disks ---- */

/* Records until it no longer works; then nothing else may work either, but asking.
 * The number of trials that were committed, -1 when anything is not as it should be. */
static int record_until_refused(struct store *store, int64_t study, const char *part)
{
    struct failure cause = FAILURE_NONE, later = FAILURE_NONE;
    int trials = 0;
    while (trials < 100000 && record_trial(store, study, trials, &cause))
        trials++;
    if (cause.code != EXIT_FAILED || !strstr(cause.text, part) ||
        !strstr(cause.text, "run the study again"))
        trials = -1;
    store_rollback(store);
    if (store_begin(store, &later) == 0 || !strstr(later.text, "nothing more is recorded"))
        trials = -1;
    json_t *rows = store_rows(store, "SELECT trial FROM trials", NULL, NULL);
    if ((int)json_array_size(rows) != trials)
        trials = -1;
    json_decref(rows);
    failure_clear(&cause);
    failure_clear(&later);
    return trials;
}

static void a_full_disk_ends_all_recording(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    json_t *limited = store_rows(fixture->store, "PRAGMA max_page_count = 100", NULL, NULL);
    assert_non_null(limited);
    json_decref(limited);
    int trials = record_until_refused(fixture->store, fixture->study, "the disk is full");
    assert_true(trials > 0);
    store_close(fixture->store);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_sound(fixture->store);
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), trials);
    assert_true(record_trial(fixture->store, fixture->study, trials, NULL));
}

/* In a child: nothing may grow beyond `limit` bytes. */
static int record_under_limit(const char *path, int64_t study, rlim_t limit)
{
    signal(SIGXFSZ, SIG_IGN);
    struct store *store = store_open(path, STORE_WRITE, NULL);
    if (!store || setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit}) < 0)
        return -1;
    int trials = record_until_refused(store, study, "the disk failed");
    store_close(store);
    return trials;
}

static void a_write_that_fails_ends_all_recording(void **state)
{
    struct fixture *fixture = *state;
    int ends[2], trials = -1;
    fixture->study = add_study(fixture->store, "digits");
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        trials = record_under_limit(fixture->path, fixture->study, 700000);
        _exit(write(ends[1], &trials, sizeof trials) == sizeof trials ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &trials, sizeof trials), sizeof trials);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    assert_true(trials > 0);
    fixture->store = open_store(fixture->path, STORE_WRITE);
    assert_sound(fixture->store);
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), trials);
}

/* ---- the index of the log ---- */

static bool index_is_refused;

/* pwrite() on a disk that has no room for more of the log's index. */
static ssize_t write_beside_index(int file, const void *bytes, size_t size, off_t offset)
{
    char link[40], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (index_is_refused && strstr(path, "-shm")) {
        errno = ENOSPC;
        return -1;
    }
    return pwrite(file, bytes, size, offset);
}

/* SQLite's own way to its system calls. */
static void refuse_index(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_syscall_ptr call = (sqlite3_syscall_ptr)write_beside_index;
    assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", call), SQLITE_OK);
    assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite", call), SQLITE_OK);
    index_is_refused = true;
}

/* A reader who stays keeps the log from beginning anew, so that its index has to grow. */
static void no_room_for_the_index_of_the_log_is_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct failure cause = FAILURE_NONE;
    sqlite3 *reader = NULL;
    int trials = 0;
    fixture->study = add_study(fixture->store, "digits");
    assert_int_equal(sqlite3_open(fixture->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM trials", NULL, NULL, NULL),
                     SQLITE_OK);
    refuse_index();
    while (trials < 5000 && record_trial(fixture->store, fixture->study, trials, &cause))
        trials++;
    index_is_refused = false;
    assert_true(trials < 5000);
    assert_non_null(strstr(cause.text, "the disk is full"));
    assert_true(store_is_full(fixture->store));
    failure_clear(&cause);
    DONE(store_recover(fixture->store, &why));
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), trials);
    assert_true(record_trial(fixture->store, fixture->study, trials, &why));
    sqlite3_close(reader);
    assert_sound(fixture->store);
}

/* ---- other programs ---- */

static void a_long_reader_holds_nobody_up(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    char *answers = path_join(fixture->folder, "answers");
    char *command = xasprintf("sqlite3 '%s' > '%s'", fixture->path, answers);
    FILE *reader = popen(command, "w");
    assert_non_null(reader);
    char *bytes = NULL;
    size_t size = 0;
    fprintf(reader, "BEGIN;\nSELECT count(*) FROM trials;\n");
    fflush(reader);
    while (size == 0) {
        free(bytes);
        bytes = NULL;
        usleep(1000);
        if (file_read(answers, 1000, &bytes, &size, NULL) < 0)
            size = 0;
    }
    /* Enough for several checkpoints, all of which the reader is in the way of. */
    for (int trial = 0; trial < 300; trial++)
        assert_true(record_trial(fixture->store, fixture->study, trial, &why));
    fprintf(reader, "SELECT count(*) FROM trials;\nCOMMIT;\nSELECT count(*) FROM trials;\n");
    assert_int_equal(pclose(reader), 0);
    free(bytes);
    assert_int_equal(file_read(answers, 1000, &bytes, &size, NULL), 0);
    assert_string_equal(bytes, "0\n0\n300\n");
    free(bytes);
    free(command);
    free(answers);
}

static void another_writer_is_waited_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    char *flag = path_join(fixture->folder, "locked");
    char *command = xasprintf("sqlite3 '%s' 'BEGIN IMMEDIATE' '.shell touch \"%s\"; sleep 0.3'"
                              " COMMIT", fixture->path, flag);
    FILE *other = popen(command, "r");
    assert_non_null(other);
    while (!file_exists(flag))
        usleep(1000);
    assert_true(record_trial(fixture->store, fixture->study, 0, &why));
    assert_int_equal(pclose(other), 0);
    assert_int_equal(count_rows(fixture->store, "SELECT * FROM trials"), 1);
    free(flag);
    free(command);
}

static void what_is_read_together_is_of_one_moment(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    struct store *reader = open_store(fixture->path, STORE_READ);
    DONE(store_begin_reading(reader, &why));
    assert_int_equal(count_rows(reader, "SELECT * FROM trials"), 0);
    assert_true(record_trial(fixture->store, fixture->study, 0, &why));
    DONE(store_begin_reading(reader, &why));
    store_end_reading(reader);
    assert_int_equal(count_rows(reader, "SELECT * FROM trials"), 0);
    store_end_reading(reader);
    assert_int_equal(count_rows(reader, "SELECT * FROM trials"), 1);
    store_close(reader);
}

static void a_reader_sees_what_is_committed_while_the_writer_works(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    struct store *reader = open_store(fixture->path, STORE_READ);
    DONE(store_begin(fixture->store, &why));
    add_trial(fixture->store, fixture->study, 0);
    assert_int_equal(count_rows(reader, "SELECT * FROM trials"), 0);
    DONE(store_commit(fixture->store, &why));
    assert_int_equal(count_rows(reader, "SELECT * FROM trials"), 1);
    store_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_killed_writer_loses_nothing_that_was_committed),
        STORE_TEST(what_a_killed_tuner_left_running_is_interrupted),
        STORE_TEST(a_full_disk_ends_all_recording),
        STORE_TEST(a_write_that_fails_ends_all_recording),
        STORE_TEST(no_room_for_the_index_of_the_log_is_a_full_disk),
        STORE_TEST(a_long_reader_holds_nobody_up),
        STORE_TEST(another_writer_is_waited_out),
        STORE_TEST(what_is_read_together_is_of_one_moment),
        STORE_TEST(a_reader_sees_what_is_committed_while_the_writer_works),
    };
    return cmocka_run_group_tests_name("store_crash", tests, NULL, NULL);
}
