#include "trainer/worker.h"

#include "trainer/command.h"
#include "trainer/describe.h"
#include "trainer/job.h"

#include <string.h>

static const struct {
    const char *type;
    int (*run)(struct worker *worker, const json_t *job, struct failure *why);
} jobs[] = {
    {"describe", job_describe},
    {"run", job_run},
    {"evaluate", job_evaluate},
};

void worker_say(struct worker *worker, json_t *message)
{
    if (protocol_write(worker->out, message) != 0)
        worker->mute = true;
    json_decref(message);
}

struct dataset *worker_dataset(struct worker *worker, const json_t *job, struct failure *why)
{
    json_t *data = json_object_get(job, "data");
    if (!json_is_object(data)) {
        fail_at(why, "data", "the message has no \"data\"");
        return NULL;
    }
    if (worker->dataset && json_equal(worker->data, data))
        return worker->dataset;

    dataset_free(worker->dataset);
    json_decref(worker->data);
    worker->data = NULL;
    worker->dataset = dataset_load(data, why);
    if (worker->dataset)
        worker->data = json_incref(data);
    return worker->dataset;
}

bool worker_is_abandoned(void *context)
{
    struct worker *worker = context;
    inbox_look(&worker->inbox);
    /* A tuner that hangs up after its `stop` has not died. */
    return worker->mute || (worker->inbox.ended && !worker->inbox.stopped);
}

int job_integer(const json_t *job, const char *name, int64_t low, int64_t high, int64_t *value,
                struct failure *why)
{
    const json_t *field = json_object_get(job, name);
    if (!json_is_integer(field) || json_integer_value(field) < low ||
        json_integer_value(field) > high)
        return fail_input(why, "the message's \"%s\" must be a whole number from %lld to %lld",
                          name, (long long)low, (long long)high);
    *value = json_integer_value(field);
    return 0;
}

/* An error carries what its job was known by: an id, or a trial and an attempt.  Bad
 * input stays bad; what else went wrong (a full disk) may be gone another time. */
static void say_error(struct worker *worker, const json_t *job, const struct failure *failure)
{
    static const char *const names[] = {"id", "trial", "attempt"};
    json_t *error = json_pack("{s:s, s:s, s:s?, s:b}", "type", "error", "text", failure->text,
                              "where", failure->where, "retry",
                              failure->code != EXIT_BAD_INPUT);
    if (!error) /* a file's name that is not UTF-8 */
        error = json_pack("{s:s, s:s, s:n, s:b}", "type", "error", "text",
                          "the message cannot be shown: it is not UTF-8", "where", "retry", 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        json_object_set(error, names[i], json_object_get(job, names[i]));
    worker_say(worker, error);
}

static int run_job(struct worker *worker, const json_t *job, struct failure *why)
{
    const char *type = json_string_value(json_object_get(job, "type"));
    for (size_t i = 0; i < ARRAY_LENGTH(jobs); i++) {
        if (strcmp(type, jobs[i].type) == 0) {
            struct failure failure = FAILURE_NONE;
            if (jobs[i].run(worker, job, &failure) != 0)
                say_error(worker, job, &failure);
            failure_clear(&failure);
            return 0;
        }
    }
    return fail_input(why, "stdin: there is no message of type \"%s\"; see docs/protocol.md",
                      type);
}

int worker_serve(int in, int out, struct failure *why)
{
    struct worker worker = {.out = out};
    json_t *job;
    int result = 0;
    char *arithmetic = describe_arithmetic(PRECISION_FP32);
    inbox_init(&worker.inbox, in);
    worker_say(&worker, json_pack("{s:s, s:i, s:s, s:s}", "type", "ready", "version",
                                  PROTOCOL_VERSION, "program", "trainer " TRAINER_VERSION,
                                  "arithmetic", arithmetic));
    free(arithmetic);
    while (result == 0 && !worker.mute && (job = inbox_next(&worker.inbox))) {
        result = run_job(&worker, job, why);
        json_decref(job);
    }
    if (worker.mute)
        result = fail(why, "nobody reads stdout any more; is the tuner gone?");
    else if (worker.inbox.fault.text)
        result = fail_input(why, "%s", worker.inbox.fault.text);
    inbox_release(&worker.inbox);
    dataset_free(worker.dataset);
    json_decref(worker.data);
    return result;
}
