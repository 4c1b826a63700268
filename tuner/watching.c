#include "tuner/watching.h"

#include "common/json_text.h"
#include "common/member.h"
#include "tuner/home.h"
#include "tuner/loop.h"
#include "tuner/progress.h"
#include "tuner/summary.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REDRAW_MS = 250 };

struct view {
    const struct watching *watching;
    struct client *client;
    struct loop *loop;
    struct watch daemon;
    struct progress *progress;
    struct timer redraw;
    bool asked;         /* for the status that is drawn */
    char *state, *note; /* of the study, as it was told last */
    bool reported;      /* there is nothing more to come of a finished study */
    bool interrupted;   /* by Ctrl-C */
    struct failure gone; /* the daemon is */
};

static void take_state(struct view *view, const json_t *object)
{
    free(view->state);
    free(view->note);
    view->state = xstrdup(member_shown(object, "state"));
    view->note = xstrdup(member_shown(object, "note"));
}

static bool is_state(const struct view *view, const char *state)
{
    return strcmp(view->state, state) == 0;
}

static bool is_over(const struct view *view)
{
    return view->interrupted || view->gone.text != NULL || is_state(view, "failed") ||
           is_state(view, "interrupted") || (is_state(view, "finished") && view->reported);
}

/* ---- on a terminal: a table of how it stands ---- */

static void redraw_due(struct timer *timer, void *context)
{
    struct view *view = context;
    if (progress_due(view->progress) && !view->asked)
        view->asked = client_send(view->client, json_pack("{s: s, s: s}", "request", "status",
                                                          "study", view->watching->study),
                                  NULL) == 0;
    loop_set_timer(view->loop, timer, REDRAW_MS);
}

static void take_answer(struct view *view, const json_t *status)
{
    view->asked = false;
    if (json_is_true(json_object_get(status, "ok")))
        progress_draw(view->progress, status);
}

/* ---- events ---- */

static void take_event(struct view *view, const json_t *event)
{
    const char *kind = member_shown(event, "event");
    if (view->watching->events) {
        json_text_print(event);
        fflush(stdout);
    } else if (strcmp(kind, "line") == 0) {
        progress_line(view->progress, "%s", member_shown(event, "text"));
    }
    if (strcmp(kind, "state") == 0)
        take_state(view, event);
    else if (strcmp(kind, "report") == 0)
        view->reported = true;
}

static void daemon_ready(struct watch *watch, void *context)
{
    struct view *view = context;
    json_t *line = NULL;
    (void)watch;
    while (!is_over(view) && client_next(view->client, 0, &line, &view->gone) > 0) {
        if (json_object_get(line, "ok") != NULL)
            take_answer(view, line);
        else
            take_event(view, line);
        json_decref(line);
    }
}

static void signal_caught(int number, void *context)
{
    struct view *view = context;
    (void)number;
    view->interrupted = true;
}

static int look(struct view *view, struct failure *why)
{
    static const int signals[] = {SIGINT, SIGTERM};
    int result = 0;
    view->loop = loop_new(why);
    if (view->loop == NULL)
        return -1;
    view->daemon = (struct watch){.fd = client_fd(view->client), .ready = daemon_ready,
                                  .context = view};
    if (loop_signals(view->loop, signals, ARRAY_LENGTH(signals), signal_caught, view, why) != 0 ||
        loop_watch(view->loop, &view->daemon, why) != 0)
        result = -1;
    view->progress = progress_new(view->watching->quiet || view->watching->events);
    view->redraw = (struct timer){.due = redraw_due, .context = view};
    loop_set_timer(view->loop, &view->redraw, 0);
    if (result == 0)
        daemon_ready(&view->daemon, view); /* events that came along with the answer */
    while (result == 0 && !is_over(view))
        result = loop_turn(view->loop, why);
    progress_free(view->progress);
    loop_free(view->loop);
    return result;
}

/* ---- the end ---- */

static enum exit_code show_result(const struct watching *watching, struct failure *why)
{
    char *database = home_database(watching->home);
    struct store *store = store_open(database, STORE_READ, why);
    enum exit_code code = EXIT_DONE;
    if (store == NULL ||
        summary_print(store, watching->home, watching->study, watching->json, why) != 0)
        code = why->code;
    store_close(store);
    free(database);
    return code;
}

static enum exit_code conclude(const struct view *view, struct failure *why)
{
    const struct watching *watching = view->watching;
    if (is_state(view, "finished"))
        return watching->events ? EXIT_DONE : show_result(watching, why);
    if (is_state(view, "failed")) {
        /* Bad input begins with its place in the study file. */
        if (strstr(view->note, ": error: ") != NULL)
            fail_input(why, "%s", view->note);
        else
            fail(why, "study %s failed: %s", watching->study, view->note);
        return why->code;
    }
    if (is_state(view, "interrupted"))
        message("study %s was interrupted%s%s; everything so far is recorded. To go on, submit "
                "its file again", watching->study, *view->note != '\0' ? ": " : "", view->note);
    else if (view->interrupted)
        message("study %s goes on. To watch it again: tuner watch %s --home %s; to stop it: "
                "tuner stop %s --home %s", watching->study, watching->study, watching->home,
                watching->study, watching->home);
    else
        message("%s; study %s goes on when it is started again: tuner serve --home %s",
                view->gone.text, watching->study, watching->home);
    return EXIT_INTERRUPTED;
}

enum exit_code watch_study(struct client *client, const struct watching *watching,
                           struct failure *why)
{
    struct view view = {.watching = watching, .client = client};
    enum exit_code code = EXIT_FAILED;
    json_t *status = client_ask(client, json_pack("{s: s, s: s}", "request", "watch", "study",
                                                  watching->study), why);
    if (status != NULL) {
        const json_t *study = json_array_get(json_object_get(status, "studies"), 0);
        take_state(&view, study);
        view.reported = is_state(&view, "finished") &&
                        !json_is_true(json_object_get(study, "reporting"));
        if (look(&view, why) == 0)
            code = conclude(&view, why);
        json_decref(status);
    }
    if (why->code != EXIT_DONE)
        code = why->code;
    free(view.state);
    free(view.note);
    failure_clear(&view.gone);
    return code;
}
