/* How studies come into the daemon's hands: by submission, or because an earlier daemon had
 * them; and how they get from the queue to work. */
#include "tuner/engine.h"

#include "common/text.h"
#include "tuner/home.h"
#include "tuner/name.h"
#include "tuner/study_plan.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAMES_TRIED = 10000,
    PREPARING_MOST = 2, /* studies that are prepared at a time */
    ACTIVE_LEAST = 8    /* studies that may be worked on, however few workers there are */
};

static const char *text_of(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static int64_t integer_of(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

/* ---- names ---- */

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

static int rename_study(struct study *study, const char *name, struct failure *why)
{
    if (!name_is_valid(name))
        return fail_usage(why, "--name %.80s: a study's name is a letter, then up to 63 letters, "
                               "digits and _", name);
    free(study->name);
    study->name = xstrdup(name);
    return 0;
}

/* The first name of the form mnist_2, or mnist_v2, that no study has. */
static int take_free_name(struct daemon *daemon, struct study *study, const char *form,
                          struct failure *why)
{
    char *base = xstrdup(study->name);
    int64_t found = 1;
    int number;
    for (number = 2; found > 0 && number <= NAMES_TRIED; number++) {
        free(study->name);
        study->name = xasprintf("%s%s%d", base, form, number);
        found = store_find_study(daemon->store, study->name, why);
    }
    if (found > 0)
        fail(why, "%s%s2 to %s%s%d are all taken; give the study another name with --name", base,
             form, base, form, NAMES_TRIED);
    else if (found == 0 && !name_is_valid(study->name))
        found = fail_input(why, "the name %s is too long; give the study a shorter one with "
                                "--name", study->name);
    free(base);
    return found == 0 ? 0 : -1;
}

static int start_over(struct daemon *daemon, struct study *study, struct failure *why)
{
    int64_t found = store_find_study(daemon->store, study->name, why);
    return found > 0 ? take_free_name(daemon, study, "_", why) : (int)found;
}

/* ---- which study it is ---- */

/* The recorded versions of the study of that name, the newest first. */
static json_t *versions_of(struct daemon *daemon, const char *name, struct failure *why)
{
    json_t *arguments = json_pack("[s]", name);
    json_t *rows = store_rows(
        daemon->store,
        "WITH RECURSIVE version (id, number) AS ("
        " SELECT id, 1 FROM recorded_studies WHERE name = ?1"
        " UNION ALL SELECT s.id, v.number + 1 FROM version v"
        " JOIN recorded_studies s ON s.extends = v.id) "
        "SELECT s.id AS id, s.name AS study, s.fingerprint AS fingerprint, s.data AS data,"
        " s.state AS state, s.note AS note,"
        " EXISTS (SELECT 1 FROM recorded_trials t WHERE t.study = s.id) AS begun "
        "FROM version v JOIN recorded_studies s ON s.id = v.id ORDER BY v.number DESC",
        arguments, why);
    json_decref(arguments);
    return rows;
}

/* The settings in which the study differs from a recorded one, "" where it does not. */
static char *differences(const json_t *row, const struct study *study)
{
    json_t *recorded = json_loads(text_of(row, "fingerprint"), JSON_DECODE_ANY, NULL);
    char *text = study_differences(recorded, study->fingerprint);
    json_decref(recorded);
    return text;
}

/* The version with these very settings; NULL: none. */
static const json_t *same_version(const json_t *versions, const struct study *study)
{
    const json_t *row;
    size_t i;
    json_array_foreach(versions, i, row) {
        char *different = differences(row, study);
        bool same = *different == '\0';
        free(different);
        if (same)
            return row;
    }
    return NULL;
}

/* Submitted, but never prepared: nothing was done that a correction could spoil.  (Nothing is
 * known of the data of one that was imported either, but it has trials.) */
static bool never_began(const json_t *row)
{
    const char *data = text_of(row, "data");
    return data != NULL && strcmp(data, "{}") == 0 && integer_of(row, "begun") == 0;
}

static int refuse_differences(const json_t *row, const struct study *study, struct failure *why)
{
    char *different = differences(row, study);
    fail_input(why, "study %s is recorded in this home with other settings:\n%s\n"
                    "give the study another name, start over with --fresh, or take the new "
                    "settings on as its next version with --extend", text_of(row, "study"),
               different);
    free(different);
    return -1;
}

/* What the study is to go on from. */
struct origin {
    int64_t id;      /* its row; 0: it is new */
    int64_t extends; /* the version before a new one; 0: none */
    char *state, *note;
};

static void take_origin(struct origin *origin, struct study *study, const json_t *row)
{
    origin->id = integer_of(row, "id");
    origin->state = xstrdup(text_of(row, "state"));
    origin->note = text_of(row, "note") != NULL ? xstrdup(text_of(row, "note")) : NULL;
    free(study->name);
    study->name = xstrdup(text_of(row, "study"));
}

static int find_origin(struct daemon *daemon, struct study *study, bool extend,
                       struct origin *origin, struct failure *why)
{
    json_t *versions = versions_of(daemon, study->name, why);
    const json_t *newest = json_array_get(versions, 0), *same = same_version(versions, study);
    int result = versions != NULL ? 0 : -1;
    if (same != NULL) {
        take_origin(origin, study, same);
    } else if (newest != NULL && never_began(newest) && json_array_size(versions) == 1 &&
               daemon_find(daemon, study->name) == NULL) {
        if (daemon_recording(daemon))
            store_forget_study(daemon->store, integer_of(newest, "id"), &daemon->broken);
    } else if (newest != NULL && extend) {
        origin->extends = integer_of(newest, "id");
        result = take_free_name(daemon, study, "_v", why);
    } else if (newest != NULL) {
        result = refuse_differences(newest, study, why);
    }
    json_decref(versions);
    return result;
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
    if (!daemon_recording(daemon))
        return fail(why, "%s", daemon->broken.text != NULL ? daemon->broken.text
                                                           : daemon->disk.waiting);
    if (run->id == 0 && record_study(run, origin->extends, why) != 0)
        return -1;
    return store_submit_study(daemon->store, run->id, study->file, study->text, run->priority,
                              run->any_precision, why);
}

static struct run *take_on(struct daemon *daemon, const struct submission *submission,
                           struct study *study, const struct origin *origin, struct failure *why)
{
    struct run *run = run_new(daemon, study);
    run->priority = submission->priority;
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
    if ((submission->name != NULL && rename_study(study, submission->name, why) != 0) ||
        check_plan(study, why) != 0)
        return -1;
    if (submission->fresh)
        return start_over(daemon, study, why);
    if (find_origin(daemon, study, submission->extend, origin, why) != 0)
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
        free(origin.state);
        free(origin.note);
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
    if (study != NULL && rename_study(study, text_of(row, "study"), &why) == 0)
        run = take_on(daemon, &submission, study, &origin, &why);
    if (run != NULL && set != NULL)
        steer_set_run(run, set, &why);
    if (run != NULL && integer_of(row, "wanted") > 1)
        run_set_state(run, RUN_PAUSED);
    if (run == NULL) { /* a later program may read its file differently */
        event_warn(daemon, NULL, "study %s cannot be gone on with: %s", text_of(row, "study"),
                   why.text);
        free(origin.state);
        study_free(study);
    }
    failure_clear(&why);
    json_decref(set);
}

int submit_wanted(struct daemon *daemon, struct failure *why)
{
    json_t *rows = store_rows(daemon->store,
                              "SELECT id, name AS study, file, text, priority, any_precision,"
                              " settings, wanted FROM recorded_studies WHERE wanted > 0 "
                              "ORDER BY id", NULL, why);
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row)
        take_up(daemon, row);
    json_decref(rows);
    return daemon_answer(daemon, why);
}

/* ---- from the queue to work ---- */

static void has_prepared(void *context, int status, const char *output, size_t length)
{
    struct run *run = context;
    run->child = NULL;
    if (prepared_parse(output, length, &run->prepared, &run->broken) == 0)
        run->is_prepared = true;
    else if (run->broken.text == NULL)
        fail(&run->broken, "it could not be prepared (wait status %d)", status);
}

/* Asks a trainer about the study's data and network, in a program of its own. */
static void start_preparing(struct run *run)
{
    const struct daemon_settings *settings = &run->daemon->settings;
    const struct child_end end = {has_prepared, run};
    const char *arguments[] = {"prepare", "--home", settings->home, run->study->file,
                               settings->trainer != NULL ? "--trainer" : NULL,
                               settings->trainer, NULL};
    struct failure why = FAILURE_NONE;
    run->child = child_start(run->daemon->loop, arguments, run->study->text,
                             strlen(run->study->text), &end, &why);
    if (run->child == NULL)
        daemon_cannot_start(run->daemon, why.text);
    failure_clear(&why);
}

/* The queued study that comes first. */
static struct run *first_queued(const struct daemon *daemon, bool prepared)
{
    struct run *first = NULL;
    int i;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        bool ready = run->is_prepared || run->study->outside || run->finished;
        if (run->state == RUN_QUEUED && run->broken.text == NULL && run->child == NULL &&
            ready == prepared && (first == NULL || run->priority > first->priority))
            first = run;
    }
    return first;
}

/* Whether one more study of that priority may be prepared: so many are worked on that
 * every worker has its own, unless it comes before one of them. */
static bool is_its_turn(const struct daemon *daemon, const struct run *next)
{
    int i, active = 0, preparing = 0;
    bool before = false;
    for (i = 0; i < daemon->run_count; i++) {
        const struct run *run = daemon->runs[i];
        bool works = run->child != NULL || (run->begun && run->state == RUN_RUNNING &&
                                            !run->study->outside);
        active += works;
        preparing += run->child != NULL;
        before = before || (works && run->priority < next->priority);
    }
    return preparing < PREPARING_MOST &&
           (before || active < ACTIVE_LEAST || active < daemon->workers);
}

static void begin(struct run *run)
{
    if (!run->finished && run_begin(run) != 0)
        return;
    if (run->finished) { /* as it is recorded */
        run->state = RUN_OVER;
        event_state(run, "finished", run->note_before);
    }
}

void submit_advance(struct daemon *daemon)
{
    struct run *run;
    if (daemon->ending > 0 || daemon->disk.full)
        return;
    while (daemon->broken.text == NULL && (run = first_queued(daemon, true)) != NULL)
        begin(run);
    while (daemon->unstartable == NULL && (run = first_queued(daemon, false)) != NULL &&
           is_its_turn(daemon, run))
        start_preparing(run);
}
