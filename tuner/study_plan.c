#include "tuner/study_plan.h"

static int make_plan(const struct study *study, double space_size, struct plan *plan,
                     struct failure *why)
{
    int trials = study->trials;
    if (study->scheduler == SCHEDULER_HYPERBAND) {
        if (plan_hyperband(study->max_epochs, study->eta, plan, why) != 0)
            return -1;
    } else {
        if (trials == 0 || (space_size > 0 && space_size < trials))
            trials = space_size > 0 && space_size < PLAN_TRIALS_MAX ? (int)space_size
                                                                    : PLAN_TRIALS_MAX;
        plan_full(trials, study->max_epochs, plan);
    }
    return study->limit_epochs > 0 ? plan_limit_epochs(plan, study->limit_epochs, why) : 0;
}

int study_plan(const struct study *study, double space_size, struct plan *plan,
               struct failure *why)
{
    struct failure unplaced = FAILURE_NONE;
    int result = make_plan(study, space_size, plan, &unplaced);
    if (result != 0)
        study_fail_at(study, unplaced.where, why, "%s", unplaced.text);
    failure_clear(&unplaced);
    return result;
}

int study_workers(const struct study *study, int asked)
{
    int count = asked > 0 ? asked : study->workers;
    if (count == 0)
        count = cores_allowed() / study->threads;
    return count < 1 ? 1 : count;
}
