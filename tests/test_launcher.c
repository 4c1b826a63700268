#include "tuner/launcher.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

/* Its loop watches nothing more: its descriptor is another file's. */
static void a_worker_that_cannot_be_watched_is_ended(void **state)
{
    struct ear ear;
    struct failure why = FAILURE_NONE;
    int loop = dup(STDERR_FILENO); /* the next that is free, which the loop will have */
    (void)state;
    close(loop);
    open_ear(&ear, "sleep 600");
    assert_int_equal(dup2(STDERR_FILENO, loop), loop);
    assert_null(launcher_start(ear.launcher, 0, NULL, &why));
    assert_non_null(strstr(why.text, "cannot watch"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    failure_clear(&why);
    close_ear(&ear);
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
        cmocka_unit_test(a_worker_that_does_not_read_is_killed),
        cmocka_unit_test(freeing_the_launcher_ends_its_workers),
        cmocka_unit_test(a_worker_that_cannot_be_watched_is_ended),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
}
