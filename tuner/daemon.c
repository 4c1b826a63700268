#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/failpoint.h"
#include "tuner/home.h"
#include "tuner/study_plan.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_MS = 1000, IDLE_MS = 60000, START_AGAIN_MS = 5000 };

/* ---- recording ---- */

bool daemon_recording(struct daemon *daemon)
{
    if (daemon->broken.text != NULL || daemon->disk.full)
        return false;
    if (!daemon->in_transaction)
        daemon->in_transaction = store_begin(daemon->store, &daemon->broken) == 0;
    return daemon->in_transaction;
}

int daemon_may_record(struct daemon *daemon, struct failure *why)
{
    if (daemon_recording(daemon))
        return 0;
    return fail(why, "%s", daemon->broken.text != NULL ? daemon->broken.text
                                                       : daemon->disk.waiting);
}

int daemon_commit(struct daemon *daemon)
{
    if (!daemon->in_transaction)
        return daemon->broken.text == NULL ? 0 : -1;
    daemon->in_transaction = false;
    failpoint("before-commit");
    /* Also of a turn that broke something: the store itself refuses a spoilt one. */
    store_commit(daemon->store, &daemon->broken);
    failpoint("after-commit");
    return daemon->broken.text == NULL ? 0 : -1;
}

static void bury_runs(struct daemon *daemon)
{
    int i, left = 0;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        if (run->state == RUN_OVER)
            run_free(run);
        else
            daemon->runs[left++] = run;
    }
    daemon->run_count = left;
}

int daemon_answer(struct daemon *daemon, struct failure *why)
{
    daemon->stirred = true;
    if (daemon_commit(daemon) != 0)
        return fail(why, "%s", daemon->broken.text);
    bury_runs(daemon); /* their end is recorded, and nothing that fails later takes them up again */
    return 0;
}

void daemon_doom(struct daemon *daemon, const char *path)
{
    daemon->doomed = xreallocarray(daemon->doomed, daemon->doomed_count + 1, sizeof(char *));
    daemon->doomed[daemon->doomed_count++] = xstrdup(path);
}

static void delete_doomed(struct daemon *daemon, bool really)
{
    size_t i;
    for (i = 0; i < daemon->doomed_count; i++) {
        if (really)
            unlink(daemon->doomed[i]);
        free(daemon->doomed[i]);
    }
    daemon->doomed_count = 0;
}

/* ---- what the daemon has ---- */

struct run *daemon_find(const struct daemon *daemon, const char *study)
{
    int i;
    for (i = 0; i < daemon->run_count; i++) {
        if (strcasecmp(daemon->runs[i]->study->name, study) == 0 &&
            daemon->runs[i]->state != RUN_OVER)
            return daemon->runs[i];
    }
    return NULL;
}

struct launcher *daemon_launcher(struct daemon *daemon, const json_t *command,
                                 const struct limits *limits)
{
    const struct launcher_events events = slot_events(daemon);
    struct crew *crew;
    char *logs;
    int i;
    for (i = 0; i < daemon->crew_count; i++) {
        if (json_equal(daemon->crews[i].command, command) &&
            limits_equal(&daemon->crews[i].limits, limits))
            return daemon->crews[i].launcher;
    }
    daemon->crews = xreallocarray(daemon->crews, (size_t)daemon->crew_count + 1,
                                  sizeof *daemon->crews);
    crew = &daemon->crews[daemon->crew_count++];
    logs = path_join(daemon->settings.home, "logs");
    crew->command = json_deep_copy(command);
    crew->limits = *limits;
    crew->launcher = launcher_local_new(daemon->loop, command, logs, &events);
    launcher_limit(crew->launcher, limits);
    free(logs);
    return crew->launcher;
}

void daemon_set_workers(struct daemon *daemon, int count)
{
    daemon->slots = xreallocarray(daemon->slots,
                                  (size_t)(count > daemon->slot_count ? count
                                                                      : daemon->slot_count),
                                  sizeof(struct slot *));
    while (daemon->slot_count < count) {
        struct slot *slot = xcalloc(1, sizeof *slot);
        slot->daemon = daemon;
        slot->number = daemon->slot_count;
        daemon->slots[daemon->slot_count++] = slot;
    }
    daemon->workers = count;
}

static void start_again(struct timer *timer, void *context)
{
    struct daemon *daemon = context;
    (void)timer;
    free(daemon->unstartable);
    daemon->unstartable = NULL;
}

void daemon_cannot_start(struct daemon *daemon, const char *reason)
{
    if (daemon->unstartable == NULL) {
        event_warn(daemon, NULL, "%s; trying again in %d s", reason, START_AGAIN_MS / 1000);
        daemon->unstartable = xstrdup(reason);
    }
    daemon->start_again.due = start_again;
    daemon->start_again.context = daemon;
    loop_set_timer(daemon->loop, &daemon->start_again, START_AGAIN_MS);
}

/* ---- the turn ---- */

static bool all_empty(const struct daemon *daemon)
{
    int i;
    for (i = 0; i < daemon->slot_count; i++) {
        if (daemon->slots[i]->state != SLOT_EMPTY)
            return false;
    }
    return true;
}

static bool is_over(const struct daemon *daemon)
{
    if (daemon->broken.text != NULL)
        return true;
    if (daemon->ending > 0)
        return all_empty(daemon);
    return !daemon->settings.stay && daemon->run_count == 0;
}

static void act(struct daemon *daemon)
{
    int i;
    delete_doomed(daemon, true);
    failpoint("before-act");
    for (i = 0; i < daemon->slot_count; i++)
        slot_act(daemon->slots[i]);
    failpoint("after-act");
}

/* Studies that a failure of their own has ended, and those that were told to stop. */
static void end_runs(struct daemon *daemon)
{
    int i;
    for (i = 0; i < daemon->run_count && !daemon->disk.full; i++) {
        struct run *run = daemon->runs[i];
        run_check_failures(run);
        if (run->state != RUN_OVER && run->broken.text != NULL) {
            run_fail(run);
        } else if (run->state == RUN_STOPPING && run->segments == 0) {
            daemon->undone = true;
            run_end(run, "interrupted", NULL, false);
        }
    }
}

static void take_turn(struct daemon *daemon)
{
    disk_take_up(daemon);
    end_runs(daemon);
    queue_advance(daemon);
    assign(daemon);
    end_runs(daemon);
    disk_keep_quota(daemon);
    if (daemon_commit(daemon) != 0 && store_is_full(daemon->store))
        disk_put_down(daemon);
    if (daemon->broken.text != NULL) {
        delete_doomed(daemon, false);
        return;
    }
    act(daemon);
    reporter_act(daemon);
    event_deliver(daemon);
    bury_runs(daemon);
}

static void run_loop(struct daemon *daemon)
{
    while (!is_over(daemon)) {
        daemon->stirred = false;
        take_turn(daemon);
        if (daemon->turned != NULL)
            daemon->turned(daemon->turned_context);
        if (!is_over(daemon) && !daemon->stirred)
            loop_turn(daemon->loop, &daemon->broken);
    }
}

void daemon_each_turn(struct daemon *daemon, void (*turned)(void *context), void *context)
{
    daemon->turned = turned;
    daemon->turned_context = context;
}

/* ---- ending ---- */

void daemon_end(struct daemon *daemon, bool now)
{
    int i;
    daemon->stirred = true;
    if (daemon->ending == 0)
        event_line(daemon, NULL, "stopping: the epochs in hand are finished and recorded "
                                 "(once more: stop now)");
    if (daemon->ending < 1 + now)
        daemon->ending = 1 + now;
    for (i = 0; i < daemon->slot_count; i++) {
        if (!now)
            slot_stop(daemon->slots[i]);
        else if (daemon->slots[i]->worker != NULL)
            daemon->slots[i]->kill = true;
    }
}

static void signal_caught(int number, void *context)
{
    struct daemon *daemon = context;
    struct failure why = FAILURE_NONE;
    if (daemon->events.signalled != NULL)
        daemon->events.signalled(daemon->events.context, number);
    if (number == SIGUSR1)
        daemon_log_state(daemon);
    else if (number != SIGHUP)
        daemon_end(daemon, daemon->ending > 0);
    else if (daemon_reload(daemon, &why) != 0)
        event_warn(daemon, NULL, "%s", why.text);
    failure_clear(&why);
}

/* What is in hand is gone on with by the next daemon.  After a failure of the store nothing of
 * this is recorded; what a start finds running is put in order by it. */
static void put_down_runs(struct daemon *daemon)
{
    struct failure cause = daemon->broken;
    int i;
    daemon->broken = (struct failure)FAILURE_NONE;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        if (run->state == RUN_OVER)
            continue;
        daemon->undone = true;
        if (cause.text != NULL)
            run_end(run, "failed", cause.text, daemon->settings.stay);
        else
            run_end(run, "interrupted", NULL, daemon->settings.stay);
    }
    daemon_commit(daemon);
    if (cause.text != NULL) {
        failure_clear(&daemon->broken);
        daemon->broken = cause;
    }
    event_deliver(daemon);
}

static enum exit_code hand_over(const struct failure *from, struct failure *why)
{
    fail(why, "%s", from->text);
    if (why != NULL)
        why->code = from->code;
    return from->code;
}

enum exit_code daemon_run(struct daemon *daemon, struct failure *why)
{
    run_loop(daemon);
    put_down_runs(daemon);
    if (daemon->broken.text != NULL)
        return hand_over(&daemon->broken, why);
    if (daemon->failed.text != NULL)
        return hand_over(&daemon->failed, why);
    return daemon->undone && !daemon->settings.stay ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* ---- beginning and end of all ---- */

static int take_signals(struct daemon *daemon, struct failure *why)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
    size_t count = ARRAY_LENGTH(signals) - !daemon->settings.stay; /* HUP ends a foreground run */
    return loop_signals(daemon->loop, signals, count, signal_caught, daemon, why);
}

/* A time that tests make shorter. */
static int64_t time_of(const char *variable, int64_t usual_ms)
{
    const char *text = getenv(variable);
    long long given_ms = text != NULL ? strtoll(text, NULL, 10) : 0;
    return given_ms > 0 ? given_ms : usual_ms;
}

struct daemon *daemon_new(struct loop *loop, const struct daemon_settings *settings,
                          const struct daemon_events *events, struct failure *why)
{
    struct daemon *daemon = xcalloc(1, sizeof *daemon);
    char *database = home_database(settings->home);
    daemon->settings = *settings;
    daemon->loop = loop;
    if (events != NULL)
        daemon->events = *events;
    daemon->untold = json_array();
    daemon->retry_ms = time_of("TUNER_RETRY_MS", RETRY_MS);
    daemon->idle_ms = time_of("TUNER_IDLE_MS", IDLE_MS);
    daemon->store = store_open(database, STORE_WRITE, why);
    free(database);
    if (daemon->store != NULL && take_signals(daemon, why) == 0 &&
        settings_read(daemon, why) == 0 &&
        (!settings->stay || submit_wanted(daemon, why) == 0))
        return daemon;
    daemon_free(daemon);
    return NULL;
}

void daemon_free(struct daemon *daemon)
{
    int i;
    if (daemon == NULL)
        return;
    for (i = 0; i < daemon->crew_count; i++) {
        launcher_free(daemon->crews[i].launcher);
        json_decref(daemon->crews[i].command);
    }
    free(daemon->crews);
    reporter_release(&daemon->reporter);
    for (i = 0; i < daemon->slot_count; i++)
        slot_free(daemon->slots[i]);
    free(daemon->slots);
    for (i = 0; i < daemon->run_count; i++)
        run_free(daemon->runs[i]);
    free(daemon->runs);
    loop_clear_timer(daemon->loop, &daemon->start_again);
    loop_clear_timer(daemon->loop, &daemon->disk.look_again);
    delete_doomed(daemon, false);
    free(daemon->doomed);
    free(daemon->unstartable);
    free(daemon->disk.waiting);
    json_decref(daemon->untold);
    store_close(daemon->store);
    failure_clear(&daemon->failed);
    failure_clear(&daemon->broken);
    free(daemon);
}
