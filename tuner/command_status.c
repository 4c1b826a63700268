/* status: what a daemon has in hand. */
#include "tuner/command.h"

#include "common/json_text.h"
#include "common/member.h"
#include "common/options.h"
#include "common/text.h"
#include "reports/format.h"
#include "tuner/client.h"
#include "tuner/home.h"
#include "tuner/table.h"

#include "db/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums come out of the database as reals. */
static long long number_of(const json_t *object, const char *name)
{
    return (long long)json_number_value(json_object_get(object, name));
}

/* ---- the studies ---- */

static json_t *best_cell(const json_t *study)
{
    const json_t *best = json_object_get(study, "best");
    if (!json_is_object(best))
        return json_null();
    return json_sprintf("%.4f (trial %lld)", json_number_value(json_object_get(best, "value")),
                        number_of(best, "trial"));
}

/* "12/17", or "12" where the plan is not known. */
static json_t *share_cell(const json_t *object, const char *done, const char *planned)
{
    if (number_of(object, planned) == 0)
        return json_sprintf("%lld", number_of(object, done));
    return json_sprintf("%lld/%lld", number_of(object, done), number_of(object, planned));
}

static json_t *trials_cell(const json_t *study)
{
    json_t *share = share_cell(study, "trials_ended", "trials_planned"), *both;
    long long failed = number_of(study, "trials_failed");
    if (failed == 0)
        return share;
    both = json_sprintf("%s, %lld failed", json_string_value(share), failed);
    json_decref(share);
    return both;
}

/* How long ago the study began, as the database has it. */
static json_t *time_cell(struct store *store, const json_t *study)
{
    json_t *name = json_pack("[s]", member_shown(study, "study"));
    json_t *rows = store_rows(store, "SELECT started_ms, ended_ms FROM studies WHERE study = ?1",
                              name, NULL);
    const json_t *row = json_array_get(rows, 0);
    const json_t *ended = json_object_get(row, "ended_ms");
    int64_t until = json_is_integer(ended) ? json_integer_value(ended) : clock_wall_ms();
    json_t *cell = json_null();
    if (row != NULL) {
        char *shown = format_duration((double)(until - number_of(row, "started_ms")) / 1000);
        cell = json_string(shown);
        free(shown);
    }
    json_decref(rows);
    json_decref(name);
    return cell;
}

static json_t *study_row(struct store *store, const json_t *study)
{
    return json_pack("{s: s, s: s, s: I, s: o, s: o, s: o, s: I, s: o}",
                     "study", member_shown(study, "study"), "state", member_shown(study, "state"),
                     "priority", (json_int_t)number_of(study, "priority"),
                     "trials", trials_cell(study),
                     "epochs", share_cell(study, "epochs_done", "epochs_planned"),
                     "best", best_cell(study), "workers", (json_int_t)number_of(study, "segments"),
                     "time", time_cell(store, study));
}

static void print_studies(struct store *store, const json_t *studies)
{
    json_t *rows = json_array(), *study;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)studies, i, study)
        json_array_append_new(rows, study_row(store, study));
    if (json_array_size(rows) == 0)
        puts("no study is in hand; to give it one: tuner submit FILE");
    table_print(rows);
    json_decref(rows);
}

/* What keeps a study, or everything, from going on. */
static void print_notes(const json_t *status)
{
    static const char *const names[] = {"note", "waiting"};
    const json_t *studies = json_object_get(status, "studies");
    json_t *study;
    size_t i, k;
    if (*member_shown(status, "waiting") != '\0')
        printf("waiting: %s\n", member_shown(status, "waiting"));
    json_array_foreach((json_t *)(uintptr_t)studies, i, study) {
        for (k = 0; k < ARRAY_LENGTH(names); k++) {
            if (*member_shown(study, names[k]) != '\0')
                printf("%s: %s\n", member_shown(study, "study"), member_shown(study, names[k]));
        }
    }
}

/* ---- the workers ---- */

static json_t *epoch_cell(const json_t *slot)
{
    if (number_of(slot, "to_epoch") == 0)
        return json_null();
    return share_cell(slot, "epoch", "to_epoch");
}

static json_t *or_null(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return value != NULL ? json_incref(value) : json_null();
}

static json_t *slot_row(const json_t *slot)
{
    return json_pack("{s: I, s: o, s: s, s: o, s: o, s: o, s: o}",
                     "worker", (json_int_t)number_of(slot, "worker"), "process",
                     or_null(slot, "pid"), "state", member_shown(slot, "activity"), "trial",
                     or_null(slot, "trial"), "epoch", epoch_cell(slot), "value",
                     or_null(slot, "latest"), "parameters", or_null(slot, "parameters"));
}

static void print_slots(const json_t *slots)
{
    json_t *rows = json_array(), *slot;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)slots, i, slot)
        json_array_append_new(rows, slot_row(slot));
    if (json_array_size(rows) > 0)
        putchar('\n');
    table_print(rows);
    json_decref(rows);
}

/* ---- the rungs ---- */

static const char rungs_sql[] =
    "SELECT p.bracket AS bracket, p.rung AS rung, p.epochs AS epochs, p.places AS places, "
    "       count(r.trial) AS entered, count(r.rank) AS ended, "
    "       count(CASE WHEN r.verdict = 'promoted' THEN 1 END) AS promoted "
    "FROM planned_rungs AS p LEFT JOIN rungs AS r ON r.study = p.study AND "
    "     r.bracket = p.bracket AND r.rung = p.rung "
    "WHERE p.study = ?1 COLLATE NOCASE GROUP BY p.bracket, p.rung ORDER BY p.bracket DESC, p.rung";

static void print_rungs(struct store *store, const char *study)
{
    json_t *name = json_pack("[s]", study);
    json_t *rows = store_rows(store, rungs_sql, name, NULL);
    if (json_array_size(rows) > 0) {
        putchar('\n');
        table_print(rows);
    }
    json_decref(rows);
    json_decref(name);
}

/* ---- all of it ---- */

static int count_busy(const json_t *status)
{
    json_t *slot;
    size_t i;
    int busy = 0;
    json_array_foreach(json_object_get(status, "slots"), i, slot)
        busy += strcmp(member_shown(slot, "state"), "busy") == 0;
    return busy;
}

static int print_for_people(const json_t *status, const char *home, const char *study,
                            struct failure *why)
{
    char *database = home_database(home);
    struct store *store = store_open(database, STORE_READ, why);
    free(database);
    if (store == NULL)
        return -1;
    if (study == NULL)
        printf("%s: process %lld, %d of %lld workers busy%s\n\n", member_shown(status, "home"),
               number_of(status, "pid"), count_busy(status), number_of(status, "workers"),
               json_is_true(json_object_get(status, "ending")) ? ", about to end" : "");
    print_studies(store, json_object_get(status, "studies"));
    print_notes(status);
    if (study != NULL) {
        print_slots(json_object_get(status, "slots"));
        print_rungs(store, study);
    }
    store_close(store);
    return 0;
}

static enum exit_code show(const char *home, const char *study, bool json, struct failure *why)
{
    struct client *client = NULL;
    json_t *status = NULL;
    int found = client_find(home, &client, why);
    if (found == 0)
        fail_input(why, "no daemon works in %s; start one with: tuner serve --home %s; without one "
                        "`tuner list` and `tuner trials STUDY` show what is recorded", home, home);
    else if (found == 1)
        status = client_ask(client, json_pack("{s: s, s: s*}", "request", "status", "study", study),
                            why);
    if (status != NULL && json) {
        json_object_del(status, "ok");
        json_text_print(status);
    } else if (status != NULL) {
        print_for_people(status, home, study, why);
    }
    json_decref(status);
    client_close(client);
    return why->code;
}

enum exit_code command_status(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1] = {NULL};
    bool json = false;
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
    };
    const struct options options = {
        "tuner status", rules, ARRAY_LENGTH(rules), "STUDY", 0, 1,
        .about = "Shows what the daemon of the home has in hand.  `tuner list` shows all studies, "
                 "also without a daemon.\n",
        .examples = "tuner status\n"
                    "tuner status quickstart            its workers and rungs too\n"
                    "tuner status --json | jq '.studies[].state'\n",
        .exit_codes = "0 shown, 1 failed, 64 wrong usage, 65 no such study or no daemon"};
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    path = home_path(home);
    code = show(path, words[0], json, why);
    free(path);
    return code;
}
