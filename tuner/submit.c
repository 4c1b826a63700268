/* How studies come into the daemon's hands: by submission, or because an earlier daemon had
 * them. */
#include "tuner/engine.h"

#include "common/text.h"
#include "tuner/origin.h"
#include "tuner/study_plan.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static int64_t integer_of(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

int submit_unknown(struct daemon *daemon, const char *name, struct failure *why)
{
    json_t *rows = store_rows(daemon->store, "SELECT study FROM studies", NULL, why);
    size_t i, count = json_array_size(rows);
    const char **names = xcalloc(count + 1, sizeof *names), *near;
    const json_t *row;
    json_array_foreach(rows, i, row)
        names[i] = text_of(row, "study");
    near = nearest_word(name, names, count);
    if (near != NULL)
        fail_input(why, "there is no study %.80s; did you mean %s?", name, near);
    else
        fail_input(why, "there is no study %.80s in this home", name);
    free(names);
    json_decref(rows);
    return -1;
}

/* ---- taking it on ---- */

static int check_plan(const struct study *study, struct failure *why)
{
    struct sampler *sampler = sampler_new(study->sampler, &study->space, study->seed,
                                          study->points);
    struct plan plan;
    int result = study_plan(study, sampler_size(sampler), &plan, why);
    sampler_free(sampler);
    return result;
}

static void add_run(struct daemon *daemon, struct run *run)
{
    daemon->runs = xreallocarray(daemon->runs, (size_t)daemon->run_count + 1,
                                 sizeof(struct run *));
    daemon->runs[daemon->run_count++] = run;
    if (daemon->workers == 0)
        daemon_set_workers(daemon, study_workers(run->study, 0));
}

/* Records what this submission says of a study that is known, or the study. */
static int record_submission(struct run *run, const struct origin *origin, struct failure *why)
{
    struct daemon *daemon = run->daemon;
    const struct study *study = run->study;
    run->id = origin->id;
    if (daemon_may_record(daemon, why) != 0)
        return -1;
    if (run->id == 0 && record_study(run, origin->extends, why) != 0)
        return -1;
    return store_submit_study(daemon->store, run->id, study->file, study->text, run->priority,
                              run->any_precision, why);
}

/* How many workers a study of the daemon has at most, 0: as many as there are.  What `tuner run`
 * gives its one study is what the daemon has. */
static int most_workers(const struct daemon *daemon, const struct study *study)
{
    bool asks = study->workers > 0 || study->threads > 1;
    return daemon->settings.stay && asks ? study_workers(study, 0) : 0;
}

static struct run *take_on(struct daemon *daemon, const struct submission *submission,
                           struct study *study, const struct origin *origin, struct failure *why)
{
    struct run *run = run_new(daemon, study);
    run->priority = submission->priority;
    run->workers = most_workers(daemon, study);
    run->any_precision = submission->any_precision;
    run->state_before = origin->state;
    run->note_before = origin->note;
    if (record_submission(run, origin, why) != 0) {
        run->study = NULL; /* the caller's again, as what it goes on from */
        run->state_before = run->note_before = NULL;
        run_free(run);
        return NULL;
    }
    add_run(daemon, run);
    if (submission->prepared != NULL) {
        run->prepared = *submission->prepared;
        run->is_prepared = true;
        *submission->prepared = (struct prepared){0};
    }
    run->finished = !run->is_prepared && origin->state != NULL &&
                    strcmp(origin->state, "finished") == 0;
    if (daemon->settings.stay && !run->finished)
        run_set_state(run, RUN_QUEUED);
    return run;
}

static int check_submission(struct daemon *daemon, const struct submission *submission,
                            struct failure *why)
{
    if (daemon->ending > 0)
        return fail(why, "the daemon is about to end; submit the study to the next one");
    if (submission->priority < -PRIORITY_MOST || submission->priority > PRIORITY_MOST)
        return fail_usage(why, "a priority is from %d to %d, not %d", -PRIORITY_MOST,
                          PRIORITY_MOST, submission->priority);
    return 0;
}

/* Settles under which name, and on from what.  1: it is in hand already; -1: it is refused. */
static int settle(struct daemon *daemon, const struct submission *submission,
                  struct study *study, struct origin *origin, struct failure *why)
{
    const struct run *run;
    if ((submission->name != NULL && origin_rename(study, submission->name, why) != 0) ||
        check_plan(study, why) != 0)
        return -1;
    if (submission->fresh)
        return origin_start_over(daemon, study, why);
    if (origin_find(daemon, study, submission->extend, origin, why) != 0)
        return -1;
    run = daemon_find(daemon, study->name);
    if (run != NULL && run->state == RUN_STOPPING)
        return fail_input(why, "study %s is stopping; submit it again when it has, or go on with "
                               "it: tuner resume %s", study->name, study->name);
    return run != NULL;
}

int daemon_submit(struct daemon *daemon, const struct submission *submission, char **name,
                  struct failure *why)
{
    struct origin origin = {0};
    struct study *study;
    struct run *run = NULL;
    int settled;
    if (check_submission(daemon, submission, why) != 0)
        return -1;
    study = study_parse(submission->file, submission->text, submission->size, why);
    if (study == NULL)
        return -1;
    settled = settle(daemon, submission, study, &origin, why);
    if (settled > 0)
        *name = xstrdup(study->name);
    else if (settled == 0)
        run = take_on(daemon, submission, study, &origin, why);
    if (run == NULL) {
        origin_release(&origin);
        study_free(study);
        return settled > 0 ? 0 : -1;
    }
    if (daemon_answer(daemon, why) != 0) {
        run->id = 0;
        return -1;
    }
    *name = xstrdup(study->name);
    return 0;
}

/* ---- what an earlier daemon had in hand ---- */

static void take_up(struct daemon *daemon, const json_t *row)
{
    struct failure why = FAILURE_NONE;
    const char *text = text_of(row, "text");
    const json_t *settings = json_object_get(row, "settings");
    struct submission submission = {.priority = (int)integer_of(row, "priority"),
                                    .any_precision = integer_of(row, "any_precision") != 0};
    struct origin origin = {.id = integer_of(row, "id"), .state = xstrdup("interrupted")};
    struct study *study = study_parse(text_of(row, "file"), text, strlen(text), &why);
    json_t *set = json_is_string(settings)
                      ? json_loads(json_string_value(settings), JSON_DECODE_ANY, NULL) : NULL;
    struct run *run = NULL;
    if (study != NULL && origin_rename(study, text_of(row, "study"), &why) == 0)
        run = take_on(daemon, &submission, study, &origin, &why);
    if (run != NULL && set != NULL)
        steer_set_run(run, set, &why);
    if (run != NULL && integer_of(row, "wanted") > 1)
        run_set_state(run, RUN_PAUSED);
    if (run == NULL) { /* a later program may read its file differently */
        event_warn(daemon, NULL, "study %s cannot be gone on with: %s", text_of(row, "study"),
                   why.text);
        origin_release(&origin);
        study_free(study);
    }
    failure_clear(&why);
    json_decref(set);
}

int submit_wanted(struct daemon *daemon, struct failure *why)
{
    json_t *rows = store_rows(daemon->store,
                              "SELECT id, name AS study, state, file, text, priority,"
                              " any_precision, settings, wanted FROM recorded_studies"
                              " WHERE wanted > 0 "
                              "ORDER BY id", NULL, why);
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row) {
        if (strcmp(text_of(row, "state"), "finished") == 0)
            report_later(daemon, text_of(row, "study"));
        else
            take_up(daemon, row);
    }
    json_decref(rows);
    return daemon_answer(daemon, why);
}
