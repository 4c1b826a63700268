#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/home.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A model with its optimizer state; far above what the schema lets a network be. */
#define MODEL_BYTES_MAX ((size_t)2 << 30)

void final_adopt(struct run *run)
{
    struct final *final = &run->final;
    const struct trial *winner = final->winner;
    if (run->study->retrain || winner->checkpoint == NULL ||
        winner->checkpoint_epoch != final->to_epoch)
        return;
    final->checkpoint = xstrdup(winner->checkpoint);
    final->epochs = final->to_epoch;
    final->trained = true;
}

/* The winner's best epoch by what `restore_best` watches, the first of equals; 0: its
 * training has no such setting.  What was not validated is watched in training. */
static int best_epoch(struct run *run)
{
    const struct trial *winner = run->final.winner;
    const char *monitor = json_string_value(json_object_get(
        json_object_get(winner->configuration, "training"), "restore_best"));
    json_t *arguments, *rows;
    int epoch;
    if (monitor == NULL)
        return 0;
    arguments = json_pack("[s, i, s, i]", run->study->name, winner->number, monitor,
                          trial_trained(winner));
    rows = store_rows(run->daemon->store,
                      "SELECT epoch FROM metrics WHERE study = ?1 AND trial = ?2 "
                      "AND name IN (?3, replace(?3, 'val_', 'train_')) AND epoch <= ?4 "
                      "ORDER BY name = ?3 DESC, iif(name LIKE '%accuracy', -value, value), epoch "
                      "LIMIT 1", arguments, &run->daemon->broken);
    epoch = (int)json_integer_value(json_object_get(json_array_get(rows, 0), "epoch"));
    json_decref(arguments);
    json_decref(rows);
    return epoch;
}

/* As many epochs as the winner had for its weights: no more were found to be good. */
static int decide_epochs(struct run *run)
{
    int best = run->study->retrain ? best_epoch(run) : 0;
    return best > 0 ? best : trial_trained(run->final.winner);
}

int final_decide(struct run *run)
{
    struct final *final = &run->final;
    const struct trial *best = run->best;
    if (best == NULL && run->closed)
        return fail(&run->broken, "the limit of %g minutes was over before any trial ended well; "
                                  "run the study again to go on", run->study->limit_minutes);
    if (best == NULL)
        return fail(&run->broken, "no trial ended well, so there is no best model; "
                                  "`tuner sql --query failures %s` lists why", run->study->name);
    final->winner = run->trials[best->number];
    run_recall(run, final->winner);
    final->to_epoch = decide_epochs(run);
    final_adopt(run);
    if (daemon_recording(run->daemon))
        store_set_winner(run->daemon->store, run->id, final->winner->number, &run->daemon->broken);
    event_line(run->daemon, run, "the search is over: trial %d wins with %s %.4f",
               final->winner->number, run->study->metric, final->winner->value);
    return 0;
}

/* The same images as the trials had, or all, with those for validation among them. */
static json_t *joined_data(const struct run *run)
{
    json_t *data = json_copy(run->prepared.data);
    json_object_set_new(data, "join_validation", json_true());
    if (run->study->retrain_on_all)
        json_object_set_new(data, "train", json_string("all"));
    return data;
}

/* Training anew for a number of epochs that is decided has nothing to stop and nothing to
 * choose from, nor are there images to validate on. */
static json_t *training_settings(const struct run *run)
{
    json_t *settings = json_copy(json_object_get(run->final.winner->configuration, "training"));
    if (run->study->retrain) {
        json_object_del(settings, "early_stopping");
        json_object_del(settings, "restore_best");
    }
    return settings;
}

/* The workers of which the final has the threads: all that the study may have. */
static int final_workers(const struct run *run)
{
    const struct daemon *daemon = run->daemon;
    int workers = daemon->workers, others = 0, i;
    for (i = 0; i < daemon->run_count; i++)
        others += daemon->runs[i] != run && daemon->runs[i]->begun;
    workers /= 1 + others;
    if (run->workers > 0 && run->workers < workers)
        workers = run->workers;
    return workers > 0 ? workers : 1;
}

/* Alone, the winner has every worker's threads: any number of them gives the same bits. */
static int all_threads(const struct run *run)
{
    int threads = run->study->threads * final_workers(run);
    return threads < PROTOCOL_THREADS_MAX ? threads : PROTOCOL_THREADS_MAX;
}

static json_t *base_message(const struct run *run, const char *type, json_t *data)
{
    const struct final *final = &run->final;
    return json_pack("{s:s, s:i, s:i, s:O, s:O, s:O, s:o, s:o, s:i}", "type", type, "trial",
                     final->winner->number, "attempt", final->attempt, "seed",
                     json_object_get(run->prepared.data, "seed"), "parameters",
                     final->winner->parameters, "model",
                     json_object_get(final->winner->configuration, "model"), "training",
                     training_settings(run), "data", data,
                     "threads", all_threads(run));
}

/* Training as far as `to_epoch`, on the way to `milestone`.  Without `retrain` this trains
 * the winner's own weights once more, bit for bit, whose checkpoint is gone. */
static json_t *training_message(const struct run *run, int to_epoch, int milestone)
{
    const struct final *final = &run->final;
    bool anew = run->study->retrain;
    char *folder = home_checkpoints(run->daemon->settings.home, run->study->name);
    char *prefix = xasprintf("%s/final", folder);
    json_t *message = base_message(run, "run", anew ? joined_data(run)
                                                      : json_incref(run->prepared.data));
    int schedule = anew ? milestone : segment_schedule(run, final->winner, milestone);
    json_object_set_new(message, "schedule_epochs", json_integer(schedule));
    json_object_set_new(message, "from_epoch", json_integer(final->epochs));
    json_object_set_new(message, "to_epoch", json_integer(to_epoch));
    json_object_set_new(message, "read_checkpoint",
                        final->checkpoint != NULL ? json_string(final->checkpoint) : json_null());
    json_object_set_new(message, "write_checkpoint", json_string(prefix));
    if (run->any_precision)
        json_object_set_new(message, "any_precision", json_true());
    free(prefix);
    free(folder);
    return message;
}

static json_t *evaluation_message(const struct run *run)
{
    json_t *message = base_message(run, "evaluate", json_incref(run->prepared.data));
    json_object_set_new(message, "checkpoint", json_string(run->final.checkpoint));
    json_object_set_new(message, "set", json_string("test"));
    return message;
}

/* What the winner's training aimed at from here, even if it stopped early on the way. */
static int next_milestone(const struct run *run)
{
    const struct final *final = &run->final;
    if (run->study->retrain)
        return final->to_epoch;
    return segment_pause(run, final->winner, final->epochs, final->winner->value_epochs);
}

void final_assign(struct run *run, struct slot *slot)
{
    struct final *final = &run->final;
    struct job job = {.trial = final->winner, .attempt = ++final->attempt};
    json_t *message;
    int milestone;
    if (!daemon_recording(run->daemon))
        return;
    run_recall(run, final->winner);
    slot_serve(slot, run);
    store_begin_final(run->daemon->store, run->id, final->winner->number, final->attempt,
                      final->to_epoch, &run->daemon->broken);
    if (final->trained) {
        job.type = JOB_FINAL_EVALUATION;
        store_clear_predictions(run->daemon->store, run->id, &run->daemon->broken);
        message = evaluation_message(run);
    } else {
        job.type = JOB_FINAL_TRAINING;
        job.next_epoch = final->epochs + 1;
        milestone = next_milestone(run);
        job.to_epoch = milestone < final->to_epoch ? milestone : final->to_epoch;
        message = training_message(run, job.to_epoch, milestone);
    }
    slot_give(slot, &job, message);
}

void final_drop_checkpoint(struct run *run)
{
    struct final *final = &run->final;
    const char *own = final->winner->checkpoint;
    if (own != NULL && strcmp(own, final->checkpoint) == 0)
        run_drop_checkpoint(run, final->winner);
    else
        daemon_doom(run->daemon, final->checkpoint);
    free(final->checkpoint);
    final->checkpoint = NULL;
    final->epochs = 0;
    final->trained = false;
}

void final_epoch(struct run *run, struct job *job, const struct message *message)
{
    struct final *final = &run->final;
    struct epoch_record record = {final->winner->number, (int)message->epoch, job->attempt,
                                  message->metrics, message->checkpoint, message->seconds};
    const char *arithmetic = message->arithmetic != NULL ? message->arithmetic
                                                         : run->prepared.arithmetic;
    if (daemon_recording(run->daemon))
        store_add_final_epoch(run->daemon->store, run->id, &record, &run->daemon->broken);
    if (daemon_recording(run->daemon))
        store_set_final_arithmetic(run->daemon->store, run->id, arithmetic, &run->daemon->broken);
    if (message->checkpoint != NULL) {
        if (final->checkpoint != NULL)
            daemon_doom(run->daemon, final->checkpoint);
        free(final->checkpoint);
        final->checkpoint = xstrdup(message->checkpoint);
        final->epochs = (int)message->epoch;
    }
    job->next_epoch++;
}

void final_predictions(struct run *run, struct job *job, const struct message *message)
{
    size_t i, count = json_array_size(message->labels);
    if (daemon_recording(run->daemon))
        store_add_predictions(run->daemon->store, run->id, message->first, message->labels,
                              message->predicted, message->probabilities, &run->daemon->broken);
    if (daemon_recording(run->daemon))
        store_add_images(run->daemon->store, run->id, message->images, &run->daemon->broken);
    for (i = 0; i < count; i++)
        job->correct += json_equal(json_array_get(message->labels, i),
                                   json_array_get(message->predicted, i));
    job->next_image += (int64_t)count;
}

static void record_final(struct run *run, const struct job *job, const struct message *message)
{
    struct final_record record = {.images = job->next_image, .correct = job->correct};
    char *bytes = NULL;
    const json_t *loss = json_object_get(message->body, "loss");
    record.test_loss = json_is_number(loss) ? json_number_value(loss) : (double)NAN;
    record.layers = json_object_get(message->body, "layers");
    if (file_read(run->final.checkpoint, MODEL_BYTES_MAX, &bytes, &record.model_size,
                  &run->broken) != 0)
        return;
    record.model = bytes;
    if (daemon_recording(run->daemon))
        store_end_final(run->daemon->store, run->id, &record, &run->daemon->broken);
    free(bytes);
}

const char *final_lacks(const struct run *run, const struct job *job)
{
    if (job->type == JOB_FINAL_EVALUATION)
        return job->next_image != run_test_images(run)
                   ? "said `done` before its last prediction" : NULL;
    if (job->next_epoch <= job->to_epoch)
        return "said `done` before its last epoch";
    if (run->final.epochs != job->to_epoch)
        return "said `done` without a checkpoint of its last epoch";
    return NULL;
}

void final_done(struct run *run, struct job *job, const struct message *message)
{
    if (job->type == JOB_FINAL_TRAINING) {
        run->final.trained = run->final.epochs == run->final.to_epoch;
        return;
    }
    record_final(run, job, message);
    run->final.evaluated = true;
}
