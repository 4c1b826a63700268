#include "tuner/plan.h"

static int64_t epochs_going_on(const struct bracket_plan *bracket)
{
    int64_t epochs = 0;
    int reached = 0;

    for (int i = 0; i < bracket->rung_count; i++) {
        const struct rung_plan *rung = &bracket->rungs[i];

        epochs += (int64_t)rung->places * (rung->epochs - reached);
        reached = rung->epochs;
    }
    return epochs;
}

static int64_t epochs_anew(const struct bracket_plan *bracket)
{
    int64_t epochs = 0;

    for (int i = 0; i < bracket->rung_count; i++)
        epochs += (int64_t)bracket->rungs[i].places * bracket->rungs[i].epochs;
    return epochs;
}

static void sum_up(struct plan *plan)
{
    plan->trials = 0;
    plan->epochs = 0;
    plan->epochs_anew = 0;
    for (int i = 0; i < plan->bracket_count; i++) {
        plan->trials += plan->brackets[i].rungs[0].places;
        plan->epochs += epochs_going_on(&plan->brackets[i]);
        plan->epochs_anew += epochs_anew(&plan->brackets[i]);
    }
}

/* Bracket s, whose first rung has `places` trials; `power` is eta^s. */
static void fill_bracket(struct bracket_plan *bracket, int s, int places, int64_t power,
                         int max_epochs, int eta)
{
    bracket->number = s;
    bracket->rung_count = s + 1;
    for (int i = 0; i <= s; i++, power /= eta, places /= eta) {
        int64_t epochs = (2 * (int64_t)max_epochs + power) / (2 * power);

        bracket->rungs[i] = (struct rung_plan){
            .places = places,
            .keep = i < s ? places / eta : 0,
            .epochs = (int)epochs,
        };
    }
}

int plan_hyperband(int max_epochs, int eta, struct plan *plan, struct failure *why)
{
    int64_t power = 1; /* eta^s */
    int s_max = 0;

    if (max_epochs < 1)
        return fail_at(why, "search.max_epochs", "max_epochs is %d; it must be at least 1",
                       max_epochs);
    if (eta < 2)
        return fail_at(why, "search.eta", "eta is %d; it must be at least 2", eta);
    for (; power <= max_epochs / eta; power *= eta)
        s_max++;

    *plan = (struct plan){0};
    for (int s = s_max; s >= 0; s--, power /= eta) {
        struct bracket_plan *bracket = &plan->brackets[plan->bracket_count++];
        int64_t places = ((s_max + 1) * power + s) / (s + 1);

        if (places > PLAN_TRIALS_MAX - plan->trials)
            return fail_at(why, "search.max_epochs",
                           "max_epochs %d with eta %d makes more than %d configurations; "
                           "lower max_epochs or raise eta",
                           max_epochs, eta, PLAN_TRIALS_MAX);
        bracket->first_trial = plan->trials;
        plan->trials += (int)places;
        fill_bracket(bracket, s, (int)places, power, max_epochs, eta);
    }
    sum_up(plan);
    return 0;
}

void plan_full(int trials, int epochs, struct plan *plan)
{
    *plan = (struct plan){.bracket_count = 1};
    plan->brackets[0].rung_count = 1;
    plan->brackets[0].rungs[0] = (struct rung_plan){.places = trials, .epochs = epochs};
    sum_up(plan);
}

static int limit_trials(struct plan *plan, int epochs, struct failure *why)
{
    struct rung_plan *rung = &plan->brackets[0].rungs[0];

    if (rung->epochs == 0)
        return fail_at(why, "search.limits.epochs",
                       "a limit in epochs needs to know the epochs of a trial beforehand; "
                       "give search.max_epochs");
    if (epochs < rung->epochs)
        return fail_at(why, "search.limits.epochs",
                       "a limit of %d epochs has no room for a single trial of %d; "
                       "raise the limit",
                       epochs, rung->epochs);
    if (rung->places > epochs / rung->epochs)
        rung->places = epochs / rung->epochs;
    sum_up(plan);
    return 0;
}

int plan_limit_epochs(struct plan *plan, int epochs, struct failure *why)
{
    int64_t first = epochs_going_on(&plan->brackets[0]);

    if (plan->bracket_count == 1 && plan->brackets[0].rung_count == 1)
        return limit_trials(plan, epochs, why);
    if (epochs < first)
        return fail_at(why, "search.limits.epochs",
                       "a limit of %d epochs has no room for the first bracket's %lld; "
                       "raise the limit or lower max_epochs",
                       epochs, (long long)first);
    while (plan->epochs > epochs) {
        plan->bracket_count--;
        sum_up(plan);
    }
    return 0;
}
