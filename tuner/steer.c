/* What may be asked of studies in hand: pause, resume, stop, cancel, set. */
#include "tuner/engine.h"

#include "common/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one study, or all ---- */

/* What is done to a study; -1 where its state does not allow it. */
typedef int action(struct run *run, struct failure *why);

static int act_on_all(struct daemon *daemon, action *act, struct failure *why)
{
    int i;
    for (i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->state != RUN_OVER)
            act(daemon->runs[i], NULL);
    }
    return daemon_answer(daemon, why);
}

static int refuse_absent(struct daemon *daemon, const char *study, struct failure *why)
{
    if (store_find_study(daemon->store, study, why) > 0)
        return fail_input(why, "study %s is not in hand; submit it again to go on with it", study);
    return submit_unknown(daemon, study, why);
}

static int act_on(struct daemon *daemon, const char *study, action *act, struct failure *why)
{
    struct run *run = study != NULL ? daemon_find(daemon, study) : NULL;
    if (study != NULL && run == NULL)
        return refuse_absent(daemon, study, why);
    if (daemon_may_record(daemon, why) != 0)
        return -1;
    if (study == NULL)
        return act_on_all(daemon, act, why);
    return act(run, why) == 0 ? daemon_answer(daemon, why) : -1;
}

static int refuse(const struct run *run, const char *what, struct failure *why)
{
    return fail_input(why, "study %s is %s and cannot be %s", run->study->name,
                      run_state_name(run->state), what);
}

static int pause_run(struct run *run, struct failure *why)
{
    if (run->state != RUN_QUEUED && run->state != RUN_RUNNING)
        return refuse(run, "paused", why);
    run_set_state(run, RUN_PAUSED);
    return 0;
}

static int resume_run(struct run *run, struct failure *why)
{
    if (run->state != RUN_PAUSED && run->state != RUN_STOPPING)
        return refuse(run, "resumed", why);
    run_set_state(run, run->begun ? RUN_RUNNING : RUN_QUEUED);
    return 0;
}

static int stop_run(struct run *run, struct failure *why)
{
    if (run->state == RUN_STOPPING)
        return refuse(run, "stopped once more", why);
    run_set_state(run, RUN_STOPPING);
    return 0;
}

static int cancel_run(struct run *run, struct failure *why)
{
    (void)why;
    run->daemon->undone = true;
    run_end(run, "interrupted", "cancelled", false);
    return 0;
}

int daemon_pause(struct daemon *daemon, const char *study, struct failure *why)
{
    return act_on(daemon, study, pause_run, why);
}

int daemon_resume(struct daemon *daemon, const char *study, struct failure *why)
{
    return act_on(daemon, study, resume_run, why);
}

int daemon_stop(struct daemon *daemon, const char *study, struct failure *why)
{
    return act_on(daemon, study, stop_run, why);
}

int daemon_cancel(struct daemon *daemon, const char *study, struct failure *why)
{
    return act_on(daemon, study, cancel_run, why);
}

/* ---- settings ---- */

/* One setting that can be changed: its key and its range. */
struct knob {
    const char *key;
    double least, most;
    bool whole;
};

static const struct knob daemon_knobs[] = {
    {"workers", 1, WORKERS_MOST, true},
    {"quota_bytes", 0, 1e18, true},
};
static const struct knob run_knobs[] = {
    {"workers", 0, WORKERS_MOST, true},
    {"priority", -PRIORITY_MOST, PRIORITY_MOST, true},
    {"limits", 0, 0, false},
};
static const struct knob limit_knobs[] = {
    {"minutes", 0, 1e6, false},
    {"failures", 0, 1e6, true},
    {"retries", 0, 100, true},
    {"epoch_seconds", 1e-3, 1e6, false},
};

static bool is_among(const char *key, const struct knob *knobs, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(key, knobs[i].key) != 0)
        i++;
    return i < count;
}

static int refuse_key(const char *key, const struct knob *knobs, size_t count,
                      struct failure *why)
{
    const char *names[ARRAY_LENGTH(limit_knobs)], *near;
    size_t i;
    for (i = 0; i < count; i++)
        names[i] = knobs[i].key;
    near = nearest_word(key, names, count);
    if (knobs == daemon_knobs && is_among(key, run_knobs, ARRAY_LENGTH(run_knobs)))
        return fail_input(why, "%s can only be set of a study; name it", key);
    if (knobs == run_knobs && is_among(key, daemon_knobs, ARRAY_LENGTH(daemon_knobs)))
        return fail_input(why, "%s can only be set of all studies together; name none", key);
    if (strcmp(key, "epochs") == 0)
        return fail_input(why, "a limit in epochs cuts the plan: change it in the study's file and "
                               "submit that again, when the study is not in hand");
    if (near != NULL)
        return fail_input(why, "%.60s cannot be set; did you mean %s?", key, near);
    return fail_input(why, "%.60s cannot be set", key);
}

static int check_number(const char *key, const json_t *value, const struct knob *knob,
                        struct failure *why)
{
    double number = json_number_value(value);
    if (json_is_number(value) && number >= knob->least && number <= knob->most &&
        (!knob->whole || number == floor(number)))
        return 0;
    return fail_input(why, "%s must be a %snumber from %.15g to %.15g", key,
                      knob->whole ? "whole " : "", knob->least, knob->most);
}

/* Every key is one of the knobs, every value in its range; `limits` is looked into. */
static int check(const json_t *settings, const struct knob *knobs, size_t count,
                 struct failure *why)
{
    const char *key;
    json_t *value;
    if (!json_is_object(settings) || json_object_size(settings) == 0)
        return fail_input(why, "what is to be set is an object of names and numbers");
    json_object_foreach((json_t *)(uintptr_t)settings, key, value) {
        size_t i = 0;
        int bad;
        while (i < count && strcmp(key, knobs[i].key) != 0)
            i++;
        if (i == count)
            return refuse_key(key, knobs, count, why);
        if (strcmp(key, "limits") == 0)
            bad = check(value, limit_knobs, ARRAY_LENGTH(limit_knobs), why);
        else
            bad = check_number(key, value, &knobs[i], why);
        if (bad != 0)
            return -1;
    }
    return 0;
}

static void set_int(const json_t *settings, const char *key, int *value)
{
    const json_t *given = json_object_get(settings, key);
    if (given != NULL)
        *value = (int)json_number_value(given);
}

static void set_limits(struct run *run, const json_t *limits)
{
    struct study *study = run->study;
    const json_t *minutes = json_object_get(limits, "minutes");
    const json_t *seconds = json_object_get(limits, "epoch_seconds");
    set_int(limits, "failures", &study->limit_failures);
    set_int(limits, "retries", &study->retries);
    if (seconds != NULL)
        study->epoch_seconds = json_number_value(seconds);
    if (minutes == NULL)
        return;
    study->limit_minutes = json_number_value(minutes);
    run->closed = false;
    if (run->begun)
        run_limit_minutes(run);
}

int steer_set_run(struct run *run, const json_t *settings, struct failure *why)
{
    struct daemon *daemon = run->daemon;
    json_t *kept;
    char *text;
    if (check(settings, run_knobs, ARRAY_LENGTH(run_knobs), why) != 0)
        return -1;
    set_int(settings, "workers", &run->workers);
    set_int(settings, "priority", &run->priority);
    set_limits(run, json_object_get(settings, "limits"));
    kept = json_pack("{s:i, s:{s:f, s:i, s:i, s:f}}", "workers", run->workers, "limits",
                     "minutes", run->study->limit_minutes, "failures",
                     run->study->limit_failures, "retries", run->study->retries, "epoch_seconds",
                     run->study->epoch_seconds);
    text = json_dumps(kept, JSON_COMPACT);
    if (daemon_recording(daemon))
        store_set_study_settings(daemon->store, run->id, run->priority, text, &daemon->broken);
    json_decref(kept);
    free(text);
    return 0;
}

static int set_daemon(struct daemon *daemon, const json_t *settings, struct failure *why)
{
    const json_t *quota = json_object_get(settings, "quota_bytes");
    int workers = daemon->workers;
    if (check(settings, daemon_knobs, ARRAY_LENGTH(daemon_knobs), why) != 0)
        return -1;
    set_int(settings, "workers", &workers);
    if (workers > 0)
        daemon_set_workers(daemon, workers);
    if (quota != NULL)
        daemon->disk.quota_bytes = (int64_t)json_number_value(quota);
    return daemon_answer(daemon, why);
}

int daemon_set(struct daemon *daemon, const char *study, const json_t *settings,
               struct failure *why)
{
    struct run *run = study != NULL ? daemon_find(daemon, study) : NULL;
    if (study == NULL)
        return set_daemon(daemon, settings, why);
    if (run == NULL)
        return refuse_absent(daemon, study, why);
    if (daemon_may_record(daemon, why) != 0 || steer_set_run(run, settings, why) != 0)
        return -1;
    return daemon_answer(daemon, why);
}
