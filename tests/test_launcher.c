#include "tuner/launcher.h"

#include "common/file.h"
#include "common/text.h"
#include "tests/folder_remove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything that is heard, as words: "ready", "done", "garbage", "ended: reason". */
struct ear {
    struct loop *loop;
    struct launcher *launcher;
    struct text heard;
    int alive;
};

static void on_message(void *context, struct worker *worker, const struct message *message)
{
    struct ear *ear = context;
    (void)worker;
    text_addf(&ear->heard, "%s ", message->type == MESSAGE_READY ? "ready" : "done");
}

static void on_garbage(void *context, struct worker *worker, const char *reason)
{
    struct ear *ear = context;
    (void)reason;
    text_add(&ear->heard, "garbage ");
    worker_kill(worker);
}

static void on_end(void *context, struct worker *worker, const char *reason)
{
    struct ear *ear = context;
    (void)worker;
    text_addf(&ear->heard, "ended: %s ", reason);
    ear->alive--;
}

static void open_ear(struct ear *ear, const char *script)
{
    const struct launcher_events events = {on_message, on_garbage, on_end, ear};
    json_t *command = json_pack("[s, s, s]", "sh", "-c", script);
    *ear = (struct ear){.heard = TEXT_EMPTY};
    ear->loop = loop_new(NULL);
    assert_non_null(ear->loop);
    ear->launcher = launcher_local_new(ear->loop, command, NULL, &events);
    json_decref(command);
}

static struct worker *begin(struct ear *ear)
{
    struct worker *worker = launcher_start(ear->launcher, ear->alive, NULL, NULL);
    assert_non_null(worker);
    ear->alive++;
    return worker;
}

static void until_all_ended(struct ear *ear)
{
    while (ear->alive > 0)
        assert_int_equal(loop_turn(ear->loop, NULL), 0);
}

static void close_ear(struct ear *ear)
{
    launcher_free(ear->launcher);
    loop_free(ear->loop);
    text_free(&ear->heard);
}

#define READY "{\\\"type\\\":\\\"ready\\\",\\\"version\\\":1,\\\"program\\\":\\\"p\\\"," \
              "\\\"arithmetic\\\":\\\"a\\\"}"
#define DONE "{\\\"type\\\":\\\"done\\\",\\\"trial\\\":0,\\\"attempt\\\":1}"

static void expect(const char *script, const char *heard)
{
    struct ear ear;
    open_ear(&ear, script);
    begin(&ear);
    until_all_ended(&ear);
    assert_string_equal(text_string(&ear.heard), heard);
    close_ear(&ear);
}

static void what_was_said_before_the_end_is_heard_first(void **state)
{
    (void)state;
    expect("echo \"" READY "\"; echo \"" DONE "\"; exit 3", "ready done ended: exited with 3 ");
}

static void a_death_by_signal_is_named(void **state)
{
    (void)state;
    expect("kill -9 $$", "ended: killed by signal 9 (Killed) ");
}

static void garbage_is_told_once_and_the_rest_drained(void **state)
{
    (void)state;
    expect("echo one; echo two; echo \"" READY "\"; sleep 60",
           "garbage ended: killed by signal 9 (Killed) ");
}

static void a_half_line_is_no_message(void **state)
{
    (void)state;
    expect("printf '{\"type\":'", "ended: exited with 0 ");
}

static void a_command_that_is_not_there_exits_with_127(void **state)
{
    (void)state;
    expect("exec /nonexistent/program 2>/dev/null", "ended: exited with 127 ");
}

static void children_of_a_worker_die_with_it(void **state)
{
    /* The sleeping child holds stdout open: without the group's end it would be waited for. */
    (void)state;
    expect("sleep 600 & echo \"" READY "\"; exit 0", "ready ended: exited with 0 ");
}

/* Bytes that the pipe of its stdin has room for. */
static int room_of(const struct worker *worker)
{
    char path[40];
    int fd, room;
    snprintf(path, sizeof path, "/proc/%ld/fd/0", (long)worker_pid(worker));
    fd = open(path, O_WRONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    room = fcntl(fd, F_GETPIPE_SZ);
    close(fd);
    return room;
}

static void a_pipe_is_made_large_for_what_needs_it_alone(void **state)
{
    struct ear ear;
    struct worker *worker;
    char *much = xmalloc(200001);
    json_t *message, *stop = json_pack("{s:s}", "type", "stop");
    (void)state;
    memset(much, 'x', 200000);
    much[200000] = '\0';
    message = json_pack("{s:s}", "much", much);
    open_ear(&ear, "echo \"" READY "\"; sleep 1; [ $(head -c 200000 | wc -c) = 200000 ] && exit 4");
    worker = begin(&ear);
    while (ear.heard.length == 0) /* it is not yet the program that has this stdin */
        assert_int_equal(loop_turn(ear.loop, NULL), 0);
    worker_send(worker, stop);
    assert_true(room_of(worker) < 200000);
    worker_send(worker, message);
    assert_true(room_of(worker) > 200000);
    until_all_ended(&ear);
    assert_string_equal(text_string(&ear.heard), "ready ended: exited with 4 ");
    json_decref(message);
    json_decref(stop);
    free(much);
    close_ear(&ear);
}

/* Its loop's descriptor is taken away, so that nothing can be watched any more. */
static void a_worker_that_cannot_be_watched_is_ended(void **state)
{
    struct ear ear;
    struct failure why = FAILURE_NONE;
    int epoll = dup(STDERR_FILENO);
    (void)state;
    close(epoll);
    open_ear(&ear, "sleep 600");
    close(epoll);
    assert_null(launcher_start(ear.launcher, 0, NULL, &why));
    assert_non_null(strstr(why.text, "cannot watch"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    failure_clear(&why);
    close_ear(&ear);
}

static void a_message_reaches_the_worker(void **state)
{
    struct ear ear;
    json_t *stop = json_pack("{s:s}", "type", "stop");
    (void)state;
    open_ear(&ear, "read line; case \"$line\" in *stop*) exit 5;; esac; exit 6");
    worker_send(begin(&ear), stop);
    until_all_ended(&ear);
    assert_string_equal(text_string(&ear.heard), "ended: exited with 5 ");
    json_decref(stop);
    close_ear(&ear);
}

static void a_worker_that_does_not_read_is_killed(void **state)
{
    struct ear ear;
    char *filler = malloc(200000);
    json_t *big;
    struct worker *worker;
    int i;
    (void)state;
    memset(filler, 'x', 199999);
    filler[199999] = '\0';
    big = json_pack("{s:s}", "filler", filler);
    open_ear(&ear, "sleep 60");
    worker = begin(&ear);
    for (i = 0; i < 10; i++)
        worker_send(worker, big);
    until_all_ended(&ear);
    assert_string_equal(text_string(&ear.heard), "ended: killed by signal 9 (Killed) ");
    json_decref(big);
    free(filler);
    close_ear(&ear);
}

static void freeing_the_launcher_ends_its_workers(void **state)
{
    struct ear ear;
    pid_t pid;
    (void)state;
    open_ear(&ear, "sleep 600");
    pid = (pid_t)worker_pid(begin(&ear));
    begin(&ear);
    close_ear(&ear);
    assert_int_equal(kill(pid, 0), -1);
}

/* ---- limits ---- */

static void expect_limited(const char *script, const struct limits *limits, const char *heard)
{
    struct ear ear;
    open_ear(&ear, script);
    launcher_limit(ear.launcher, limits);
    begin(&ear);
    until_all_ended(&ear);
    assert_string_equal(text_string(&ear.heard), heard);
    close_ear(&ear);
}

/* The tests themselves may be run with a limit, or stand back. */
static void a_worker_has_its_limits(void **state)
{
    int before = getpriority(PRIO_PROCESS, 0), most = 19;
    char *further = xasprintf("ended: exited with %d ", before + 7 < most ? before + 7 : most);
    char *as_before = xasprintf("ended: exited with %d ", before);
    (void)state;
    expect_limited("exit $(($(ulimit -v) / 1024))", &(struct limits){.memory_mb = 100},
                   "ended: exited with 100 ");
    expect_limited("exit $(nice)", &(struct limits){.nice = 7}, further);
    expect_limited("[ $(ulimit -v) != 102400 ] && exit $(nice)", &(struct limits){.nice = 0},
                   as_before);
    free(further);
    free(as_before);
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    expect("exit 71", "ended: exited with 71 (out of memory) ");
}

/* A file in a folder of its own. */
struct place {
    char folder[40];
    char path[60];
};

static void make_place(struct place *place, const char *name)
{
    strcpy(place->folder, "/tmp/test-launcher-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/%s", place->folder, name);
}

static void until_it_ends(struct ear *ear)
{
    begin(ear);
    until_all_ended(ear);
}

static void a_log_is_limited_and_turned(void **state)
{
    const struct limits limits = {.log_mb = 1};
    struct ear ear;
    const struct launcher_events events = {on_message, on_garbage, on_end, &ear};
    struct place place;
    struct stat log;
    char *aside;
    json_t *command = json_pack("[s, s, s]", "sh", "-c", "yes >&2");
    (void)state;
    make_place(&place, "worker-0.log");
    open_ear(&ear, "");
    launcher_free(ear.launcher);
    ear.launcher = launcher_local_new(ear.loop, command, place.folder, &events);
    launcher_limit(ear.launcher, &limits);
    until_it_ends(&ear);
    assert_int_equal(stat(place.path, &log), 0);
    assert_int_equal(log.st_size, 1 << 20);
    until_it_ends(&ear);
    assert_string_equal(text_string(&ear.heard), "ended: wrote more than 1 MB to its log "
                                                 "ended: wrote more than 1 MB to its log ");
    assert_int_equal(stat(place.path, &log), 0);
    assert_int_equal(log.st_size, 1 << 20);
    aside = xasprintf("%s.1", place.path);
    assert_int_equal(stat(aside, &log), 0);
    free(aside);
    json_decref(command);
    close_ear(&ear);
    assert_int_equal(folder_remove(place.folder, NULL), 0);
}

static pid_t written_pid(const char *path)
{
    FILE *file = fopen(path, "r");
    long pid = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pid), 1);
    fclose(file);
    return (pid_t)pid;
}

static void those_that_left_the_group_die_with_a_worker(void **state)
{
    struct place place;
    char *script;
    (void)state;
    make_place(&place, "pid");
    /* In a session of its own, its parent gone, with no word of ours in its environment. */
    script = xasprintf("(env -i setsid sh -c 'echo $$ > %s.new; mv %s.new %s; exec sleep 600' "
                       ">/dev/null 2>&1 &); while [ ! -e %s ]; do sleep 0.01; done; exit 3",
                       place.path, place.path, place.path, place.path);
    expect(script, "ended: exited with 3 ");
    assert_int_equal(kill(written_pid(place.path), 0), -1);
    free(script);
    assert_int_equal(folder_remove(place.folder, NULL), 0);
}

static void say_stop(struct worker *worker)
{
    json_t *stop = json_pack("{s:s}", "type", "stop");
    worker_send(worker, stop);
    json_decref(stop);
}

/* How many cores a worker of `workers` with `threads` has, as what it exits with. */
static char *cores_of(int workers, int threads)
{
    struct ear ear;
    struct worker *worker;
    char *heard;
    open_ear(&ear, "read line; exit $(nproc)");
    worker = begin(&ear);
    worker_give_cores(worker, workers, threads);
    say_stop(worker);
    until_all_ended(&ear);
    heard = xstrdup(text_string(&ear.heard));
    close_ear(&ear);
    return heard;
}

static void a_worker_has_its_cores_where_all_are_shared_out(void **state)
{
    int i, cores = cores_allowed();
    char *all = xasprintf("ended: exited with %d ", cores);
    char *heard[] = {cores_of(cores, 1), cores_of(1, cores), cores_of(cores + 1, 1),
                     cores_of(cores, cores), cores_of(cores, 0)};
    (void)state;
    assert_string_equal(heard[0], "ended: exited with 1 ");
    assert_string_equal(heard[1], all);
    assert_string_equal(heard[2], all);
    assert_string_equal(heard[3], cores == 1 ? heard[0] : all);
    assert_string_equal(heard[4], all);
    for (i = 0; i < 5; i++)
        free(heard[i]);
    free(all);
}

static int kill_parent_of(pid_t pid)
{
    char path[40], name[40];
    long id, parent = 0;
    char status;
    FILE *file;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %39s %c %ld", &id, name, &status, &parent), 4);
    fclose(file);
    assert_int_not_equal(parent, getpid());
    return kill((pid_t)parent, SIGKILL);
}

static void no_worker_survives_its_keeper(void **state)
{
    struct ear ear;
    struct worker *worker;
    struct place place;
    pid_t pid, below;
    char *script;
    int64_t until_ms = clock_ms() + 10000;
    (void)state;
    make_place(&place, "below");
    script = xasprintf("sleep 600 & echo $! >%s; echo \"" READY "\"; wait", place.path);
    open_ear(&ear, script);
    worker = begin(&ear);
    pid = (pid_t)worker_pid(worker);
    while (ear.heard.length == 0)
        assert_int_equal(loop_turn(ear.loop, NULL), 0);
    below = written_pid(place.path);
    /* Its parent is the keeper. */
    assert_int_equal(kill_parent_of(pid), 0);
    until_all_ended(&ear);
    assert_string_equal(text_string(&ear.heard),
                        "ready ended: was lost: the process that kept it was killed ");
    while (kill(below, 0) == 0 && clock_ms() < until_ms) /* init waits for it */
        usleep(1000);
    assert_int_equal(kill(below, 0), -1);
    free(script);
    close_ear(&ear);
    assert_int_equal(folder_remove(place.folder, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_before_the_end_is_heard_first),
        cmocka_unit_test(a_death_by_signal_is_named),
        cmocka_unit_test(garbage_is_told_once_and_the_rest_drained),
        cmocka_unit_test(a_half_line_is_no_message),
        cmocka_unit_test(a_command_that_is_not_there_exits_with_127),
        cmocka_unit_test(children_of_a_worker_die_with_it),
        cmocka_unit_test(a_message_reaches_the_worker),
        cmocka_unit_test(a_pipe_is_made_large_for_what_needs_it_alone),
        cmocka_unit_test(a_worker_that_cannot_be_watched_is_ended),
        cmocka_unit_test(a_worker_that_does_not_read_is_killed),
        cmocka_unit_test(freeing_the_launcher_ends_its_workers),
        cmocka_unit_test(a_worker_has_its_limits),
        cmocka_unit_test(want_of_memory_is_told),
        cmocka_unit_test(a_log_is_limited_and_turned),
        cmocka_unit_test(those_that_left_the_group_die_with_a_worker),
        cmocka_unit_test(a_worker_has_its_cores_where_all_are_shared_out),
        cmocka_unit_test(no_worker_survives_its_keeper),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
}
