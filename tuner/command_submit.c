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

static const char submit_about[] =
    "Gives the study of a file to the daemon of the home (tuner serve), which works on it, or "
    "goes on where it was.  Returns at once; what the study is called goes to stdout.\n";

static const char submit_examples[] =
    "tuner submit study.yaml && tuner watch study\n"
    "tuner submit study.yaml --priority 5\n"
    "tuner submit edited.yaml --extend    its ranges have changed: a new version\n";

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
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR",
         "the daemon's home (default: $TUNER_HOME, else ./tuning)"},
        {"name", 0, OPTION_TEXT, &hand_in.name, 0, 0, "NAME",
         "run it as the study NAME, rather than as its file says"},
        {"priority", 0, OPTION_INTEGER, &priority, -1000, 1000, "N",
         "from -1000 to 1000: before those of a lower one (default: 0)"},
        {"fresh", 0, OPTION_FLAG, &hand_in.fresh, 0, 0, NULL,
         "start over under a new name, such as study_2"},
        {"extend", 0, OPTION_FLAG, &hand_in.extend, 0, 0, NULL,
         "go on as a new version, such as study_v2, if the file says something else than what "
         "is recorded"},
        {"any-precision", 0, OPTION_FLAG, &hand_in.any_precision, 0, 0, NULL,
         "go on although `precision: auto` means another precision here than where the study "
         "began"},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "the name as JSON"},
    };
    const struct options options = {
        "tuner submit", rules, ARRAY_LENGTH(rules), "STUDY.yaml", 1, 1, .about = submit_about,
        .examples = submit_examples,
        .exit_codes = "0 accepted, 1 failed, 64 wrong usage, 65 bad input or no daemon"};
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    hand_in.file = words[0];
    hand_in.priority = (int)priority;
    path = home_path(home);
    code = submit(path, &hand_in, json, why);
    free(path);
    return code;
}

/* ---- watch ---- */

static const char watch_about[] =
    "Shows what the daemon of the home does for a study until that ends, then its result.  "
    "Ctrl-C ends the watching; the study goes on.\n";

static const char watch_examples[] =
    "tuner watch quickstart\n"
    "tuner watch quickstart --json | jq -c 'select(.event == \"epoch\")'\n";

enum exit_code command_watch(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1];
    struct watching watching = {0};
    const struct option_rule rules[] = {
        {"json", 0, OPTION_FLAG, &watching.events, 0, 0, NULL,
         "every event as a line of JSON (docs/control.md), and no result"},
        {"quiet", 'q', OPTION_FLAG, &watching.quiet, 0, 0, NULL, "the result alone"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    const struct options options = {
        "tuner watch", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1, .about = watch_about,
        .examples = watch_examples,
        .exit_codes = "0 the study has finished, 1 it failed, 64 wrong usage, 65 bad input or no "
                      "daemon, 130 interrupted"};
    struct client *client;
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    path = home_path(home);
    watching.home = path;
    watching.study = words[0];
    client = client_open(path, why);
    code = client != NULL ? watch_study(client, &watching, why) : why->code;
    client_close(client);
    free(path);
    return code;
}
