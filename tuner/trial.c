#include "tuner/trial.h"

#include <math.h>
#include <stdlib.h>

struct trial *trial_new(int number, int bracket, json_t *parameters)
{
    struct trial *trial = xcalloc(1, sizeof *trial);
    trial->number = number;
    trial->bracket = bracket;
    trial->parameters = parameters;
    trial->value = trial->best = trial->latest = (double)NAN;
    return trial;
}

void trial_free(struct trial *trial)
{
    if (trial == NULL)
        return;
    json_decref(trial->parameters);
    json_decref(trial->configuration);
    free(trial->checkpoint);
    free(trial);
}

void trial_set_out(struct trial *trial, int rung, int from_epoch, int to_epoch)
{
    trial->state = TRIAL_PENDING;
    trial->rung = rung;
    trial->from_epoch = from_epoch;
    trial->to_epoch = to_epoch;
    trial->retries = 0;
}

int trial_trained(const struct trial *trial)
{
    return trial->early_end > 0 ? trial->early_end : trial->value_epochs;
}

bool value_better(double a, double b, bool maximize)
{
    if (isnan(a))
        return false;
    return isnan(b) || (maximize ? a > b : a < b);
}

void trial_advance(struct trial *trial, int epoch, double metric, bool maximize,
                   const char *checkpoint)
{
    if (epoch > trial->epochs) { /* of an epoch that is run again, the first result counts */
        trial->epochs = epoch;
        trial->latest = metric;
        if (value_better(metric, trial->best, maximize))
            trial->best = metric;
    }
    if (checkpoint != NULL) {
        char *copy = xstrdup(checkpoint);
        free(trial->checkpoint);
        trial->checkpoint = copy;
        trial->checkpoint_epoch = epoch;
    }
}
