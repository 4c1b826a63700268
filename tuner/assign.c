#include "tuner/engine.h"

#include "tuner/home.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct trial *first_pending(struct tuner *tuner)
{
    int i;
    for (i = 0; i < tuner->trial_count; i++) {
        if (tuner->trials[i]->state == TRIAL_PENDING)
            return tuner->trials[i];
    }
    return NULL;
}

static void fail_unconfigurable(struct tuner *tuner, struct trial *trial, const char *reason)
{
    trial->attempt++;
    if (tuner_recording(tuner)) {
        store_begin_segment(tuner->store, tuner->id, trial->number, trial->rung, trial->attempt,
                            trial->from_epoch, trial->to_epoch, 0, &tuner->broken);
        store_end_segment(tuner->store, tuner->id, trial->number, trial->rung, trial->attempt,
                          "failed", (double)NAN, reason, &tuner->broken);
    }
    trial->state = TRIAL_ENDED;
    scheduler_ended(tuner->scheduler, trial->number, trial->rung, (double)NAN);
    tuner_take_decisions(tuner);
}

/* Draws the parameters of a new trial and records it; NULL when the space is used up.
 * A trial that cannot be configured is recorded and has failed. */
static struct trial *propose(struct tuner *tuner, const struct assignment *assignment)
{
    struct failure why = FAILURE_NONE;
    struct trial *trial;
    json_t *parameters = sampler_propose(tuner->sampler, (uint32_t)assignment->trial);
    int epochs = assignment->to_epoch;
    if (parameters == NULL) {
        tuner->exhausted = true;
        scheduler_exhausted(tuner->scheduler, assignment->trial);
        tuner_take_decisions(tuner);
        return NULL;
    }
    trial = trial_new(assignment->trial, tuner->plan.brackets[assignment->bracket].number,
                      parameters);
    trial->configuration = study_configure(tuner->study, parameters, tuner->prepared.classes,
                                           &why);
    if (epochs == 0 && trial->configuration != NULL)
        epochs = (int)json_integer_value(json_object_get(
            json_object_get(trial->configuration, "training"), "epochs"));
    trial_set_out(trial, 0, 0, epochs > 0 ? epochs : 1);
    tuner->trials = xreallocarray(tuner->trials, (size_t)tuner->trial_count + 1,
                                  sizeof *tuner->trials);
    tuner->trials[tuner->trial_count++] = trial;
    if (tuner_recording(tuner))
        store_add_trial(tuner->store, tuner->id, trial->number, trial->bracket, parameters,
                        trial->configuration, &tuner->broken);
    if (trial->configuration == NULL)
        fail_unconfigurable(tuner, trial, why.text);
    failure_clear(&why);
    return trial;
}

/* The trial whose segment should run next, PENDING; NULL when there is none now. */
static struct trial *next_trial(struct tuner *tuner)
{
    struct trial *trial = first_pending(tuner);
    struct assignment assignment;
    while (trial == NULL && tuner->broken.text == NULL &&
           scheduler_next(tuner->scheduler, &assignment) == SCHEDULER_RUN) {
        if (assignment.rung == 0) {
            trial = propose(tuner, &assignment);
            if (trial == NULL || trial->state != TRIAL_PENDING)
                trial = NULL;
        } else {
            trial = tuner->trials[assignment.trial];
            trial_set_out(trial, assignment.rung, assignment.from_epoch, assignment.to_epoch);
        }
    }
    return trial;
}

static bool is_laid_out_by_milestones(const struct trial *trial)
{
    const json_t *over = json_object_get(
        json_object_get(json_object_get(trial->configuration, "training"),
                        "learning_rate_schedule"), "over");
    const char *word = json_string_value(over);
    return word != NULL && strcmp(word, "milestone") == 0;
}

int schedule_epochs(const struct tuner *tuner, const struct trial *trial, int to_epoch)
{
    if (is_laid_out_by_milestones(trial) || tuner->study->scheduler == SCHEDULER_FULL)
        return to_epoch;
    return tuner->study->max_epochs;
}

int next_pause(const struct tuner *tuner, const struct trial *trial, int from, int to)
{
    int b, r;
    if (!is_laid_out_by_milestones(trial))
        return to;
    for (b = 0; b < tuner->plan.bracket_count; b++) {
        const struct bracket_plan *bracket = &tuner->plan.brackets[b];
        for (r = 0; bracket->number == trial->bracket && r < bracket->rung_count; r++) {
            if (bracket->rungs[r].epochs > from && bracket->rungs[r].epochs < to)
                return bracket->rungs[r].epochs;
        }
    }
    return to;
}

static json_t *segment_message(const struct tuner *tuner, const struct trial *trial,
                               const struct job *job)
{
    char *folder = home_checkpoints(tuner->options->home, tuner->study->name);
    char *prefix = xasprintf("%s/%d", folder, trial->number);
    json_t *message = json_pack(
        "{s:s, s:i, s:i, s:O, s:O, s:O, s:O, s:O, s:i, s:i, s:i, s:i, s:s?, s:s}", "type", "run",
        "trial", trial->number, "attempt", trial->attempt, "seed",
        json_object_get(tuner->prepared.data, "seed"), "parameters", trial->parameters, "model",
        json_object_get(trial->configuration, "model"), "training",
        json_object_get(trial->configuration, "training"), "data", tuner->prepared.data,
        "threads", tuner->study->threads, "schedule_epochs",
        schedule_epochs(tuner, trial, job->to_epoch), "from_epoch", job->next_epoch - 1,
        "to_epoch", job->to_epoch, "read_checkpoint", trial->checkpoint, "write_checkpoint",
        prefix);
    free(prefix);
    free(folder);
    return message;
}

static void give_segment(struct tuner *tuner, struct slot *slot, struct trial *trial)
{
    struct job job = {.type = JOB_SEGMENT, .trial = trial, .attempt = ++trial->attempt};
    int from = trial->checkpoint != NULL ? trial->checkpoint_epoch : 0;
    job.next_epoch = from + 1;
    job.to_epoch = next_pause(tuner, trial, from, trial->to_epoch);
    trial->state = TRIAL_RUNNING;
    if (tuner_recording(tuner))
        store_begin_segment(tuner->store, tuner->id, trial->number, trial->rung, job.attempt,
                            trial->from_epoch, trial->to_epoch, slot->worker_id, &tuner->broken);
    slot_give(slot, &job, segment_message(tuner, trial, &job));
}

static bool any_busy(const struct tuner *tuner)
{
    int i;
    for (i = 0; i < tuner->slot_count; i++) {
        if (tuner->slots[i].job.type != JOB_NONE)
            return true;
    }
    return false;
}

static void finish(struct tuner *tuner, const char *note)
{
    tuner_end_workers(tuner, "ended with the study");
    if (tuner_recording(tuner))
        store_set_study_state(tuner->store, tuner->id, "finished", note, &tuner->broken);
    tuner->finished = true;
}

/* Whether no configuration is left that has not been tried. */
static bool used_up(const struct tuner *tuner)
{
    double size = sampler_size(tuner->sampler);
    return tuner->exhausted || (size > 0 && tuner->trial_count >= size);
}

/* Nothing of the search is left: on to the final, or to the end. */
static void conclude(struct tuner *tuner)
{
    bool searched = tuner->final.winner == NULL;
    if (searched && used_up(tuner))
        progress_line(tuner->progress, "the search space is used up: all of its %d configurations "
                                       "were tried", tuner->trial_count);
    if (searched && final_decide(tuner) != 0)
        return;
    if (tuner->final.evaluated)
        finish(tuner, used_up(tuner) ? "the search space is used up" : NULL);
}

void assign(struct tuner *tuner)
{
    int i;
    bool search_over = false;
    if (tuner->interrupts > 0 || tuner->finished || tuner->broken.text != NULL)
        return;
    for (i = 0; i < tuner->slot_count; i++) {
        struct slot *slot = &tuner->slots[i];
        struct trial *trial = NULL;
        if (slot->state != SLOT_IDLE)
            continue;
        if (tuner->final.winner == NULL && !tuner->closed)
            trial = next_trial(tuner);
        if (trial != NULL)
            give_segment(tuner, slot, trial);
        else if (tuner->final.winner != NULL && !tuner->final.evaluated && !any_busy(tuner))
            final_assign(tuner, slot);
        else
            search_over = true;
    }
    if ((search_over || tuner->final.winner != NULL) && !any_busy(tuner))
        conclude(tuner);
}
