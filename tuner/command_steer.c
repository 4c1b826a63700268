/* pause, resume, stop, cancel, set: what is asked of a daemon in a word. */
#include "tuner/command.h"

#include "common/options.h"
#include "tuner/client.h"

#include <stdio.h>
#include <stdlib.h>

/* Sends a request (the reference is taken); its answer says nothing more than that it is done. */
static enum exit_code ask(const char *home, json_t *request, struct failure *why)
{
    json_decref(client_ask_once(home, request, why));
    return why->code;
}

/* ---- pause, resume, stop, cancel ---- */

struct order {
    const char *word, *command, *help;
};

static enum exit_code give(const struct order *order, char *const arguments[],
                           struct failure *why)
{
    const char *home = NULL, *words[1] = {NULL};
    bool all = false;
    const struct option_rule rules[] = {{"home", 0, OPTION_TEXT, &home, 0, 0},
                                        {"all", 0, OPTION_FLAG, &all, 0, 0}};
    const struct options options = {order->command, rules, ARRAY_LENGTH(rules), "", 0, 1};
    int parsed = options_parse(&options, arguments, words, NULL, why);
    if (parsed != 0)
        return command_help(parsed, order->help);
    if (all == (words[0] != NULL)) {
        fail_usage(why, "a STUDY or --all is needed, and not both; see %s --help", order->command);
        return EXIT_BAD_USAGE;
    }
    return ask(home, json_pack("{s: s, s: s*}", "request", order->word, "study", words[0]), why);
}

enum exit_code command_pause(char *const arguments[], struct failure *why)
{
    static const struct order order = {
        "pause", "tuner pause",
        "Usage: tuner pause STUDY | --all [--home DIR]\n"
        "The daemon starts nothing new for the study; what runs goes on to the end of its\n"
        "segment.  `tuner resume` undoes it.\n"};
    return give(&order, arguments, why);
}

enum exit_code command_resume(char *const arguments[], struct failure *why)
{
    static const struct order order = {
        "resume", "tuner resume",
        "Usage: tuner resume STUDY | --all [--home DIR]\n"
        "The daemon goes on with a study that was paused.  One that was stopped or cancelled\n"
        "goes on when its file is submitted again.\n"};
    return give(&order, arguments, why);
}

enum exit_code command_stop(char *const arguments[], struct failure *why)
{
    static const struct order order = {
        "stop", "tuner stop",
        "Usage: tuner stop STUDY | --all [--home DIR]\n"
        "The daemon lets the study's running segments end, and puts it down.  Everything is\n"
        "recorded; submitted again it goes on where it was.\n"};
    return give(&order, arguments, why);
}

enum exit_code command_cancel(char *const arguments[], struct failure *why)
{
    static const struct order order = {
        "cancel", "tuner cancel",
        "Usage: tuner cancel STUDY | --all [--home DIR]\n"
        "The daemon ends the study's workers now, and puts it down.  Epochs that were recorded\n"
        "stay; submitted again it goes on from them.\n"};
    return give(&order, arguments, why);
}

/* ---- set ---- */

static const char set_help[] =
    "Examples:\n"
    "  tuner set --workers 8                 of all studies together\n"
    "  tuner set quickstart --workers 2 --priority 5\n"
    "  tuner set quickstart --minutes 60     from now on; 0: no limit\n"
    "\n"
    "Usage: tuner set [STUDY] [OPTIONS]\n"
    "Changes what a daemon works with, while it works.\n"
    "\n"
    "  --workers N        so many at once: of the STUDY (0: no limit), else in all\n"
    "  --priority N       of the STUDY, from -1000 to 1000: before those of a lower one\n"
    "  --minutes N        its limits, as in its file: `limits: {minutes: N}`, ...\n"
    "  --failures N\n"
    "  --retries N\n"
    "  --epoch-seconds N\n"
    "  --quota-bytes N    of the checkpoints of all studies together; 0: none\n"
    "  --home DIR\n";

/* An option that was not given. */
enum { NOT_GIVEN = -100000 };

static void add(json_t *object, const char *name, int64_t value)
{
    if (value != NOT_GIVEN)
        json_object_set_new(object, name, json_integer(value));
}

enum exit_code command_set(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1] = {NULL};
    int64_t workers = NOT_GIVEN, priority = NOT_GIVEN, minutes = NOT_GIVEN, failures = NOT_GIVEN,
            retries = NOT_GIVEN, epoch_seconds = NOT_GIVEN, quota = NOT_GIVEN;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0},
        {"workers", 0, OPTION_INTEGER, &workers, 0, 1024},
        {"priority", 0, OPTION_INTEGER, &priority, -1000, 1000},
        {"minutes", 0, OPTION_INTEGER, &minutes, 0, INT32_MAX},
        {"failures", 0, OPTION_INTEGER, &failures, 0, INT32_MAX},
        {"retries", 0, OPTION_INTEGER, &retries, 0, INT32_MAX},
        {"epoch-seconds", 0, OPTION_INTEGER, &epoch_seconds, 0, INT32_MAX},
        {"quota-bytes", 0, OPTION_INTEGER, &quota, 0, INT64_MAX},
    };
    const struct options options = {"tuner set", rules, ARRAY_LENGTH(rules), "", 0, 1};
    int parsed = options_parse(&options, arguments, words, NULL, why);
    json_t *settings, *limits;
    if (parsed != 0)
        return command_help(parsed, set_help);
    settings = json_object();
    limits = json_object();
    add(settings, "workers", workers);
    add(settings, "priority", priority);
    add(settings, "quota_bytes", quota);
    add(limits, "minutes", minutes);
    add(limits, "failures", failures);
    add(limits, "retries", retries);
    add(limits, "epoch_seconds", epoch_seconds);
    if (json_object_size(limits) > 0)
        json_object_set(settings, "limits", limits);
    json_decref(limits);
    if (json_object_size(settings) > 0)
        return ask(home, json_pack("{s: s, s: s*, s: o}", "request", "set", "study", words[0],
                                   "settings", settings), why);
    json_decref(settings);
    fail_usage(why, "there is nothing to set; see tuner set --help");
    return EXIT_BAD_USAGE;
}
