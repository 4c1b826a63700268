#include "tuner/engine.h"

static struct trial *first_pending(struct tuner *tuner)
{
    int i;
    for (i = 0; i < tuner->trial_count; i++) {
        if (tuner->trials[i]->state == TRIAL_PENDING)
            return tuner->trials[i];
    }
    return NULL;
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
        segment_fail_unconfigurable(tuner, trial, why.text);
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
            if (trial->early_end > 0) { /* which may promote it once more */
                segment_pass(tuner, trial);
                trial = NULL;
            }
        }
    }
    return trial;
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
            segment_give(tuner, slot, trial);
        else if (tuner->final.winner != NULL && !tuner->final.evaluated && !any_busy(tuner))
            final_assign(tuner, slot);
        else
            search_over = true;
    }
    if ((search_over || tuner->final.winner != NULL) && !any_busy(tuner))
        conclude(tuner);
}
