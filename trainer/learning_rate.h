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
 *   exponential  peak decay^(s / E): smaller at every step, by `decay` in an epoch */
#ifndef TRAINER_LEARNING_RATE_H
#define TRAINER_LEARNING_RATE_H

#include <jansson.h>
#include <stdint.h>

struct learning_rate {
    double peak;
    double (*at)(const struct learning_rate *rate, double step);
    double warmup, start, final; /* shares of all steps, and of the peak */
    double every, factor;        /* of step; exponential's decay is a factor, too */
    double steps, epoch_steps;   /* S and E above */
};

/* Of a complete `training`, laid out for `steps` steps, `epoch_steps` in each epoch. */
struct learning_rate learning_rate_plan(const json_t *training, uint64_t steps,
                                        uint64_t epoch_steps);
double learning_rate_at(const struct learning_rate *rate, uint64_t step /* from 0 */);

#endif
