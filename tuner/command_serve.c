#include "tuner/command.h"

#include "common/file.h"
#include "common/options.h"
#include "tuner/client.h"
#include "tuner/home.h"
#include "tuner/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "Works on studies until it is told to end: those that an earlier daemon had in hand, and "
    "those that `tuner submit` and `tuner run` give it.  One daemon has a home; docs/control.md "
    "says how programs talk to it.\n";

static const char examples[] =
    "tuner serve --home /data/tuning\n"
    "tuner serve --detach && tuner submit study.yaml && tuner status\n"
    "kill -TERM PID    running segments end, then it does; twice: now\n";

static const char notes[] =
    "Signals: TERM and INT end it, once more ends it now; HUP reads settings.yaml again; USR1 "
    "writes its state to the log.\n";

/* The store's lock would say so too, but not as well. */
static int refuse_second(const char *home, struct failure *why)
{
    struct client *client = NULL;
    int found = client_find(home, &client, why);
    if (found > 0)
        found = fail(why, "a daemon works in %s already: process %ld; see tuner status --home %s",
                     home, client_pid(client), home);
    client_close(client);
    return found;
}

static enum exit_code serve_detached(struct service_settings *settings, struct failure *why)
{
    struct detached detached;
    enum exit_code code;
    int side = detach(settings->log, &detached, why);
    if (side < 0)
        return why->code;
    if (side > 0) {
        printf("the daemon of %s is process %ld; its log is %s\n", settings->daemon.home,
               detached.pid, settings->log);
        return EXIT_DONE;
    }
    settings->detached = &detached;
    code = service_run(settings, why);
    if (code != EXIT_DONE)
        detach_failed(&detached, why);
    return code;
}

static enum exit_code serve(struct service_settings *settings, bool background,
                            struct failure *why)
{
    enum exit_code code;
    char *log;
    if (home_make(settings->daemon.home, why) != 0 ||
        refuse_second(settings->daemon.home, why) != 0)
        return why->code;
    if (!background)
        return service_run(settings, why);
    log = path_join(settings->daemon.home, "logs/daemon.log");
    settings->log = log;
    code = serve_detached(settings, why);
    free(log);
    return code;
}

enum exit_code command_serve(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *trainer = NULL, *format = NULL;
    int64_t workers = 0;
    bool background = false;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR",
         "where database, checkpoints, logs and reports are (default: $TUNER_HOME, else ./tuning)"},
        {"workers", 0, OPTION_INTEGER, &workers, 1, 1024, "N",
         "so many at once (default: settings.yaml of the home, else one per core)"},
        {"trainer", 0, OPTION_TEXT, &trainer, 0, 0, "PROGRAM",
         "the trainer to launch (default: each study's own, else the one beside the tuner)"},
        {"detach", 0, OPTION_FLAG, &background, 0, 0, NULL,
         "goes to the background once it is ready; logs to logs/daemon.log"},
        {"log-format", 0, OPTION_CHOICE, &format, 0, 0, "text|json",
         "how the log is written (default: text; the journal's own where stderr is that)"},
    };
    const struct options options = {
        "tuner serve", rules, ARRAY_LENGTH(rules), NULL, 0, 0, .about = about,
        .examples = examples, .notes = notes,
        .exit_codes = "0 ended as it was told, 1 failed, 64 wrong usage, 65 bad input"};
    struct service_settings settings;
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, NULL, NULL, why) != 0)
        return why->code;
    settings = (struct service_settings){
        .daemon = {.trainer = trainer, .workers = (int)workers, .stay = true}};
    if (log_choose(format, background ? NULL : getenv("JOURNAL_STREAM"), STDERR_FILENO,
                   &settings.log_format, why) != 0)
        return EXIT_BAD_USAGE;
    path = home_path(home);
    settings.daemon.home = path;
    code = serve(&settings, background, why);
    free(path);
    return code;
}
