#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/home.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A model with its optimizer state; far above what the schema lets a network be. */
#define MODEL_BYTES_MAX ((size_t)2 << 30)

void final_adopt(struct tuner *tuner)
{
    struct final *final = &tuner->final;
    const struct trial *winner = final->winner;
    if (tuner->study->retrain || winner->checkpoint == NULL ||
        winner->checkpoint_epoch != final->to_epoch)
        return;
    final->checkpoint = xstrdup(winner->checkpoint);
    final->epochs = final->to_epoch;
    final->trained = true;
}

int final_decide(struct tuner *tuner)
{
    struct final *final = &tuner->final;
    const struct trial *best = tuner_best(tuner);
    if (best == NULL && tuner->closed)
        return fail(&tuner->broken, "the limit of %g minutes was over before any trial ended well; "
                                    "run the study again to go on", tuner->study->limit_minutes);
    if (best == NULL)
        return fail(&tuner->broken, "no trial ended well, so there is no best model; "
                                    "db/queries/failures.sql lists why");
    final->winner = tuner->trials[best->number];
    final->to_epoch = final->winner->value_epochs;
    final_adopt(tuner);
    if (tuner_recording(tuner))
        store_set_winner(tuner->store, tuner->id, final->winner->number, &tuner->broken);
    progress_line(tuner->progress, "the search is over: trial %d wins with %s %.4f",
                  final->winner->number, tuner->study->metric, final->winner->value);
    return 0;
}

/* The same images as the trials had, with those for validation among them. */
static json_t *joined_data(const struct tuner *tuner)
{
    json_t *data = json_copy(tuner->prepared.data);
    json_object_set_new(data, "join_validation", json_true());
    return data;
}

/* Alone, the winner has every worker's threads: any number of them gives the same bits. */
static json_t *base_message(const struct tuner *tuner, const char *type, json_t *data)
{
    const struct final *final = &tuner->final;
    return json_pack("{s:s, s:i, s:i, s:O, s:O, s:O, s:O, s:o, s:i}", "type", type, "trial",
                     final->winner->number, "attempt", final->attempt, "seed",
                     json_object_get(tuner->prepared.data, "seed"), "parameters",
                     final->winner->parameters, "model",
                     json_object_get(final->winner->configuration, "model"), "training",
                     json_object_get(final->winner->configuration, "training"), "data", data,
                     "threads", tuner->study->threads * tuner->slot_count);
}

/* Without `retrain` this trains the winner's own weights once more, bit for bit, whose
 * checkpoint is gone. */
static json_t *training_message(const struct tuner *tuner, int to_epoch)
{
    const struct final *final = &tuner->final;
    bool anew = tuner->study->retrain;
    char *folder = home_checkpoints(tuner->options->home, tuner->study->name);
    char *prefix = xasprintf("%s/final", folder);
    json_t *message = base_message(tuner, "run", anew ? joined_data(tuner)
                                                      : json_incref(tuner->prepared.data));
    int schedule = anew ? to_epoch : schedule_epochs(tuner, final->winner, to_epoch);
    json_object_set_new(message, "schedule_epochs", json_integer(schedule));
    json_object_set_new(message, "from_epoch", json_integer(final->epochs));
    json_object_set_new(message, "to_epoch", json_integer(to_epoch));
    json_object_set_new(message, "read_checkpoint",
                        final->checkpoint != NULL ? json_string(final->checkpoint) : json_null());
    json_object_set_new(message, "write_checkpoint", json_string(prefix));
    free(prefix);
    free(folder);
    return message;
}

static json_t *evaluation_message(const struct tuner *tuner)
{
    json_t *message = base_message(tuner, "evaluate", json_incref(tuner->prepared.data));
    json_object_set_new(message, "checkpoint", json_string(tuner->final.checkpoint));
    json_object_set_new(message, "set", json_string("test"));
    return message;
}

void final_assign(struct tuner *tuner, struct slot *slot)
{
    struct final *final = &tuner->final;
    struct job job = {.trial = final->winner, .attempt = ++final->attempt};
    json_t *message;
    if (!tuner_recording(tuner))
        return;
    store_begin_final(tuner->store, tuner->id, final->winner->number, final->attempt,
                      final->to_epoch, &tuner->broken);
    if (final->trained) {
        job.type = JOB_FINAL_EVALUATION;
        store_clear_predictions(tuner->store, tuner->id, &tuner->broken);
        message = evaluation_message(tuner);
    } else {
        job.type = JOB_FINAL_TRAINING;
        job.next_epoch = final->epochs + 1;
        job.to_epoch = tuner->study->retrain ? final->to_epoch
                                             : next_pause(tuner, final->winner, final->epochs,
                                                          final->to_epoch);
        message = training_message(tuner, job.to_epoch);
    }
    slot_give(slot, &job, message);
}

void final_drop_checkpoint(struct tuner *tuner)
{
    struct final *final = &tuner->final;
    const char *own = final->winner->checkpoint;
    if (own != NULL && strcmp(own, final->checkpoint) == 0)
        tuner_drop_checkpoint(tuner, final->winner);
    else
        tuner_doom_file(tuner, final->checkpoint);
    free(final->checkpoint);
    final->checkpoint = NULL;
    final->epochs = 0;
    final->trained = false;
}

void final_epoch(struct tuner *tuner, struct job *job, const struct message *message)
{
    struct final *final = &tuner->final;
    struct epoch_record record = {final->winner->number, (int)message->epoch, job->attempt,
                                  message->metrics, message->checkpoint, message->seconds};
    if (tuner_recording(tuner))
        store_add_final_epoch(tuner->store, tuner->id, &record, &tuner->broken);
    if (message->checkpoint != NULL) {
        if (final->checkpoint != NULL)
            tuner_doom_file(tuner, final->checkpoint);
        free(final->checkpoint);
        final->checkpoint = xstrdup(message->checkpoint);
        final->epochs = (int)message->epoch;
    }
    job->next_epoch++;
}

void final_predictions(struct tuner *tuner, struct job *job, const struct message *message)
{
    size_t i, count = json_array_size(message->labels);
    if (tuner_recording(tuner))
        store_add_predictions(tuner->store, tuner->id, message->first, message->labels,
                              message->predicted, message->probabilities, &tuner->broken);
    for (i = 0; i < count; i++)
        job->correct += json_equal(json_array_get(message->labels, i),
                                   json_array_get(message->predicted, i));
    job->next_image += (int64_t)count;
}

static void record_final(struct tuner *tuner, const struct job *job, const struct message *message)
{
    struct final_record record = {.images = job->next_image, .correct = job->correct};
    char *bytes = NULL;
    const json_t *loss = json_object_get(message->body, "loss");
    record.test_loss = json_is_number(loss) ? json_number_value(loss) : (double)NAN;
    record.layers = json_object_get(message->body, "layers");
    record.arithmetic = tuner->prepared.arithmetic;
    if (file_read(tuner->final.checkpoint, MODEL_BYTES_MAX, &bytes, &record.model_size,
                  &tuner->broken) != 0)
        return;
    record.model = bytes;
    if (tuner_recording(tuner))
        store_end_final(tuner->store, tuner->id, &record, &tuner->broken);
    free(bytes);
}

void final_done(struct tuner *tuner, struct job *job, const struct message *message)
{
    if (job->type == JOB_FINAL_TRAINING) {
        tuner->final.trained = tuner->final.epochs == tuner->final.to_epoch;
        return;
    }
    record_final(tuner, job, message);
    tuner->final.evaluated = true;
}
