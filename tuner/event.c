#include "tuner/engine.h"

#include "common/json_text.h"

#include <math.h>
#include <stdlib.h>

/* Takes over `event`, or drops it where nobody watches. */
static void add(struct daemon *daemon, json_t *event)
{
    json_array_append_new(daemon->untold, event);
}

static bool is_watched(const struct daemon *daemon)
{
    return daemon->events.happened != NULL;
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *line_event(const struct run *run, const char *format, va_list arguments)
{
    char *text = xvasprintf(format, arguments);
    json_t *event = json_pack("{s:s, s:s?, s:o}", "event", "line", "study",
                              run != NULL ? run->study->name : NULL, "text", json_text_of(text));
    free(text);
    return event;
}

void event_line(struct daemon *daemon, const struct run *run, const char *format, ...)
{
    va_list arguments;
    if (!is_watched(daemon))
        return;
    va_start(arguments, format);
    add(daemon, line_event(run, format, arguments));
    va_end(arguments);
}

void event_warn(struct daemon *daemon, const struct run *run, const char *format, ...)
{
    va_list arguments;
    json_t *event;
    if (!is_watched(daemon))
        return;
    va_start(arguments, format);
    event = line_event(run, format, arguments);
    va_end(arguments);
    json_object_set_new(event, "warning", json_true());
    add(daemon, event);
}

void event_state(const struct run *run, const char *state, const char *note)
{
    if (is_watched(run->daemon))
        add(run->daemon, json_pack("{s:s, s:s, s:s, s:o}", "event", "state", "study",
                                   run->study->name, "state", state, "note",
                                   json_text_of(note)));
}

void event_epoch(const struct slot *slot, const struct message *message)
{
    if (is_watched(slot->daemon))
        add(slot->daemon, json_pack("{s:s, s:s, s:i, s:i, s:i, s:O}", "event", "epoch", "study",
                                    slot->run->study->name, "trial", slot->job.trial->number,
                                    "attempt", slot->job.attempt, "epoch", (int)message->epoch,
                                    "metrics", message->metrics));
}

void event_segment(const struct run *run, const struct job *job, const char *state, double value,
                   const char *reason)
{
    if (is_watched(run->daemon))
        add(run->daemon, json_pack("{s:s, s:s, s:i, s:i, s:s, s:o, s:o}", "event", "segment",
                                   "study", run->study->name, "trial", job->trial->number, "rung",
                                   job->trial->rung, "state", state, "value",
                                   real_or_null(value), "reason", json_text_of(reason)));
}

void event_decision(const struct run *run, const struct decision *decision)
{
    if (is_watched(run->daemon))
        add(run->daemon,
            json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:i, s:s}", "event", "decision", "study",
                      run->study->name, "trial", decision->trial, "bracket",
                      run->plan.brackets[decision->bracket].number, "rung", decision->rung,
                      "verdict", verdict_name(decision->verdict), "rank", decision->rank,
                      "reason", decision->reason));
}

void event_fault(const struct slot *slot, const char *kind, const char *reason, const char *action)
{
    const struct trial *trial = slot->job.trial;
    if (is_watched(slot->daemon))
        add(slot->daemon,
            json_pack("{s:s, s:s?, s:o, s:i, s:s, s:o, s:s}", "event", "fault", "study",
                      slot->run != NULL ? slot->run->study->name : NULL, "trial",
                      trial != NULL ? json_integer(trial->number) : json_null(), "worker",
                      slot->number, "kind", kind, "reason", json_text_of(reason), "action",
                      action));
}

void event_report(struct daemon *daemon, const char *study, const char *error)
{
    if (is_watched(daemon))
        add(daemon, json_pack("{s:s, s:s, s:s?}", "event", "report", "study", study, "error",
                              error));
}

void event_deliver(struct daemon *daemon)
{
    json_t *told = daemon->untold;
    const json_t *event;
    size_t i;
    if (json_array_size(told) == 0)
        return;
    daemon->untold = json_array(); /* who is told may do something that tells more */
    json_array_foreach(told, i, event)
        daemon->events.happened(daemon->events.context, event);
    json_decref(told);
}

void event_discard(struct daemon *daemon)
{
    json_array_clear(daemon->untold);
}
