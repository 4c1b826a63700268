#include "tuner/service.h"

#include "tuner/command.h"
#include "tuner/control.h"
#include "tuner/notify.h"
#include "tuner/requests.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_MS = 5000 };

struct service {
    const struct service_settings *settings;
    struct loop *loop;
    struct log *log;
    struct notify *notify;   /* NULL: nobody to tell */
    struct daemon *daemon;
    struct control *control; /* NULL while the daemon begins */
    struct timer alive, status;
};

/* ---- what happens ---- */

/* After which there is nothing more to tell of a study: a report follows when it has finished. */
static bool is_last(const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    const char *state = json_string_value(json_object_get(event, "state"));
    return strcmp(kind, "report") == 0 ||
           (strcmp(kind, "state") == 0 &&
            (strcmp(state, "failed") == 0 || strcmp(state, "interrupted") == 0));
}

static void happened(void *context, const json_t *event)
{
    struct service *service = context;
    log_event(service->log, event);
    if (service->control != NULL)
        control_publish(service->control, json_string_value(json_object_get(event, "study")),
                        event, is_last(event));
}

/* ---- what is asked ---- */

static void line_came(void *context, struct peer *peer, const char *line, size_t length)
{
    struct service *service = context;
    struct failure why = FAILURE_NONE;
    struct request request;
    json_t *answer;
    if (request_parse(line, length, &request, &why) == 0) {
        answer = request_answer(&request, service->daemon);
        if (request.type == REQUEST_WATCH && json_is_true(json_object_get(answer, "ok")))
            peer_watch(peer, request.study);
        request_release(&request);
    } else {
        answer = request_refusal(&why);
    }
    peer_say(peer, answer);
    json_decref(answer);
    failure_clear(&why);
}

/* ---- signals ---- */

static void reopen_log(struct service *service)
{
    struct failure why = FAILURE_NONE;
    if (service->settings->detached != NULL &&
        detach_reopen(service->settings->log, &why) != 0)
        log_say(service->log, LOG_ERROR, NULL, "%s", why.text);
    failure_clear(&why);
}

/* Called before the daemon does what the signal asks of it. */
static void signalled(void *context, int number)
{
    struct service *service = context;
    if (number == SIGHUP) {
        notify_reloading(service->notify);
        reopen_log(service);
        notify_ready(service->notify);
    } else if (number != SIGUSR1) {
        notify_stopping(service->notify);
    }
}

/* ---- what systemd is told now and then ---- */

static void alive_due(struct timer *timer, void *context)
{
    struct service *service = context;
    notify_alive(service->notify);
    loop_set_timer(service->loop, timer, notify_alive_ms(service->notify));
}

static int count_busy(const json_t *slots)
{
    int busy = 0;
    size_t i;
    json_t *slot;
    json_array_foreach((json_t *)(uintptr_t)slots, i, slot) {
        const char *state = json_string_value(json_object_get(slot, "state"));
        busy += state != NULL && strcmp(state, "busy") == 0;
    }
    return busy;
}

static void status_due(struct timer *timer, void *context)
{
    struct service *service = context;
    json_t *status = daemon_status(service->daemon, NULL, NULL);
    size_t studies = json_array_size(json_object_get(status, "studies"));
    char *text = xasprintf("%zu %s in hand, %d of %lld workers busy", studies,
                           studies == 1 ? "study" : "studies",
                           count_busy(json_object_get(status, "slots")),
                           (long long)json_integer_value(json_object_get(status, "workers")));
    notify_status(service->notify, text);
    free(text);
    json_decref(status);
    loop_set_timer(service->loop, timer, STATUS_MS);
}

static void start_timers(struct service *service)
{
    service->alive = (struct timer){.due = alive_due, .context = service};
    service->status = (struct timer){.due = status_due, .context = service};
    if (service->notify != NULL)
        loop_set_timer(service->loop, &service->status, 0);
    if (notify_alive_ms(service->notify) > 0)
        loop_set_timer(service->loop, &service->alive, 0);
}

/* ---- from beginning to end ---- */

/* The daemon before the socket: it has the home's lock then. */
static int begin(struct service *service, struct failure *why)
{
    const struct daemon_settings *settings = &service->settings->daemon;
    const struct daemon_events events = {.happened = happened, .signalled = signalled,
                                         .context = service};
    const struct control_events requests = {line_came, service};
    service->loop = loop_new(why);
    if (service->loop == NULL)
        return -1;
    service->daemon = daemon_new(service->loop, settings, &events, why);
    if (service->daemon == NULL)
        return -1;
    service->control = control_open(service->loop, settings->home, &requests, why);
    if (service->control == NULL)
        return -1;
    start_timers(service);
    return 0;
}

static void say_ready(struct service *service)
{
    log_say(service->log, LOG_NOTICE, NULL, "tuner %s works in %s as process %ld", TUNER_VERSION,
            service->settings->daemon.home, (long)getpid());
    notify_ready(service->notify);
    if (service->settings->detached != NULL)
        detach_ready(service->settings->detached);
}

static void end(struct service *service)
{
    control_close(service->control);
    daemon_free(service->daemon);
    if (service->loop != NULL)
        loop_free(service->loop);
    notify_free(service->notify);
}

enum exit_code service_run(const struct service_settings *settings, struct failure *why)
{
    struct service service = {.settings = settings};
    enum exit_code code;
    service.log = log_new(settings->log_format, STDERR_FILENO);
    service.notify = notify_new();
    if (begin(&service, why) == 0) {
        say_ready(&service);
        code = daemon_run(service.daemon, why);
        log_say(service.log, LOG_NOTICE, NULL, "ended");
    } else {
        code = why->code;
    }
    end(&service);
    log_free(service.log);
    return code;
}
