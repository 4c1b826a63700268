#include "trainer/job.h"

#include "common/protocol.h"
#include "common/schema.h"
#include "common/seed.h"
#include "trainer/describe.h"
#include "trainer/train.h"

#include <math.h>
#include <stdlib.h>

enum { EPOCHS_MOST = 1000000 };

/* One segment of a trial, as the message says it. */
struct segment {
    struct training_settings settings;
    json_t *model, *training; /* owned; settings point to them */
    int64_t trial, attempt, from_epoch, to_epoch;
    const char *read_checkpoint; /* or NULL */
    const char *write_checkpoint;
    char *arithmetic; /* owned; of its training */
};

static int read_segment(const json_t *job, struct segment *segment, struct failure *why)
{
    int64_t threads = 1, schedule_epochs = 0;
    struct training_settings *settings = &segment->settings;
    if (job_integer(job, "trial", 0, UINT32_MAX, &segment->trial, why) != 0 ||
        job_integer(job, "attempt", 0, INT64_MAX, &segment->attempt, why) != 0 ||
        job_integer(job, "from_epoch", 0, EPOCHS_MOST, &segment->from_epoch, why) != 0 ||
        job_integer(job, "to_epoch", 1, EPOCHS_MOST, &segment->to_epoch, why) != 0 ||
        job_integer(job, "schedule_epochs", 1, EPOCHS_MOST, &schedule_epochs, why) != 0 ||
        job_integer(job, "threads", 1, PROTOCOL_THREADS_MAX, &threads, why) != 0)
        return -1;
    if (!seed_parse(json_string_value(json_object_get(job, "seed")), &settings->seed))
        return fail_input(why, "the message's \"seed\" must be a whole number as a string");
    segment->read_checkpoint = json_string_value(json_object_get(job, "read_checkpoint"));
    segment->write_checkpoint = json_string_value(json_object_get(job, "write_checkpoint"));
    if (!segment->write_checkpoint)
        return fail_input(why, "the message has no \"write_checkpoint\"");

    segment->model = schema_check_model(json_object_get(job, "model"), why);
    segment->training = segment->model
                            ? schema_check_training(json_object_get(job, "training"), why) : NULL;
    settings->model = segment->model;
    settings->training = segment->training;
    settings->trial = (uint32_t)segment->trial;
    settings->schedule_epochs = (int)schedule_epochs;
    settings->threads = (int)threads;
    settings->any_precision = json_is_true(json_object_get(job, "any_precision"));
    return segment->training ? 0 : -1;
}

static struct training *start_training(const struct segment *segment,
                                       const struct dataset *dataset, struct failure *why)
{
    struct training *training = training_new(&segment->settings, dataset, why);
    if (!training)
        return NULL;
    if (segment->read_checkpoint &&
        training_restore(training, segment->read_checkpoint, why) != 0) {
        /* The tuner can do without a file that is of no use, but not mix precisions. */
        if (!why->where)
            why->where = xstrdup("read_checkpoint");
        goto failed;
    }
    if (training_epochs_done(training) != segment->from_epoch) {
        fail_input(why, "%s has %d epochs, but the segment is to go on from epoch %lld",
                   segment->read_checkpoint ? segment->read_checkpoint : "a new training",
                   training_epochs_done(training), (long long)segment->from_epoch);
        goto failed;
    }
    return training;
failed:
    training_free(training);
    return NULL;
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void say_epoch(struct worker *worker, const struct segment *segment, int epoch,
                      const struct epoch_metrics *metrics, bool validated,
                      const char *checkpoint)
{
    json_t *values = json_pack("{s:o, s:o}", "train_loss", number_or_null(metrics->train_loss),
                               "train_accuracy", number_or_null(metrics->train_accuracy));
    if (validated) {
        json_object_set_new(values, "val_loss", number_or_null(metrics->val_loss));
        json_object_set_new(values, "val_accuracy", number_or_null(metrics->val_accuracy));
    }
    worker_say(worker, json_pack("{s:s, s:I, s:I, s:i, s:o, s:s?, s:f, s:s}", "type", "epoch",
                                 "trial", (json_int_t)segment->trial, "attempt",
                                 (json_int_t)segment->attempt, "epoch", epoch, "metrics", values,
                                 "checkpoint", checkpoint, "seconds", metrics->seconds,
                                 "arithmetic", segment->arithmetic));
}

/* Trains one epoch, saves it, says it.  1: nothing is to follow (the configuration
 * diverged, which needs no checkpoint, or the tuner is gone); 0: go on. */
static int run_epoch(struct worker *worker, const struct segment *segment,
                     struct training *training, bool validated, struct failure *why)
{
    struct epoch_metrics metrics;
    if (training_epoch(training, worker_is_abandoned, worker, &metrics) != 0)
        return 1;
    int epoch = training_epochs_done(training);
    if (!epoch_metrics_are_finite(&metrics, validated)) {
        say_epoch(worker, segment, epoch, &metrics, validated, NULL);
        return 1;
    }
    char *checkpoint = xasprintf("%s.%d.%lld", segment->write_checkpoint, epoch,
                                 (long long)segment->attempt);
    int result = training_save(training, checkpoint, why);
    if (result == 0)
        say_epoch(worker, segment, epoch, &metrics, validated, checkpoint);
    free(checkpoint);
    return result;
}

static void say_done(struct worker *worker, const struct segment *segment, bool stopped_early)
{
    json_t *done = json_pack("{s:s, s:I, s:I, s:s}", "type", "done", "trial",
                             (json_int_t)segment->trial, "attempt",
                             (json_int_t)segment->attempt, "arithmetic", segment->arithmetic);
    if (stopped_early)
        json_object_set_new(done, "stopped_early", json_true());
    worker_say(worker, done);
}

static int run_epochs(struct worker *worker, const struct segment *segment,
                      struct training *training, bool validated, struct failure *why)
{
    int ended = 0;
    while (ended == 0 && !training_is_over(training) &&
           training_epochs_done(training) < segment->to_epoch) {
        ended = run_epoch(worker, segment, training, validated, why);
        if (worker_is_abandoned(worker) || worker->inbox.stopped)
            return ended < 0 ? -1 : 0;
    }
    if (ended < 0)
        return -1;
    /* A training that diverged has ended, too, but not by being good enough. */
    say_done(worker, segment, ended == 0 && training_epochs_done(training) < segment->to_epoch);
    return 0;
}

int job_run(struct worker *worker, const json_t *job, struct failure *why)
{
    struct segment segment = {0};
    struct training *training = NULL;
    int result = -1;
    struct dataset *dataset = NULL;
    if (read_segment(job, &segment, why) == 0)
        dataset = worker_dataset(worker, job, why);
    if (dataset)
        training = start_training(&segment, dataset, why);
    if (training) {
        segment.arithmetic = describe_arithmetic(training_precision(training));
        result = run_epochs(worker, &segment, training, dataset->validation_count > 0, why);
    }
    training_free(training);
    free(segment.arithmetic);
    json_decref(segment.model);
    json_decref(segment.training);
    return result;
}
