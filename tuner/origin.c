#include "tuner/origin.h"

#include "common/member.h"
#include "common/text.h"
#include "tuner/engine.h"
#include "tuner/name.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_TRIED = 10000 };

/* ---- names ---- */

int origin_rename(struct study *study, const char *name, struct failure *why)
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

int origin_start_over(struct daemon *daemon, struct study *study, struct failure *why)
{
    int64_t found = store_find_study(daemon->store, study->name, why);
    return found > 0 ? take_free_name(daemon, study, "_", why) : (int)found;
}

/* ---- versions ---- */

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
    json_t *recorded = json_loads(member_text(row, "fingerprint"), JSON_DECODE_ANY, NULL);
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
    const char *data = member_text(row, "data");
    return data != NULL && strcmp(data, "{}") == 0 && member_integer(row, "begun") == 0;
}

static int refuse_differences(const json_t *row, const struct study *study, struct failure *why)
{
    char *different = differences(row, study);
    fail_input(why, "study %s is recorded in this home with other settings:\n%s\n"
                    "give the study another name, start over with --fresh, or take the new "
                    "settings on as its next version with --extend", member_text(row, "study"),
               different);
    free(different);
    return -1;
}

static void take_origin(struct origin *origin, struct study *study, const json_t *row)
{
    origin->id = member_integer(row, "id");
    origin->state = xstrdup(member_text(row, "state"));
    origin->note = member_text(row, "note") != NULL ? xstrdup(member_text(row, "note")) : NULL;
    free(study->name);
    study->name = xstrdup(member_text(row, "study"));
}

int origin_find(struct daemon *daemon, struct study *study, bool extend, struct origin *origin,
                struct failure *why)
{
    json_t *versions = versions_of(daemon, study->name, why);
    const json_t *newest = json_array_get(versions, 0), *same = same_version(versions, study);
    int result = versions != NULL ? 0 : -1;
    if (same != NULL) {
        take_origin(origin, study, same);
    } else if (newest != NULL && never_began(newest) && json_array_size(versions) == 1 &&
               daemon_find(daemon, study->name) == NULL) {
        if (daemon_recording(daemon))
            store_forget_study(daemon->store, member_integer(newest, "id"), &daemon->broken);
    } else if (newest != NULL && extend) {
        origin->extends = member_integer(newest, "id");
        result = take_free_name(daemon, study, "_v", why);
    } else if (newest != NULL) {
        result = refuse_differences(newest, study, why);
    }
    json_decref(versions);
    return result;
}

void origin_release(struct origin *origin)
{
    free(origin->state);
    free(origin->note);
    *origin = (struct origin){0};
}
