#include "common/file.h"
#include "tests/folder_remove.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

static int make_scratch(void **state)
{
    const char *parent = getenv("TEST_TMP");
    char *folder = xasprintf("%s/file.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    *state = folder;
    return 0;
}

static int remove_scratch(void **state)
{
    int result = folder_remove(*state, NULL);
    free(*state);
    return result;
}

static void put(const char *path, const char *content)
{
    const struct file_piece piece = {content, strlen(content)};
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
}

static void assert_content(const char *path, const char *expected)
{
    char *bytes;
    size_t size;
    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), 0);
    assert_int_equal(size, strlen(expected));
    assert_string_equal(bytes, expected);
    free(bytes);
}

static int entries_in(const char *path)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    int count = 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

static void pieces_are_written_and_read_back(void **state)
{
    char *path = path_join(*state, "a");
    const struct file_piece pieces[] = {{"one ", 4}, {NULL, 0}, {"two\0three", 9}};
    assert_int_equal(file_replace(path, pieces, 3, NULL), 0);
    char *bytes;
    size_t size;
    assert_int_equal(file_read(path, 13, &bytes, &size, NULL), 0);
    assert_int_equal(size, 13);
    assert_memory_equal(bytes, "one two\0three", 14);
    assert_int_equal(entries_in(*state), 1);
    free(bytes);
    free(path);
}

static void replacing_leaves_only_the_new_content(void **state)
{
    char *path = path_join(*state, "a");
    put(path, "a long content");
    put(path, "short");
    assert_content(path, "short");
    put(path, "");
    assert_content(path, "");
    free(path);
}

static void a_failed_write_keeps_the_old_content(void **state)
{
    char *path = path_join(*state, "a");
    put(path, "old");
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct failure why = FAILURE_NONE;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000});
        static char large[5000];
        const struct file_piece piece = {large, sizeof large};
        bool refused = file_replace(path, &piece, 1, &why) == -1 && why.code == EXIT_FAILED &&
                       strstr(why.text, path);
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_content(path, "old");
    assert_int_equal(entries_in(*state), 1);
    free(path);
}

static void writing_into_a_missing_folder_fails(void **state)
{
    char *path = path_join(*state, "missing/a");
    const struct file_piece piece = {"x", 1};
    struct failure why = FAILURE_NONE;
    assert_int_equal(file_replace(path, &piece, 1, &why), -1);
    assert_non_null(strstr(why.text, "missing/a: cannot be written: its folder is not there"));
    assert_false(file_exists(path));
    failure_clear(&why);
    free(path);
}

static void assert_unreadable(const char *path, size_t most, const char *part)
{
    char *bytes = NULL;
    size_t size;
    struct failure why = FAILURE_NONE;
    assert_int_equal(file_read(path, most, &bytes, &size, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, path));
    assert_non_null(strstr(why.text, part));
    assert_null(bytes);
    failure_clear(&why);
}

static void what_cannot_be_read_says_why(void **state)
{
    char *path = path_join(*state, "a");
    assert_unreadable(path, 10, "No such file");
    assert_unreadable(*state, 10, "folder");
    put(path, "eleven byte");
    assert_unreadable(path, 10, "larger than 10 bytes");
    free(path);
}

static void a_pipe_without_a_writer_does_not_hang(void **state)
{
    char *path = path_join(*state, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    char *bytes;
    size_t size;
    assert_int_equal(file_read(path, 10, &bytes, &size, NULL), 0);
    assert_int_equal(size, 0);
    free(bytes);
    free(path);
}

static void what_may_pass_is_not_bad_input(void **state)
{
    (void)state;
    struct rlimit before, none;
    struct failure why = FAILURE_NONE;
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = file_read("/dev/null", 100, &bytes, &size, &why);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, -1);
    assert_int_equal(why.code, EXIT_FAILED);
    failure_clear(&why);
}

static void a_pipe_with_a_writer_is_waited_for(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t writer = fork();
    if (writer == 0) {
        usleep(50000);
        _exit(write(ends[1], "late", 4) == 4 ? 0 : 1);
    }
    close(ends[1]);
    char *path = xasprintf("/proc/self/fd/%d", ends[0]);
    assert_content(path, "late");
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    close(ends[0]);
    free(path);
}

static void folders_are_made_with_those_above(void **state)
{
    char *path = path_join(*state, "a/b//c/");
    assert_int_equal(folder_make(path, NULL), 0);
    assert_true(folder_exists(path));
    assert_int_equal(folder_make(path, NULL), 0);
    free(path);
}

static void a_file_in_the_way_of_a_folder_is_named(void **state)
{
    char *file = path_join(*state, "a");
    char *path = path_join(file, "b");
    put(file, "x");
    struct failure why = FAILURE_NONE;
    assert_int_equal(folder_make(path, &why), -1);
    assert_non_null(strstr(why.text, file));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    failure_clear(&why);
    free(path);
    free(file);
}

static void removal_takes_all_but_what_links_lead_to(void **state)
{
    char *kept = path_join(*state, "kept");
    char *folder = path_join(*state, "folder");
    char *deep = path_join(folder, "x/y/z");
    char *file = path_join(folder, "x/y/file");
    char *link = path_join(folder, "link");
    put(kept, "x");
    assert_int_equal(folder_make(deep, NULL), 0);
    put(file, "x");
    assert_int_equal(symlink(*state, link), 0);
    assert_int_equal(folder_remove(folder, NULL), 0);
    assert_false(file_exists(folder));
    assert_true(file_exists(kept));
    assert_int_equal(folder_remove(folder, NULL), 0);
    free(link);
    free(file);
    free(deep);
    free(folder);
    free(kept);
}

static void paths_are_put_together_and_taken_apart(void **state)
{
    (void)state;
    const struct {
        const char *folder, *name, *joined;
    } joins[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"},
                 {"", "b", "b"},    {"/", "b", "/b"},   {".", "b/c", "./b/c"},
                 {".", "./b", "./b"}, {"a", "././b/c", "a/b/c"}, {"a", "../b", "a/../b"},
                 {"a", ".//b", "a/b"}, {"", "./b", "b"}};
    for (size_t i = 0; i < ARRAY_LENGTH(joins); i++) {
        char *joined = path_join(joins[i].folder, joins[i].name);
        assert_string_equal(joined, joins[i].joined);
        free(joined);
    }
    const struct {
        const char *path, *folder;
    } folders[] = {{"a/b", "a"}, {"a", "."}, {"/a", "/"}, {"/a/b/c", "/a/b"}};
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        char *folder = path_folder(folders[i].path);
        assert_string_equal(folder, folders[i].folder);
        free(folder);
    }
}

static void existence_tells_files_from_folders(void **state)
{
    char *path = path_join(*state, "a");
    assert_false(file_exists(path));
    assert_false(folder_exists(path));
    put(path, "x");
    assert_true(file_exists(path));
    assert_false(folder_exists(path));
    assert_true(file_exists(*state));
    assert_true(folder_exists(*state));
    free(path);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(pieces_are_written_and_read_back),
        SCRATCH_TEST(replacing_leaves_only_the_new_content),
        SCRATCH_TEST(a_failed_write_keeps_the_old_content),
        SCRATCH_TEST(writing_into_a_missing_folder_fails),
        SCRATCH_TEST(what_cannot_be_read_says_why),
        cmocka_unit_test(what_may_pass_is_not_bad_input),
        cmocka_unit_test(a_pipe_with_a_writer_is_waited_for),
        SCRATCH_TEST(a_pipe_without_a_writer_does_not_hang),
        SCRATCH_TEST(folders_are_made_with_those_above),
        SCRATCH_TEST(a_file_in_the_way_of_a_folder_is_named),
        SCRATCH_TEST(removal_takes_all_but_what_links_lead_to),
        cmocka_unit_test(paths_are_put_together_and_taken_apart),
        SCRATCH_TEST(existence_tells_files_from_folders),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
