#include "tuner/requests.h"

#include "common/json_text.h"
#include "common/member.h"
#include "common/options.h"
#include "tuner/name.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PRIORITY_MAX = 1000, FIELDS_MAX = 9, WORD_MAX = 64 };

/* ---- fields ---- */

enum field_type {
    FIELD_NAME,     /* of a study */
    FIELD_TEXT,
    FIELD_PATH,     /* absolute */
    FIELD_FLAG,
    FIELD_COUNT,    /* a whole number from 0 */
    FIELD_PRIORITY,
    FIELD_NUMBER,
    FIELD_METRICS,  /* name -> number or null */
    FIELD_SETTINGS  /* an object; the daemon knows what may be in it */
};

struct field {
    const char *name; /* NULL: no more of them */
    enum field_type type;
    bool required;
};

static bool is_integer_within(const json_t *value, json_int_t low, json_int_t high)
{
    return json_is_integer(value) && json_integer_value(value) >= low &&
           json_integer_value(value) <= high;
}

static bool are_metrics(const json_t *value)
{
    const char *name;
    json_t *metric;
    json_object_foreach((json_t *)(uintptr_t)value, name, metric) {
        if ((!json_is_number(metric) && !json_is_null(metric)) || !name_is_valid(name))
            return false;
    }
    return json_object_size(value) > 0;
}

/* NULL: the value is right; else what it must be. */
static const char *wrong(const json_t *value, enum field_type type)
{
    const char *text = json_string_value(value);
    switch (type) {
    case FIELD_NAME:
        return text != NULL && name_is_valid(text)
                   ? NULL : "the name of a study: a letter, then up to 63 letters, digits and _";
    case FIELD_TEXT:
        return text != NULL ? NULL : "a string";
    case FIELD_PATH:
        return text != NULL && text[0] == '/' && strlen(text) < PATH_MAX ? NULL
                                                                         : "an absolute path";
    case FIELD_FLAG:
        return json_is_boolean(value) ? NULL : "true or false";
    case FIELD_COUNT:
        return is_integer_within(value, 0, INT32_MAX) ? NULL : "a whole number from 0";
    case FIELD_PRIORITY:
        return is_integer_within(value, -PRIORITY_MAX, PRIORITY_MAX)
                   ? NULL : "a whole number from -1000 to 1000";
    case FIELD_NUMBER:
        return json_is_number(value) ? NULL : "a number";
    case FIELD_METRICS:
        return are_metrics(value)
                   ? NULL : "an object: names of metrics, each with a number or null";
    case FIELD_SETTINGS:
        break;
    }
    return json_is_object(value) ? NULL : "an object";
}

/* A word that is not known; what is far too long to be one is not repeated. */
static int refuse_word(const char *noun, const char *word, const char *const *known, size_t count,
                       struct failure *why)
{
    if (strlen(word) > WORD_MAX)
        return fail_usage(why, "unknown %s of %zu bytes", noun, strlen(word));
    return options_unknown(why, noun, word, "docs/control.md lists them", known, count);
}

static int refuse_key(const struct field *fields, const char *noun, const char *key,
                      struct failure *why)
{
    const char *names[FIELDS_MAX];
    size_t count = 0;
    for (; fields->name != NULL; fields++)
        names[count++] = fields->name;
    return refuse_word(noun, key, names, count, why);
}

static const struct field *find_field(const struct field *fields, const char *name)
{
    while (fields->name != NULL && strcmp(fields->name, name) != 0)
        fields++;
    return fields->name != NULL ? fields : NULL;
}

/* Checks an object against its fields; "request" itself is passed over. */
static int check_fields(const json_t *object, const struct field *fields, const char *noun,
                        struct failure *why)
{
    const struct field *field;
    const char *key, *right;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (strcmp(key, "request") == 0)
            continue;
        field = find_field(fields, key);
        if (field == NULL)
            return refuse_key(fields, noun, key, why);
        right = wrong(value, field->type);
        if (right != NULL)
            return fail_usage(why, "\"%s\" must be %s", key, right);
    }
    for (field = fields; field->name != NULL; field++) {
        if (field->required && json_object_get(object, field->name) == NULL)
            return fail_usage(why, "\"%s\" is missing", field->name);
    }
    return 0;
}

/* ---- requests with more to check than their fields ---- */

static bool flag_of(const json_t *body, const char *name)
{
    return json_is_true(json_object_get(body, name));
}

static int read_submission(struct request *request, struct failure *why)
{
    const json_t *body = request->body, *text = json_object_get(body, "text");
    if (flag_of(body, "fresh") && flag_of(body, "extend"))
        return fail_usage(why, "\"fresh\" begins another study and \"extend\" goes on with one: "
                               "choose one of them");
    request->submission = (struct submission){
        .file = member_text(body, "file"), .text = json_string_value(text),
        .size = json_string_length(text), .name = member_text(body, "name"),
        .priority = (int)json_integer_value(json_object_get(body, "priority")),
        .fresh = flag_of(body, "fresh"), .extend = flag_of(body, "extend"),
        .any_precision = flag_of(body, "any_precision")};
    return 0;
}

static int read_report(struct request *request, struct failure *why)
{
    static const char *const outcomes[] = {"value", "metrics", "failed"};
    size_t i, there = 0;
    for (i = 0; i < ARRAY_LENGTH(outcomes); i++)
        there += json_object_get(request->body, outcomes[i]) != NULL;
    if (there != 1)
        return fail_usage(why, "one of \"value\", \"metrics\" and \"failed\" is needed");
    return 0;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    struct field fields[FIELDS_MAX];
    int (*read)(struct request *request, struct failure *why); /* NULL: nothing more */
} types[] = {
    [REQUEST_SUBMIT] = {"submit", {{"file", FIELD_PATH, true}, {"text", FIELD_TEXT, true},
                                   {"name", FIELD_NAME, false}, {"priority", FIELD_PRIORITY, false},
                                   {"fresh", FIELD_FLAG, false}, {"extend", FIELD_FLAG, false},
                                   {"any_precision", FIELD_FLAG, false}}, read_submission},
    [REQUEST_STATUS] = {"status", {{"study", FIELD_NAME, false}}, NULL},
    [REQUEST_WATCH] = {"watch", {{"study", FIELD_NAME, false}}, NULL},
    [REQUEST_PAUSE] = {"pause", {{"study", FIELD_NAME, false}}, NULL},
    [REQUEST_RESUME] = {"resume", {{"study", FIELD_NAME, false}}, NULL},
    [REQUEST_STOP] = {"stop", {{"study", FIELD_NAME, false}}, NULL},
    [REQUEST_CANCEL] = {"cancel", {{"study", FIELD_NAME, false}}, NULL},
    [REQUEST_SET] = {"set", {{"study", FIELD_NAME, false}, {"settings", FIELD_SETTINGS, true}},
                     NULL},
    [REQUEST_ASK] = {"ask", {{"study", FIELD_NAME, true}}, NULL},
    [REQUEST_TELL] = {"tell", {{"study", FIELD_NAME, true}, {"trial", FIELD_COUNT, true},
                               {"attempt", FIELD_COUNT, false}, {"epoch", FIELD_COUNT, false},
                               {"value", FIELD_NUMBER, false}, {"metrics", FIELD_METRICS, false},
                               {"failed", FIELD_TEXT, false}, {"done", FIELD_FLAG, false}},
                      read_report},
};

static int find_type(const char *name, enum request_type *type, struct failure *why)
{
    const char *names[ARRAY_LENGTH(types)];
    size_t i;
    for (i = 0; i < ARRAY_LENGTH(types); i++) {
        names[i] = types[i].name;
        if (strcmp(name, names[i]) == 0) {
            *type = (enum request_type)i;
            return 0;
        }
    }
    return refuse_word("request", name, names, ARRAY_LENGTH(names), why);
}

static int read_body(struct request *request, struct failure *why)
{
    const char *name = member_text(request->body, "request");
    if (name == NULL)
        return fail_usage(why, "\"request\" must say what is asked for, such as \"status\"");
    if (find_type(name, &request->type, why) != 0)
        return -1;
    if (check_fields(request->body, types[request->type].fields, "field", why) != 0)
        return fail_prefix(why, "%s", name);
    request->study = member_text(request->body, "study");
    if (types[request->type].read == NULL || types[request->type].read(request, why) == 0)
        return 0;
    return fail_prefix(why, "%s", name);
}

int request_parse(const char *line, size_t length, struct request *request, struct failure *why)
{
    json_error_t error;
    *request = (struct request){0};
    request->body = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (request->body == NULL)
        fail_usage(why, "a request is one line of JSON; this is none from byte %d on",
                   error.position);
    else if (!json_is_object(request->body))
        fail_usage(why, "a request is a JSON object, such as {\"request\": \"status\"}");
    else if (read_body(request, why) == 0)
        return 0;
    request_release(request);
    return -1;
}

void request_release(struct request *request)
{
    json_decref(request->body);
    *request = (struct request){0};
}

/* ---- answers ---- */

json_t *request_refusal(const struct failure *why)
{
    return json_pack("{s: b, s: i, s: o}", "ok", 0, "code", (int)why->code, "error",
                     json_text_of(why->text));
}

/* Puts the fields of `more` (the reference is taken; NULL: there are none) into the answer. */
static void add_all(json_t *answer, json_t *more)
{
    json_object_update(answer, more);
    json_decref(more);
}

static int submit(const struct request *request, struct daemon *daemon, json_t *answer,
                  struct failure *why)
{
    char *name = NULL;
    if (daemon_submit(daemon, &request->submission, &name, why) != 0)
        return -1;
    json_object_set_new(answer, "study", json_string(name));
    free(name);
    return 0;
}

static int tell(const struct request *request, struct daemon *daemon, struct failure *why)
{
    json_t *report = json_copy(request->body);
    int result;
    json_object_del(report, "request");
    json_object_del(report, "study");
    result = daemon_tell(daemon, request->study, report, why);
    json_decref(report);
    return result;
}

static int answer_with(json_t *answer, json_t *more)
{
    add_all(answer, more);
    return more != NULL ? 0 : -1;
}

static int act(const struct request *request, struct daemon *daemon, json_t *answer,
               struct failure *why)
{
    const char *study = request->study;
    switch (request->type) {
    case REQUEST_SUBMIT:
        return submit(request, daemon, answer, why);
    case REQUEST_STATUS:
    case REQUEST_WATCH:
        return answer_with(answer, daemon_status(daemon, study, why));
    case REQUEST_PAUSE:
        return daemon_pause(daemon, study, why);
    case REQUEST_RESUME:
        return daemon_resume(daemon, study, why);
    case REQUEST_STOP:
        return daemon_stop(daemon, study, why);
    case REQUEST_CANCEL:
        return daemon_cancel(daemon, study, why);
    case REQUEST_SET:
        return daemon_set(daemon, study, json_object_get(request->body, "settings"), why);
    case REQUEST_ASK:
        return answer_with(answer, daemon_ask(daemon, study, why));
    case REQUEST_TELL:
        break;
    }
    return tell(request, daemon, why);
}

json_t *request_answer(const struct request *request, struct daemon *daemon)
{
    struct failure why = FAILURE_NONE;
    json_t *answer = json_pack("{s: b}", "ok", 1);
    if (act(request, daemon, answer, &why) != 0) {
        json_decref(answer);
        answer = request_refusal(&why);
    }
    failure_clear(&why);
    return answer;
}
