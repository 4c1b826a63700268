/* A folder stands in for the kernel's: what is written where, and what is made of what is
 * there. */
#include "common/file.h"
#include "tuner/cgroup.h"
#include "tests/folder_remove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char OWN[] = "4:memory:/else\n0::/a/b\n";

struct tree {
    char root[40];
    char *own; /* the folder of this process's group */
};

static void put(const char *folder, const char *name, const char *text)
{
    const struct file_piece piece = {text, strlen(text)};
    char *path = path_join(folder, name);
    assert_int_equal(file_replace(path, &piece, 1, NULL), 0);
    free(path);
}

static void assert_content(const char *folder, const char *name, const char *wanted)
{
    char *path = path_join(folder, name), *text;
    size_t size;
    assert_int_equal(file_read(path, 1000, &text, &size, NULL), 0);
    assert_string_equal(text, wanted);
    free(text);
    free(path);
}

static int make_tree(void **state)
{
    struct tree *tree = xcalloc(1, sizeof *tree);
    strcpy(tree->root, "/tmp/test-cgroup-XXXXXX");
    assert_non_null(mkdtemp(tree->root));
    tree->own = path_join(tree->root, "a/b");
    assert_int_equal(folder_make(tree->own, NULL), 0);
    put(tree->own, "cgroup.controllers", "cpu memory pids\n");
    *state = tree;
    return 0;
}

static int remove_tree(void **state)
{
    struct tree *tree = *state;
    folder_remove(tree->root, NULL);
    free(tree->own);
    free(tree);
    return 0;
}

static void groups_are_made_in_our_own(void **state)
{
    struct tree *tree = *state;
    char *base = cgroup_base(tree->root, OWN);
    assert_string_equal(base, tree->own);
    assert_content(base, "cgroup.subtree_control", "+memory");
    free(base);
    base = cgroup_base(tree->root, "0::/a/b/tuner-itself\n");
    assert_string_equal(base, tree->own);
    free(base);
}

static void what_killed_tuners_have_left_is_removed(void **state)
{
    struct tree *tree = *state;
    pid_t dead = fork();
    char *theirs, *ours;
    if (dead == 0)
        _exit(0);
    assert_int_equal(waitpid(dead, NULL, 0), dead);
    theirs = xasprintf("%s/worker-%ld-3", tree->own, (long)dead);
    ours = xasprintf("%s/worker-%ld-3", tree->own, (long)getpid());
    assert_int_equal(folder_make(theirs, NULL) + folder_make(ours, NULL), 0);
    free(cgroup_base(tree->root, OWN));
    assert_false(folder_exists(theirs));
    assert_true(folder_exists(ours));
    free(theirs);
    free(ours);
}

static void there_are_none_without_version_2_or_memory(void **state)
{
    struct tree *tree = *state;
    assert_null(cgroup_base(tree->root, "4:memory:/a/b\n"));
    assert_null(cgroup_base(tree->root, "0::/a/none\n"));
    put(tree->own, "cgroup.controllers", "cpu memory_less pids\n");
    assert_null(cgroup_base(tree->root, OWN));
}

static void a_group_has_its_memory(void **state)
{
    struct tree *tree = *state;
    struct cgroup group;
    char *path;
    assert_int_equal(cgroup_make(&group, tree->own, 7, 300), 0);
    path = xstrdup(group.path);
    assert_content(path, "memory.max", "314572800");
    assert_content(path, "memory.swap.max", "0");
    assert_int_equal(write(group.joining, "0", 1), 1);
    assert_content(path, "cgroup.procs", "0");
    assert_int_equal(write(group.killing, "1", 1), 1);
    assert_content(path, "cgroup.kill", "1");
    put(path, "memory.events", "low 0\nmax 7\noom 1\noom_kill 0\noom_group_kill 0\n");
    assert_false(cgroup_remove(&group));
    free(path);
}

static void those_who_took_too_much_are_known(void **state)
{
    struct tree *tree = *state;
    struct cgroup group;
    assert_int_equal(cgroup_make(&group, tree->own, 7, 300), 0);
    put(group.path, "memory.events", "oom 1\noom_kill 2\n");
    assert_true(cgroup_remove(&group));
}

static void a_group_that_cannot_be_made_is_done_without(void **state)
{
    struct tree *tree = *state;
    struct cgroup group;
    assert_int_equal(cgroup_make(&group, "/nonexistent", 7, 300), -1);
    assert_int_equal(cgroup_make(&group, tree->own, 7, 300), 0);
    cgroup_remove(&group);
    assert_int_equal(cgroup_make(&group, tree->own, 7, 300), -1); /* there is one */
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(groups_are_made_in_our_own),
        TREE_TEST(what_killed_tuners_have_left_is_removed),
        TREE_TEST(there_are_none_without_version_2_or_memory),
        TREE_TEST(a_group_has_its_memory),
        TREE_TEST(those_who_took_too_much_are_known),
        TREE_TEST(a_group_that_cannot_be_made_is_done_without),
    };
    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
