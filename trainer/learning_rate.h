/* The learning rate of each step.
 *
 *   constant     the optimizer's learning rate, the peak
 *   linear       rises to the peak over the first `warmup` of all steps, then falls to
 *                `final` times the peak: with S steps in all and W = warmup S, step s
 *                from 0 has
 *                    peak (s + 1) / (W + 1)                       while s < W
 *                    peak (1 - (1 - final) (s - W) / (S - W))     from there
 *                so the first step moves already, and so does the last one.  After S
 *                steps it stays at final times the peak.
 *   cosine       rises as linear does, then falls in half a wave (Loshchilov & Hutter
 *                2017, without restarts):
 *                    peak (final + (1 - final) (1 + cos(pi (s - W) / (S - W))) / 2)
 *   one_cycle    falls as cosine does, and rises in half a wave too (Smith & Topin 2019):
 *                    peak (start + (1 - start) (1 - cos(pi s / W)) / 2)   while s < W
 *   step         peak factor^floor(e / every), where e = floor(s / E) epochs are done,
 *                with E steps in an epoch
 *   exponential  peak decay^(s / E): smaller at every step, by `decay` in an epoch
 *   reduce_on_plateau
 *                peak share, where share is 1 at first.  After `patience` epochs in a row
 *                in which `monitor` did not improve by more than min_change (monitor.h) it
 *                becomes max(factor share, final), and the epochs are counted anew, while
 *                the value to improve on stays (Keras 3, ReduceLROnPlateau with cooldown
 *                0 and min_lr = final peak).
 *
 * All but the last depend on the step alone; what that one has seen is its state. */
#ifndef TRAINER_LEARNING_RATE_H
#define TRAINER_LEARNING_RATE_H

#include "trainer/monitor.h"

#include <stdint.h>

struct learning_rate {
    double peak;
    double (*at)(const struct learning_rate *rate, double step);
    double warmup, start, final; /* shares of all steps, and of the peak */
    double every, factor;        /* of step; exponential's decay is a factor, too */
    double steps, epoch_steps;   /* S and E above */
    int patience;                /* of reduce_on_plateau; else 0 */
    struct monitor monitor;
    double share;                /* 1 but for reduce_on_plateau */
};

/* Of a complete `training`, laid out for `steps` steps, `epoch_steps` in each epoch;
 * `validated`: there are validation images (monitor.h). */
struct learning_rate learning_rate_plan(const json_t *training, uint64_t steps,
                                        uint64_t epoch_steps, bool validated);
double learning_rate_at(const struct learning_rate *rate, uint64_t step /* from 0 */);

/* To be told of every epoch, at its end. */
void learning_rate_watch(struct learning_rate *rate, const struct epoch_metrics *metrics);

/* What a schedule that watches has seen, to go on from: a new reference, NULL for the
 * others.  Restoring anything else than the schedule's own state is -1; the rate is then
 * not to be used. */
json_t *learning_rate_state(const struct learning_rate *rate);
int learning_rate_restore(struct learning_rate *rate, const json_t *state /* or NULL */);

#endif
