/* The learning rate of each step.
 *
 *   constant  the optimizer's learning rate, the peak
 *   linear    rises to the peak over the first `warmup` of all steps, then falls to
 *             `final` times the peak: with S steps in all and W = warmup S, step s
 *             from 0 has
 *                 peak (s + 1) / (W + 1)                       while s < W
 *                 peak (1 - (1 - final) (s - W) / (S - W))     from there
 *             so the first step moves already, and so does the last one. After S
 *             steps it stays at final times the peak. */
#ifndef TRAINER_LEARNING_RATE_H
#define TRAINER_LEARNING_RATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct learning_rate {
    double peak;
    bool linear;
    double warmup, final; /* shares of all steps, and of the peak */
    double steps;         /* S above */
};

/* Of a complete `training`, laid out for `steps` steps. */
struct learning_rate learning_rate_plan(const json_t *training, uint64_t steps);
double learning_rate_at(const struct learning_rate *rate, uint64_t step /* from 0 */);

#endif
