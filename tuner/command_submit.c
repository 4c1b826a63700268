/* submit, watch: a study given to a daemon, and looked at until it ends. */
#include "tuner/command.h"

#include "common/options.h"
#include "tuner/client.h"
#include "tuner/home.h"
#include "tuner/hand_in.h"
#include "tuner/watching.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- submit ---- */

static const char submit_help[] =
    "Examples:\n"
    "  tuner submit study.yaml && tuner watch study\n"
    "  tuner submit study.yaml --priority 5\n"
    "  tuner submit edited.yaml --extend    its ranges have changed: a new version\n"
    "\n"
    "Usage: tuner submit FILE [OPTIONS]\n"
    "Gives the study of FILE to the daemon of the home (tuner serve), which works on it, or\n"
    "goes on where it was.  Returns at once; what the study is called\n"
    "goes to stdout.\n"
    "\n"
    "  --home DIR         the daemon's home (default: $TUNER_HOME, else ./tuning)\n"
    "  --name NAME        run it as the study NAME, rather than as its file says\n"
    "  --priority N       from -1000 to 1000: before those of a lower one (default: 0)\n"
    "  --fresh            start over under a new name, such as study_2\n"
    "  --extend           go on as a new version, such as study_v2, if the file says something\n"
    "                     else than what is recorded\n"
    "  --any-precision    go on although `precision: auto` means another precision here than\n"
    "                     where the study began\n"
    "  --json             the name as JSON\n"
    "\n"
    "Exit codes: 0 accepted, 1 failed, 64 wrong usage, 65 bad input or no daemon.\n";

static enum exit_code submit(const char *home, const struct hand_in *hand_in, bool json,
                             struct failure *why)
{
    struct client *client = client_open(home, why);
    char *name = client != NULL ? study_hand_in(client, hand_in, why) : NULL;
    client_close(client);
    if (name == NULL)
        return why->code;
    if (json) {
        printf("{\"study\":\"%s\"}\n", name);
    } else {
        puts(name);
        message("accepted; to watch it: tuner watch %s --home %s", name, home);
    }
    free(name);
    return EXIT_DONE;
}

enum exit_code command_submit(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1];
    struct hand_in hand_in = {0};
    int64_t priority = 0;
    bool json = false;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0},
        {"name", 0, OPTION_TEXT, &hand_in.name, 0, 0},
        {"priority", 0, OPTION_INTEGER, &priority, -1000, 1000},
        {"fresh", 0, OPTION_FLAG, &hand_in.fresh, 0, 0},
        {"extend", 0, OPTION_FLAG, &hand_in.extend, 0, 0},
        {"any-precision", 0, OPTION_FLAG, &hand_in.any_precision, 0, 0},
        {"json", 0, OPTION_FLAG, &json, 0, 0},
    };
    const struct options options = {"tuner submit", rules, ARRAY_LENGTH(rules), "FILE", 1, 1};
    int parsed = options_parse(&options, arguments, words, NULL, why);
    char *path;
    enum exit_code code;
    if (parsed != 0)
        return command_help(parsed, submit_help);
    hand_in.file = words[0];
    hand_in.priority = (int)priority;
    path = home_path(home);
    code = submit(path, &hand_in, json, why);
    free(path);
    return code;
}

/* ---- watch ---- */

static const char watch_help[] =
    "Examples:\n"
    "  tuner watch quickstart\n"
    "  tuner watch quickstart --json | jq -c 'select(.event == \"epoch\")'\n"
    "\n"
    "Usage: tuner watch STUDY [--json] [--quiet] [--home DIR]\n"
    "Shows what the daemon of the home does for a study until that ends, then its result.\n"
    "Ctrl-C ends the watching; the study goes on.\n"
    "\n"
    "  --json       every event as a line of JSON (docs/control.md), and no result\n"
    "  --quiet, -q  the result alone\n"
    "\n"
    "Exit codes: 0 the study has finished, 1 it failed, 64 wrong usage, 65 bad input or no\n"
    "daemon, 130 interrupted.\n";

enum exit_code command_watch(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1];
    struct watching watching = {0};
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0},
        {"json", 0, OPTION_FLAG, &watching.events, 0, 0},
        {"quiet", 'q', OPTION_FLAG, &watching.quiet, 0, 0},
    };
    const struct options options = {"tuner watch", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1};
    int parsed = options_parse(&options, arguments, words, NULL, why);
    struct client *client;
    char *path;
    enum exit_code code;
    if (parsed != 0)
        return command_help(parsed, watch_help);
    path = home_path(home);
    watching.home = path;
    watching.study = words[0];
    client = client_open(path, why);
    code = client != NULL ? watch_study(client, &watching, why) : why->code;
    client_close(client);
    free(path);
    return code;
}
