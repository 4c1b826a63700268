/* A daemon that only notes what it is asked: stands in for tuner/daemon.c in the tests of
 * what talks to it.  Studies named "nobody" are unknown to it, and it has much to say of one named
 * "talkative". */
#ifndef TESTS_FAKE_DAEMON_H
#define TESTS_FAKE_DAEMON_H

#include "common/json_text.h"
#include "common/text.h"
#include "tuner/daemon.h"

#include <stdlib.h>
#include <string.h>

struct daemon {
    struct text asked; /* "pause s; set s {...}; " */
};

static int note(struct daemon *daemon, const char *what, const char *study, const json_t *more,
                struct failure *why)
{
    char *shown = more != NULL ? json_text(more) : xstrdup("");
    text_addf(&daemon->asked, "%s %s%s; ", what, study != NULL ? study : "*", shown);
    free(shown);
    if (study != NULL && strcmp(study, "nobody") == 0)
        return fail_input(why, "there is no study named nobody");
    return 0;
}

int daemon_submit(struct daemon *daemon, const struct submission *submission, char **name,
                  struct failure *why)
{
    text_addf(&daemon->asked, "submit %s [%.*s] %s %d%s%s%s; ", submission->file,
              (int)submission->size, submission->text,
              submission->name != NULL ? submission->name : "-", submission->priority,
              submission->fresh ? " fresh" : "", submission->extend ? " extend" : "",
              submission->any_precision ? " any" : "");
    if (submission->size == 0)
        return fail_input(why, "%s:1:1: error: it is empty", submission->file);
    *name = xstrdup(submission->name != NULL ? submission->name : "s");
    return 0;
}

int daemon_pause(struct daemon *daemon, const char *study, struct failure *why)
{
    return note(daemon, "pause", study, NULL, why);
}

int daemon_resume(struct daemon *daemon, const char *study, struct failure *why)
{
    return note(daemon, "resume", study, NULL, why);
}

int daemon_stop(struct daemon *daemon, const char *study, struct failure *why)
{
    return note(daemon, "stop", study, NULL, why);
}

int daemon_cancel(struct daemon *daemon, const char *study, struct failure *why)
{
    return note(daemon, "cancel", study, NULL, why);
}

int daemon_set(struct daemon *daemon, const char *study, const json_t *settings,
               struct failure *why)
{
    return note(daemon, "set", study, settings, why);
}

json_t *daemon_status(struct daemon *daemon, const char *study, struct failure *why)
{
    if (note(daemon, "status", study, NULL, why) != 0)
        return NULL;
    json_t *status = json_pack("{s: i, s: []}", "pid", 7, "studies");
    if (study != NULL && strcmp(study, "talkative") == 0) {
        for (int i = 0; i < 200000; i++)
            json_array_append_new(json_object_get(status, "studies"), json_string("a study"));
    }
    return status;
}

json_t *daemon_ask(struct daemon *daemon, const char *study, struct failure *why)
{
    return note(daemon, "ask", study, NULL, why) == 0 ? json_pack("{s: i}", "trial", 3) : NULL;
}

int daemon_tell(struct daemon *daemon, const char *study, const json_t *report,
                struct failure *why)
{
    return note(daemon, "tell", study, report, why);
}

#endif
