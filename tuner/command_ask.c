/* ask, tell: other programs as the trainers of a study. */
#include "tuner/command.h"

#include "common/json_text.h"
#include "common/options.h"
#include "tuner/client.h"
#include "tuner/home.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char ask_about[] =
    "Draws the next configuration of a study of the daemon, for a program of your own that "
    "trains it from `from_epoch` to `to_epoch`, as JSON.  {\"wait\":true}: there is none before "
    "others have been told of; {\"finished\":true}: there is none any more.\n";

static const char ask_examples[] =
    "tuner ask mine\n"
    "{\"study\":\"mine\",\"trial\":3,\"attempt\":1,\"parameters\":{\"rate\":0.01},...}\n"
    "tuner tell mine 3 --value 0.93\n";

static const char tell_examples[] =
    "tuner tell mine 3 --value 0.93\n"
    "tuner tell mine 3 --epoch 1 --value 0.51      on the way\n"
    "tuner tell mine 3 --failed 'it diverged'\n";

enum exit_code command_ask(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1];
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    const struct options options = {"tuner ask", rules, ARRAY_LENGTH(rules), "STUDY", 1, 1,
                                    .about = ask_about, .examples = ask_examples};
    json_t *answer;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    answer = client_ask_once(home, json_pack("{s: s, s: s}", "request", "ask", "study", words[0]),
                             why);
    if (answer == NULL)
        return why->code;
    json_object_del(answer, "ok");
    json_text_print(answer);
    json_decref(answer);
    return EXIT_DONE;
}

/* ---- tell ---- */

static int read_number(const char *name, const char *text, double *number, struct failure *why)
{
    char *end = NULL;
    *number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*number))
        return fail_usage(why, "%s must be a number, not '%s'; what is not finite is told with "
                               "--failed", name, text);
    return 0;
}

static int read_trial(const char *text, int64_t *trial, struct failure *why)
{
    char *end = NULL;
    errno = 0;
    *trial = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || *trial < 0)
        return fail_usage(why, "TRIAL must be the number of a trial, not '%s'", text);
    return 0;
}

static enum exit_code tell(const char *home, const char *study, const char *trial,
                           const char *value, const char *failed, json_t *report,
                           struct failure *why)
{
    int64_t number = 0;
    double measured = 0;
    if ((value == NULL) == (failed == NULL)) {
        fail_usage(why, "one of --value and --failed is needed; see tuner tell --help");
        return EXIT_BAD_USAGE;
    }
    if (read_trial(trial, &number, why) != 0 ||
        (value != NULL && read_number("--value", value, &measured, why) != 0))
        return EXIT_BAD_USAGE;
    json_object_update_new(report, json_pack("{s: s, s: s, s: I}", "request", "tell", "study",
                                             study, "trial", (json_int_t)number));
    if (value != NULL)
        json_object_set_new(report, "value", json_real(measured));
    else
        json_object_set_new(report, "failed", json_string(failed));
    json_decref(client_ask_once(home, json_incref(report), why));
    return why->code;
}

enum exit_code command_tell(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *value = NULL, *failed = NULL, *words[2];
    int64_t epoch = 0, attempt = -1;
    const struct option_rule rules[] = {
        {"value", 0, OPTION_TEXT, &value, 0, 0, "V",
         "the objective's metric, after the last epoch that was asked for"},
        {"epoch", 0, OPTION_INTEGER, &epoch, 1, INT32_MAX, "N",
         "after this epoch, rather than the last"},
        {"failed", 0, OPTION_TEXT, &failed, 0, 0, "REASON",
         "the configuration cannot work; it is not tried again"},
        {"attempt", 0, OPTION_INTEGER, &attempt, 0, INT32_MAX, "N",
         "that `ask` gave; refused if it is not the one that counts any more"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    const struct options options = {
        "tuner tell", rules, ARRAY_LENGTH(rules), "STUDY TRIAL", 2, 2,
        .usage = "STUDY TRIAL --value V | --failed REASON [OPTIONS]\n",
        .about = "Tells the daemon how the training of a configuration from `tuner ask` went.\n",
        .examples = tell_examples};
    json_t *report;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    report = json_object();
    if (epoch > 0)
        json_object_set_new(report, "epoch", json_integer(epoch));
    if (attempt >= 0)
        json_object_set_new(report, "attempt", json_integer(attempt));
    code = tell(home, words[0], words[1], value, failed, report, why);
    json_decref(report);
    return code;
}
