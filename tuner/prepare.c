#include "tuner/prepare.h"

#include "common/dataset_path.h"
#include "common/file.h"
#include "common/json_text.h"
#include "tuner/home.h"
#include "tuner/launcher.h"
#include "tuner/sampler.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONFIGURATIONS_TRIED = 20,
    ANSWER_MS = 120000 /* a worker may have to load a data set first */
};

/* A conversation with one worker: ask, wait for the answer. */
struct inquiry {
    struct loop *loop;
    struct launcher *launcher;
    struct worker *worker;
    struct timer deadline;
    struct prepared *prepared;
    json_t *answer;          /* body of `described` */
    struct failure refusal;  /* text and where of `error` */
    struct failure trouble;  /* the worker died, hung or spoke garbage */
    bool ready;
};

/* The last one that was said: the worker's, then that of a configuration. */
static void take_arithmetic(struct prepared *prepared, const struct message *message)
{
    if (message->arithmetic == NULL)
        return;
    free(prepared->arithmetic);
    prepared->arithmetic = xstrdup(message->arithmetic);
}

static void heard(void *context, struct worker *worker, const struct message *message)
{
    struct inquiry *inquiry = context;
    (void)worker;
    if (message->type == MESSAGE_READY) {
        inquiry->ready = true;
        inquiry->prepared->program = xstrdup(message->program);
        take_arithmetic(inquiry->prepared, message);
    } else if (message->type == MESSAGE_DESCRIBED) {
        json_decref(inquiry->answer);
        inquiry->answer = json_incref(message->body);
        take_arithmetic(inquiry->prepared, message);
    } else if (message->type == MESSAGE_ERROR) {
        fail_at(&inquiry->refusal, message->where, "%s", message->text);
    } else {
        fail(&inquiry->trouble, "the trainer said something that was not asked");
    }
}

static void heard_garbage(void *context, struct worker *worker, const char *reason)
{
    struct inquiry *inquiry = context;
    (void)worker;
    fail(&inquiry->trouble, "the trainer does not speak the protocol: %s", reason);
}

static void heard_end(void *context, struct worker *worker, const char *reason)
{
    struct inquiry *inquiry = context;
    (void)worker;
    inquiry->worker = NULL;
    fail(&inquiry->trouble, "the trainer %s before it answered",
         strcmp(reason, "exited with 127") == 0 ? "could not be run or exited" : reason);
}

static void too_late(struct timer *timer, void *context)
{
    struct inquiry *inquiry = context;
    (void)timer;
    fail(&inquiry->trouble, "the trainer did not answer within %d s", ANSWER_MS / 1000);
}

static int wait_for(struct inquiry *inquiry, const bool *flag, struct failure *why)
{
    loop_set_timer(inquiry->loop, &inquiry->deadline, ANSWER_MS);
    while (!*flag && inquiry->answer == NULL && inquiry->refusal.text == NULL &&
           inquiry->trouble.text == NULL) {
        if (loop_turn(inquiry->loop, why) != 0)
            return -1;
    }
    loop_clear_timer(inquiry->loop, &inquiry->deadline);
    if (inquiry->trouble.text == NULL)
        return 0;
    return fail(why, "%s: %s", json_string_value(json_array_get(inquiry->prepared->command, 0)),
                inquiry->trouble.text);
}

/* Sends `question` and returns the answer's body, or NULL with the refusal in
 * inquiry->refusal or the trouble in `why`. */
static json_t *ask(struct inquiry *inquiry, json_t *question, struct failure *why)
{
    static const bool never = false;
    json_t *answer;
    failure_clear(&inquiry->refusal);
    worker_send(inquiry->worker, question);
    json_decref(question);
    if (wait_for(inquiry, &never, why) != 0)
        return NULL;
    answer = inquiry->answer;
    inquiry->answer = NULL;
    return answer;
}

/* ---- the two questions ---- */

static int ask_data(struct inquiry *inquiry, const struct study *study, struct failure *why)
{
    struct prepared *prepared = inquiry->prepared;
    json_t *answer = ask(inquiry, json_pack("{s:s, s:i, s:O}", "type", "describe", "id", 0,
                                            "data", prepared->data), why);
    if (answer == NULL && inquiry->refusal.text != NULL)
        study_fail_at(study, "data", why, "%s", inquiry->refusal.text);
    if (answer == NULL)
        return -1;
    prepared->shape = json_incref(json_object_get(answer, "data"));
    prepared->classes = (int)json_integer_value(json_object_get(prepared->shape, "classes"));
    json_decref(answer);
    if (prepared->classes < 2 || prepared->classes > 65536)
        return fail(why, "the trainer did not tell how many classes the data has");
    if (json_integer_value(json_object_get(prepared->shape, "test")) < 1)
        return fail(why, "the trainer did not tell how many test images the data has");
    return 0;
}

/* Describes one configuration; NULL with inquiry->refusal or `why`. */
static json_t *ask_configuration(struct inquiry *inquiry, const struct study *study,
                                 const json_t *values, bool measure, struct failure *why)
{
    json_t *configuration = study_configure(study, values, inquiry->prepared->classes,
                                            &inquiry->refusal);
    json_t *question;
    if (configuration == NULL)
        return NULL;
    question = json_pack("{s:s, s:i, s:O, s:O, s:O, s:b}", "type", "describe", "id", 1, "data",
                         inquiry->prepared->data, "model",
                         json_object_get(configuration, "model"), "training",
                         json_object_get(configuration, "training"), "measure", measure);
    json_decref(configuration);
    return ask(inquiry, question, why);
}

static int refuse(const struct study *study, const json_t *values, struct failure *first,
                  struct failure *why)
{
    char *shown = json_dumps(values, 0);
    int result;
    if (first->where == NULL) /* study_configure() has placed it already */
        result = fail_input(why, "%s", first->text);
    else
        result = study_fail_at(study, first->where, why,
                               "no configuration fits; with %s: %s", shown, first->text);
    free(shown);
    return result;
}

static int ask_network(struct inquiry *inquiry, const struct study *study, bool measure,
                       struct failure *why)
{
    struct sampler *sampler = sampler_new(study->sampler, &study->space, study->seed,
                                          study->points);
    struct failure first = FAILURE_NONE;
    json_t *first_values = NULL, *values, *answer = NULL;
    uint32_t trial;
    int result = -1;
    for (trial = 0; trial < CONFIGURATIONS_TRIED && answer == NULL; trial++) {
        if ((values = sampler_propose(sampler, trial)) == NULL)
            break;
        failure_clear(&inquiry->refusal);
        answer = ask_configuration(inquiry, study, values, measure, why);
        if (answer == NULL && first_values == NULL) {
            first = inquiry->refusal;
            inquiry->refusal = (struct failure)FAILURE_NONE;
            first_values = json_incref(values);
        }
        json_decref(values);
        if (answer == NULL && inquiry->trouble.text != NULL)
            goto done;
    }
    inquiry->prepared->described = answer;
    inquiry->prepared->precision = json_string_value(json_object_get(answer, "precision"));
    result = answer != NULL ? 0 : refuse(study, first_values, &first, why);
done:
    failure_clear(&first);
    json_decref(first_values);
    sampler_free(sampler);
    return result;
}

/* ---- the whole ---- */

char *prepare_own_trainer(void)
{
    char self[4096], *folder, *path;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    folder = path_folder(self);
    path = path_join(folder, "trainer");
    free(folder);
    return path;
}

static json_t *trainer_command(const struct study *study, const char *trainer)
{
    json_t *command;
    char *own;
    if (trainer != NULL)
        return json_pack("[s]", trainer);
    if (study->trainer != NULL)
        return json_deep_copy(study->trainer);
    own = prepare_own_trainer();
    command = json_pack("[s]", own);
    free(own);
    return command;
}

/* What is wrong with the data set, at the place that names it. */
static void place_refusal(const struct study *study, struct failure *why)
{
    if (why == NULL || why->code != EXIT_BAD_INPUT)
        return;
    char *text = xstrdup(why->text);
    failure_clear(why);
    study_fail_at(study, "data.dataset", why, "%s", text);
    free(text);
}

static json_t *data_to_load(const struct study *study, const char *home, bool run,
                            struct failure *why)
{
    json_t *data = dataset_resolve(study->data, home, run, why);
    char *seed;
    if (data == NULL) {
        place_refusal(study, why);
        return NULL;
    }
    seed = xasprintf("%llu", (unsigned long long)study->seed);
    json_object_set_new(data, "seed", json_string(seed));
    free(seed);
    if (run) {
        char *cache = home_cache(home);
        json_object_set_new(data, "cache", json_string(cache));
        free(cache);
    }
    return data;
}

int prepare(const struct study *study, const char *home, const char *trainer,
            enum purpose purpose, struct prepared *prepared, struct failure *why)
{
    struct inquiry inquiry = {.prepared = prepared};
    const struct launcher_events events = {heard, heard_garbage, heard_end, &inquiry};
    int result = -1;
    *prepared = (struct prepared){.command = trainer_command(study, trainer)};
    inquiry.deadline = (struct timer){.due = too_late, .context = &inquiry};
    prepared->data = data_to_load(study, home, purpose == PURPOSE_RUN, why);
    if (prepared->data == NULL || (inquiry.loop = loop_new(why)) == NULL)
        goto done;
    inquiry.launcher = launcher_local_new(inquiry.loop, prepared->command, NULL, &events);
    launcher_limit(inquiry.launcher, &study->worker_limits);
    inquiry.worker = launcher_start(inquiry.launcher, 0, NULL, why);
    if (inquiry.worker == NULL || wait_for(&inquiry, &inquiry.ready, why) != 0 ||
        ask_data(&inquiry, study, why) != 0 ||
        ask_network(&inquiry, study, purpose == PURPOSE_GUESS, why) != 0)
        goto done;
    result = 0;
done:
    launcher_free(inquiry.launcher);
    loop_free(inquiry.loop);
    failure_clear(&inquiry.refusal);
    failure_clear(&inquiry.trouble);
    json_decref(inquiry.answer);
    if (result != 0)
        prepared_release(prepared);
    return result;
}

void prepared_release(struct prepared *prepared)
{
    json_decref(prepared->command);
    json_decref(prepared->data);
    json_decref(prepared->shape);
    json_decref(prepared->described);
    free(prepared->program);
    free(prepared->arithmetic);
    *prepared = (struct prepared){0};
}

/* ---- as an answer ---- */

json_t *prepared_json(struct prepared *prepared, struct failure *why)
{
    json_t *answer;
    if (why->text != NULL)
        answer = json_pack("{s:i, s:o}", "code", (int)why->code, "text",
                           json_text_of(why->text));
    else
        answer = json_pack("{s:O?, s:O?, s:O?, s:i, s:O?, s:s?, s:s?}", "command",
                           prepared->command, "data", prepared->data, "shape", prepared->shape,
                           "classes", prepared->classes, "described", prepared->described,
                           "arithmetic", prepared->arithmetic, "program", prepared->program);
    prepared_release(prepared);
    failure_clear(why);
    return answer;
}

static char *copied(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text != NULL ? xstrdup(text) : NULL;
}

static json_t *taken(const json_t *answer, const char *name)
{
    return json_incref(json_object_get(answer, name));
}

int prepared_parse(const char *answer, size_t length, struct prepared *prepared,
                   struct failure *why)
{
    json_t *body = json_loadb(answer, length, 0, NULL);
    const char *text = json_string_value(json_object_get(body, "text"));
    int result;
    if (text != NULL) {
        fail(why, "%s", text);
        why->code = (enum exit_code)json_integer_value(json_object_get(body, "code"));
    } else if (body != NULL) {
        prepared->command = taken(body, "command");
        prepared->data = taken(body, "data");
        prepared->shape = taken(body, "shape");
        prepared->classes = (int)json_integer_value(json_object_get(body, "classes"));
        prepared->described = taken(body, "described");
        prepared->precision = json_string_value(json_object_get(prepared->described, "precision"));
        prepared->arithmetic = copied(body, "arithmetic");
        prepared->program = copied(body, "program");
    }
    result = json_is_array(prepared->command) && json_is_object(prepared->shape) ? 0 : -1;
    json_decref(body);
    return result;
}
