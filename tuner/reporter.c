#include "tuner/engine.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>

void report_later(struct daemon *daemon, const char *study)
{
    if (daemon->reporter.studies == NULL)
        daemon->reporter.studies = json_array();
    json_array_append_new(daemon->reporter.studies, json_string(study));
}

bool reporter_has(const struct daemon *daemon, const char *study)
{
    const json_t *waiting;
    size_t i;
    json_array_foreach(daemon->reporter.studies, i, waiting) {
        if (strcasecmp(json_string_value(waiting), study) == 0)
            return true;
    }
    return false;
}

/* The next daemon need not write it any more. */
static void record_written(struct daemon *daemon, const char *study)
{
    int64_t id = store_find_study(daemon->store, study, NULL);
    if (id > 0 && daemon_recording(daemon))
        store_want_study(daemon->store, id, WANTED_NOT, &daemon->broken);
}

static void has_written(void *context, int status, const char *output, size_t length)
{
    struct daemon *daemon = context;
    struct reporter *reporter = &daemon->reporter;
    const char *study = json_string_value(json_array_get(reporter->studies, 0));
    (void)output;
    (void)length;
    reporter->child = NULL;
    record_written(daemon, study);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        event_report(daemon, study, NULL);
    else
        event_report(daemon, study, "it could not be written; `tuner report` says why");
    json_array_remove(reporter->studies, 0);
}

void reporter_act(struct daemon *daemon)
{
    struct reporter *reporter = &daemon->reporter;
    const struct child_end end = {has_written, daemon};
    const char *study = json_string_value(json_array_get(reporter->studies, 0));
    const char *arguments[] = {"report", study, "--home", daemon->settings.home, NULL};
    if (study == NULL || reporter->child != NULL || daemon->ending > 0 ||
        daemon->unstartable != NULL)
        return;
    reporter->child = child_start(daemon->loop, arguments, "", 0, &end, NULL);
    if (reporter->child == NULL)
        daemon_cannot_start(daemon, "cannot start a program to write a report");
}

void reporter_release(struct reporter *reporter)
{
    child_kill(reporter->child);
    json_decref(reporter->studies);
    *reporter = (struct reporter){0};
}
