#include "tuner/command.h"

#include "common/options.h"
#include "reports/report.h"
#include "tuner/daemon.h"
#include "tuner/hand_in.h"
#include "tuner/home.h"
#include "tuner/progress.h"
#include "tuner/summary.h"
#include "tuner/watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REDRAW_MS = 250 };

static const char about[] =
    "Runs the study of a file: searches, trains the winner anew, evaluates it once on the test "
    "set and writes the report.  Run again, it goes on where it was.\n";

static const char examples[] =
    "tuner run search_spaces/quickstart.yaml\n"
    "tuner run study.yaml --workers 4 --home /data/tuning\n"
    "tuner run study.yaml --fresh        the same draws again, under a new name\n";

static const char notes[] =
    "Where a daemon has the home (tuner serve), it is given the study, and this watches it.\n"
    "Ctrl-C finishes the epochs in hand and records them; twice stops at once; with a daemon it "
    "stops watching.\n"
    "Progress goes to stderr, the result to stdout.\n";

static int write_report(struct store *store, const char *home, const char *study,
                        struct failure *why)
{
    char *folder = home_report(home, study);
    int result = report_write(store, study, folder, why);
    free(folder);
    return result;
}

/* After a finished study: the report, and what the user came for on stdout. */
static enum exit_code show_result(const char *home, const char *study, bool json,
                                  struct failure *why)
{
    char *database = home_database(home);
    struct store *store = store_open(database, STORE_READ, why);
    enum exit_code code = EXIT_FAILED;
    if (store != NULL && write_report(store, home, study, why) == 0 &&
        summary_print(store, home, study, json, why) == 0)
        code = EXIT_DONE;
    else if (why->code != EXIT_DONE)
        code = why->code;
    store_close(store);
    free(database);
    return code;
}

/* ---- the study ---- */

/* What a user sees of the daemon while it works. */
struct view {
    struct loop *loop;
    struct daemon *daemon;
    struct progress *progress;
    struct timer redraw;
};

static void happened(void *context, const json_t *event)
{
    struct view *view = context;
    const char *word = json_string_value(json_object_get(event, "event"));
    if (strcmp(word, "line") == 0)
        progress_line(view->progress, "%s",
                      json_string_value(json_object_get(event, "text")));
}

static void draw(void *context)
{
    struct view *view = context;
    json_t *status;
    if (!progress_due(view->progress))
        return;
    status = daemon_status(view->daemon, NULL, NULL);
    progress_draw(view->progress, status);
    json_decref(status);
}

static void redraw_due(struct timer *timer, void *context)
{
    struct view *view = context;
    /* Nothing to do but to wake the loop, whose turn draws. */
    loop_set_timer(view->loop, timer, REDRAW_MS);
}

struct wish {
    struct daemon_settings settings;
    struct submission submission;
    bool quiet, json;
};

/* A daemon with one study, which ends with it; *name is what it is called in the end. */
static enum exit_code work(const struct wish *wish, struct view *view, char **name,
                           struct failure *why)
{
    const struct daemon_events events = {.happened = wish->quiet ? NULL : happened,
                                         .context = view};
    enum exit_code code = EXIT_FAILED;
    view->progress = progress_new(wish->quiet);
    view->loop = loop_new(why);
    if (view->loop != NULL)
        view->daemon = daemon_new(view->loop, &wish->settings, &events, why);
    if (view->daemon != NULL &&
        daemon_submit(view->daemon, &wish->submission, name, why) == 0) {
        view->redraw = (struct timer){.due = redraw_due, .context = view};
        loop_set_timer(view->loop, &view->redraw, REDRAW_MS);
        daemon_each_turn(view->daemon, draw, view);
        code = daemon_run(view->daemon, why);
    } else if (why->code != EXIT_DONE) {
        code = why->code;
    }
    progress_free(view->progress);
    daemon_free(view->daemon);
    loop_free(view->loop);
    return code;
}

/* Asks a trainer first, so that a study that cannot be run leaves nothing behind. */
static enum exit_code prepare_and_work(struct wish *wish, char **name, struct failure *why)
{
    const struct submission *submission = &wish->submission;
    struct study *study = study_parse(submission->file, submission->text, submission->size, why);
    struct prepared prepared = {0};
    struct view view = {0};
    enum exit_code code = EXIT_FAILED;
    if (study != NULL && study->outside)
        fail_input(why, "%s: with `trainer: none` there is nothing to run; submit it to `tuner "
                        "serve`, for other programs to ask and tell", submission->file);
    else if (study != NULL &&
             prepare(study, wish->settings.home, wish->settings.trainer, PURPOSE_RUN, &prepared,
                     why) == 0 &&
             home_make(wish->settings.home, why) == 0) {
        wish->submission.prepared = &prepared;
        code = work(wish, &view, name, why);
    }
    if (why->code != EXIT_DONE)
        code = why->code;
    prepared_release(&prepared);
    study_free(study);
    return code;
}

static enum exit_code run(struct wish *wish, struct failure *why)
{
    const char *file = wish->submission.file, *home = wish->settings.home;
    char *text, *name = NULL;
    enum exit_code code;
    if (study_read_file(file, &text, &wish->submission.size, why) != 0)
        return why->code;
    wish->submission.text = text;
    code = prepare_and_work(wish, &name, why);
    if (code == EXIT_DONE)
        code = show_result(home, name, wish->json, why);
    else if (code == EXIT_INTERRUPTED)
        message("interrupted; everything so far is recorded. "
                "To go on: tuner run %s --home %s --name %s", file, home, name);
    free(name);
    free(text);
    return code;
}

/* ---- where a daemon has the home ---- */

/* Of no consequence for a study that has been finished. */
static void ask_for_workers(struct client *client, const char *name, int workers)
{
    if (workers > 0)
        json_decref(client_ask(client, json_pack("{s: s, s: s, s: {s: i}}", "request", "set",
                                                 "study", name, "settings", "workers", workers),
                               NULL));
}

/* The daemon does the work; this gives it the study, and watches. */
static enum exit_code run_there(struct client *client, const struct wish *wish,
                                struct failure *why)
{
    const struct submission *submission = &wish->submission;
    const struct hand_in hand_in = {
        .file = submission->file, .name = submission->name, .priority = submission->priority,
        .fresh = submission->fresh, .extend = submission->extend,
        .any_precision = submission->any_precision};
    struct watching watching = {.home = wish->settings.home, .quiet = wish->quiet,
                                .json = wish->json};
    enum exit_code code;
    char *name;
    if (wish->settings.trainer != NULL) {
        fail_usage(why, "--trainer %s: the daemon of %s launches the trainers; say it to tuner "
                        "serve, or in the study", wish->settings.trainer, wish->settings.home);
        return EXIT_BAD_USAGE;
    }
    name = study_hand_in(client, &hand_in, why);
    if (name == NULL)
        return why->code;
    ask_for_workers(client, name, wish->settings.workers);
    watching.study = name;
    code = watch_study(client, &watching, why);
    free(name);
    return code;
}

static enum exit_code run_here_or_there(struct wish *wish, struct failure *why)
{
    struct client *client = NULL;
    enum exit_code code;
    switch (client_find(wish->settings.home, &client, why)) {
    case 0:
        return run(wish, why);
    case 1:
        code = run_there(client, wish, why);
        client_close(client);
        return code;
    }
    return why->code;
}

enum exit_code command_run(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *trainer = NULL, *name = NULL, *words[1] = {NULL};
    int64_t workers = 0, priority = 0;
    bool fresh = false, extend = false, any_precision = false, quiet = false, json = false;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR",
         "where database, checkpoints, logs and reports are (default: $TUNER_HOME, else ./tuning)"},
        {"workers", 0, OPTION_INTEGER, &workers, 1, 1024, "N",
         "so many at once (default: as the study says, else one per core)"},
        {"fresh", 0, OPTION_FLAG, &fresh, 0, 0, NULL,
         "start over under a new name, such as study_2"},
        {"extend", 0, OPTION_FLAG, &extend, 0, 0, NULL,
         "a study whose settings have changed since is taken on as its next version, such as "
         "study_v2"},
        {"name", 0, OPTION_TEXT, &name, 0, 0, "NAME",
         "run it as the study NAME, rather than as its file says"},
        {"trainer", 0, OPTION_TEXT, &trainer, 0, 0, "PROGRAM",
         "the trainer to launch (default: the one beside the tuner)"},
        {"priority", 0, OPTION_INTEGER, &priority, -1000, 1000, "N",
         "with a daemon: before the studies of a lower one (default: 0)"},
        {"any-precision", 0, OPTION_FLAG, &any_precision, 0, 0, NULL,
         "go on although `precision: auto` means another precision here than where the study "
         "began, and its trials are then no more alike"},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "the result as JSON"},
        {"quiet", 'q', OPTION_FLAG, &quiet, 0, 0, NULL, "no progress"},
    };
    const struct options options = {
        "tuner run", rules, ARRAY_LENGTH(rules), "STUDY.yaml", 1, 1, .about = about,
        .examples = examples, .notes = notes,
        .exit_codes = "0 done, 1 failed, 64 wrong usage, 65 bad input, 130 interrupted"};
    struct wish wish;
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    path = home_path(home);
    wish = (struct wish){.settings = {.home = path, .trainer = trainer, .workers = (int)workers},
                         .submission = {.file = words[0], .name = name,
                                        .priority = (int)priority, .fresh = fresh,
                                        .extend = extend, .any_precision = any_precision},
                         .quiet = quiet, .json = json};
    code = run_here_or_there(&wish, why);
    free(path);
    return code;
}
