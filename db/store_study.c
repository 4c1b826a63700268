#include "db/store_internal.h"

#include "common/json_text.h"

#include <stdlib.h>
#include <string.h>

/* ---- studies ---- */

static int add_row(struct store *store, const struct study_record *study, struct failure *why)
{
    char *seed = xasprintf("%llu", (unsigned long long)study->seed);
    const struct value values[] = {
        value_text(study->name),
        value_text(study->file),
        value_text(study->text),
        value_text(study->fingerprint),
        value_text(seed),
        value_text(study->metric),
        value_integer(study->maximize),
        value_text(study->sampler),
        value_text(study->scheduler),
        value_integer_or_null(study->max_epochs, 0),
        value_integer_or_null(study->eta, 0),
        value_text(study->data),
        value_text(study->precision),
        value_integer_or_null(study->extends, 0),
        value_integer(clock_wall_ms()),
    };
    int result = RECORD(store,
                        "INSERT INTO recorded_studies (name, file, text, fingerprint, seed,"
                        " metric, maximize, sampler, scheduler, max_epochs, eta, data, precision,"
                        " extends, started_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                        " ?11, ?12, ?13, ?14, ?15)",
                        values, why);
    free(seed);
    return result;
}

static int add_parameter(struct store *store, int64_t study, size_t position,
                         const json_t *parameter, struct failure *why)
{
    const json_t *choices = json_object_get(parameter, "choices");
    char *choices_text = choices ? json_text(choices) : NULL;
    const struct value values[] = {
        value_integer(study),
        value_integer((int64_t)position),
        value_json(json_object_get(parameter, "name")),
        value_json(json_object_get(parameter, "type")),
        value_json(json_object_get(parameter, "low")),
        value_json(json_object_get(parameter, "high")),
        value_json(json_object_get(parameter, "step")),
        value_integer(json_is_true(json_object_get(parameter, "log"))),
        value_text(choices_text),
    };
    int result = RECORD(store,
                        "INSERT INTO recorded_parameters (study, position, name, type, low, high,"
                        " step, log, choices) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                        values, why);
    free(choices_text);
    return result;
}

static int add_planned_rung(struct store *store, int64_t study, const json_t *rung,
                            struct failure *why)
{
    const struct value values[] = {
        value_integer(study),
        value_json(json_object_get(rung, "bracket")),
        value_json(json_object_get(rung, "rung")),
        value_json(json_object_get(rung, "places")),
        value_json(json_object_get(rung, "keep")),
        value_json(json_object_get(rung, "epochs")),
    };
    return RECORD(store,
                  "INSERT INTO recorded_plan (study, bracket, rung, places, keep, epochs)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)", values, why);
}

static int add_plan(struct store *store, int64_t study, const json_t *plan, struct failure *why)
{
    size_t i;
    json_t *rung;
    json_array_foreach(plan, i, rung) {
        if (add_planned_rung(store, study, rung, why) < 0)
            return -1;
    }
    return 0;
}

int store_set_plan(struct store *store, int64_t study, const json_t *plan, struct failure *why)
{
    const struct value values[] = {value_integer(study)};
    if (RECORD(store, "DELETE FROM recorded_plan WHERE study = ?1", values, why) < 0)
        return -1;
    return add_plan(store, study, plan, why);
}

int store_add_study(struct store *store, const struct study_record *study, int64_t *id,
                    struct failure *why)
{
    size_t i;
    json_t *item;
    if (add_row(store, study, why) < 0)
        return -1;
    *id = sqlite3_last_insert_rowid(store->db);
    json_array_foreach(study->parameters, i, item) {
        if (add_parameter(store, *id, i, item, why) < 0)
            return -1;
    }
    if (add_plan(store, *id, study->plan, why) < 0)
        return -1;
    if (store_make_study_view(store, *id, why) == 0)
        return 0;
    store->spoilt = true;
    return -1;
}

int store_set_study_data(struct store *store, int64_t study, const char *data,
                         const char *precision, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_text(data), value_text(precision)};
    return RECORD(store,
                  "UPDATE recorded_studies SET data = ?2, precision = ?3 WHERE id = ?1", values,
                  why);
}

int store_submit_study(struct store *store, int64_t study, const char *file, const char *text,
                       int priority, bool any_precision, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_text(file), value_text(text),
                                   value_integer(priority), value_integer(any_precision)};
    return RECORD(store,
                  "UPDATE recorded_studies SET file = ?2, text = ?3, priority = ?4,"
                  " any_precision = ?5, settings = NULL WHERE id = ?1", values, why);
}

int store_set_study_settings(struct store *store, int64_t study, int priority,
                             const char *settings, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(priority),
                                   value_text(settings)};
    return RECORD(store,
                  "UPDATE recorded_studies SET priority = ?2, settings = ?3 WHERE id = ?1", values,
                  why);
}

int store_want_study(struct store *store, int64_t study, enum wanted_as wanted,
                     struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(wanted)};
    return RECORD(store, "UPDATE recorded_studies SET wanted = ?2 WHERE id = ?1", values, why);
}

int store_forget_study(struct store *store, int64_t study, struct failure *why)
{
    const struct value values[] = {value_integer(study)};
    if (store_drop_study_view(store, study, why) < 0 ||
        RECORD(store, "DELETE FROM recorded_plan WHERE study = ?1", values, why) < 0 ||
        RECORD(store, "DELETE FROM recorded_parameters WHERE study = ?1", values, why) < 0)
        return -1;
    return RECORD(store, "DELETE FROM recorded_studies WHERE id = ?1", values, why);
}

/* The words beside "running" say more exactly what that is. */
static bool is_standing(const char *state)
{
    return strcmp(state, "queued") == 0 || strcmp(state, "paused") == 0 ||
           strcmp(state, "stopping") == 0;
}

int store_set_study_state(struct store *store, int64_t study, const char *state,
                          const char *note, struct failure *why)
{
    bool standing = is_standing(state);
    const struct value values[] = {value_integer(study),
                                   value_text(standing ? "running" : state), value_text(note),
                                   value_integer(clock_wall_ms()),
                                   value_text(standing ? state : NULL)};
    return RECORD(store,
                  "UPDATE recorded_studies SET state = ?2, note = ?3, standing = ?5,"
                  " ended_ms = iif(?2 = 'running', NULL, ?4) WHERE id = ?1", values, why);
}

int store_restore_study(struct store *store, int64_t study, const char *state, const char *note,
                        struct failure *why)
{
    const struct value values[] = {value_integer(study), value_text(state), value_text(note)};
    return RECORD(store,
                  "UPDATE recorded_studies SET state = ?2, note = ?3, standing = NULL, wanted = 0"
                  " WHERE id = ?1", values, why);
}

int store_void_study(struct store *store, int64_t study, const char *reason, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_text(reason)};
    return RECORD(store,
                  "UPDATE recorded_studies SET void_reason = CASE"
                  " WHEN void_reason IS NULL THEN ?2"
                  " WHEN instr(void_reason, ?2) > 0 THEN void_reason"
                  " ELSE void_reason || '; ' || ?2 END WHERE id = ?1", values, why);
}

int store_set_winner(struct store *store, int64_t study, int trial, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial)};
    return RECORD(store, "UPDATE recorded_studies SET winner = ?2 WHERE id = ?1", values, why);
}

/* ---- workers ---- */

int store_add_worker(struct store *store, int64_t study, int64_t pid, const char *program,
                     const char *arithmetic, int64_t *id, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(pid), value_text(program),
                                   value_text(arithmetic), value_integer(clock_wall_ms())};
    if (RECORD(store,
               "INSERT INTO recorded_workers (study, pid, program, arithmetic, started_ms)"
               " VALUES (?1, ?2, ?3, ?4, ?5)", values, why) < 0)
        return -1;
    *id = sqlite3_last_insert_rowid(store->db);
    return 0;
}

int store_end_worker(struct store *store, int64_t worker, const char *reason,
                     struct failure *why)
{
    const struct value values[] = {value_integer(worker), value_text(reason),
                                   value_integer(clock_wall_ms())};
    return RECORD(store,
                  "UPDATE recorded_workers SET reason = ?2, ended_ms = ?3 WHERE id = ?1", values,
                  why);
}
