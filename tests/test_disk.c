/* What a home may take: the quota of checkpoints, a disk that is nearly full, and the settings that
 * say so. */
#include "tests/engine_fixture.h"

static void checkpoints_keep_to_the_quota(void **state)
{
    struct fixture *fixture = *state;
    json_t *quota = json_pack("{s:i}", "quota_bytes", 2500);
    setenv("FAKE_BYTES", "999", 1);
    start(fixture, 2, false);
    assert_int_equal(daemon_set(fixture->daemon, NULL, quota, &fixture->why), 0);
    submit(fixture, "s", 20, 0);
    run_to(fixture, EXIT_DONE);
    assert_in_range(ask(fixture, "SELECT count(*) FROM epochs WHERE checkpoint NOT NULL"), 1, 2);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM epochs JOIN studies USING (study) "
                                  "WHERE checkpoint NOT NULL AND trial = winner"), 1);
    json_decref(quota);
}

static void write_settings(struct fixture *fixture, const char *settings)
{
    const struct file_piece piece = {settings, strlen(settings)};
    char *path = path_join(fixture->home, "settings.yaml");
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
    free(path);
}

static void nothing_is_started_on_a_disk_that_is_nearly_full(void **state)
{
    struct fixture *fixture = *state;
    write_settings(fixture, "free_bytes: 1e15\n");
    start(fixture, 2, true);
    submit(fixture, "s", 3, 0);
    when(fixture, is_there, end_it);
    run_to(fixture, EXIT_DONE);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM segments"), 0);
    assert_int_equal(events_with(fixture, "line", "text", "nothing new is started"), 1);
}

static void expect_settings(struct fixture *fixture, int64_t workers, int64_t quota)
{
    json_t *status = daemon_status(fixture->daemon, NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(status, "workers")), workers);
    assert_int_equal(json_integer_value(json_object_get(status, "quota_bytes")), quota);
    json_decref(status);
}

static void settings_are_taken_whole_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    write_settings(fixture, "workers: 3\nquota_bytes: 5e9\n");
    start(fixture, 2, true);
    expect_settings(fixture, 3, 5000000000);
    write_settings(fixture, "workers: 4\nquota_bytes: 6e9\nfree_bytes: -1\n");
    assert_int_equal(daemon_reload(fixture->daemon, &fixture->why), -1);
    assert_non_null(strstr(fixture->why.text, "settings.yaml:3:13: error: `free_bytes`"));
    failure_clear(&fixture->why);
    expect_settings(fixture, 3, 5000000000);
    write_settings(fixture, "nice: 1\n"); /* the rest is as it was started */
    assert_int_equal(daemon_reload(fixture->daemon, &fixture->why), 0);
    expect_settings(fixture, 2, 0);
}

int main(int count, char *arguments[])
{
    const struct CMUnitTest tests[] = {
        DAEMON_TEST(checkpoints_keep_to_the_quota),
        DAEMON_TEST(nothing_is_started_on_a_disk_that_is_nearly_full),
        DAEMON_TEST(settings_are_taken_whole_or_not_at_all),
    };
    (void)arguments;
    if (count > 1)
        return write_no_report();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
