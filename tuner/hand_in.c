#include "tuner/hand_in.h"

#include "tuner/name.h"
#include "tuner/study.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static json_t *request(const struct study *study, const struct hand_in *hand_in,
                       const char *path)
{
    json_t *body = json_pack("{s: s, s: s, s: s, s: i, s: b, s: b, s: b}", "request", "submit",
                             "file", path, "text", study->text, "priority", hand_in->priority,
                             "fresh", hand_in->fresh, "extend", hand_in->extend, "any_precision",
                             hand_in->any_precision);
    if (hand_in->name != NULL)
        json_object_set_new(body, "name", json_string(hand_in->name));
    return body;
}

/* The daemon works in another folder: its path is the absolute one. */
static char *submit(struct client *client, const struct study *study,
                    const struct hand_in *hand_in, struct failure *why)
{
    char *path = realpath(hand_in->file, NULL), *name = NULL;
    const char *said;
    json_t *body = path != NULL ? request(study, hand_in, path) : NULL, *answer = NULL;
    if (path == NULL)
        fail_input(why, "%s: %s", hand_in->file, strerror(errno));
    else if (body == NULL)
        fail_input(why, "%s: its path is no text in UTF-8, which the daemon needs", path);
    else
        answer = client_ask(client, body, why);
    said = json_string_value(json_object_get(answer, "study"));
    if (said != NULL)
        name = xstrdup(said);
    else
        fail(why, "the daemon does not say what the study is called");
    json_decref(answer);
    free(path);
    return name;
}

char *study_hand_in(struct client *client, const struct hand_in *hand_in, struct failure *why)
{
    struct study *study;
    char *name = NULL;
    if (hand_in->name != NULL && !name_is_valid(hand_in->name)) {
        fail_usage(why, "--name %s: a study's name is a letter, then up to 63 letters, digits "
                        "and _", hand_in->name);
        return NULL;
    }
    study = study_load(hand_in->file, why);
    if (study != NULL)
        name = submit(client, study, hand_in, why);
    study_free(study);
    return name;
}
