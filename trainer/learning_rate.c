#include "trainer/learning_rate.h"

#include "common/base.h"
#include "common/member.h"

#include <math.h>
#include <string.h>

static double constant(const struct learning_rate *rate, double s)
{
    (void)s;
    return rate->peak;
}

/* Steps of the warmup. */
static double rise_of(const struct learning_rate *rate)
{
    return rate->warmup * rate->steps;
}

static double rise_evenly(const struct learning_rate *rate, double s)
{
    return rate->peak * (s + 1.0) / (rise_of(rate) + 1.0);
}

/* From 0 to 1 as `part` does, in half a wave. */
static double half_wave(double part)
{
    return (1.0 - cos(M_PI * part)) / 2.0;
}

static double fall_in_a_wave(const struct learning_rate *rate, double s)
{
    double rise = rise_of(rate);
    if (s >= rate->steps)
        return rate->peak * rate->final;
    return rate->peak *
           (1.0 - (1.0 - rate->final) * half_wave((s - rise) / (rate->steps - rise)));
}

static double linear(const struct learning_rate *rate, double s)
{
    double rise = rise_of(rate);
    if (s >= rate->steps)
        return rate->peak * rate->final;
    if (s < rise)
        return rise_evenly(rate, s);
    return rate->peak * (1.0 - (1.0 - rate->final) * (s - rise) / (rate->steps - rise));
}

static double cosine(const struct learning_rate *rate, double s)
{
    return s < rise_of(rate) ? rise_evenly(rate, s) : fall_in_a_wave(rate, s);
}

static double one_cycle(const struct learning_rate *rate, double s)
{
    double rise = rise_of(rate);
    if (s >= rise)
        return fall_in_a_wave(rate, s);
    return rate->peak * (rate->start + (1.0 - rate->start) * half_wave(s / rise));
}

static double stairs(const struct learning_rate *rate, double s)
{
    return rate->peak * pow(rate->factor, floor(floor(s / rate->epoch_steps) / rate->every));
}

static double exponential(const struct learning_rate *rate, double s)
{
    return rate->peak * pow(rate->factor, s / rate->epoch_steps);
}

static double on_plateau(const struct learning_rate *rate, double s)
{
    (void)s;
    return rate->peak * rate->share;
}

static const struct {
    const char *name;
    double (*at)(const struct learning_rate *rate, double step);
} schedules[] = {
    {"constant", constant},   {"linear", linear}, {"cosine", cosine},
    {"one_cycle", one_cycle}, {"step", stairs},   {"exponential", exponential},
    {"reduce_on_plateau", on_plateau},
};

struct learning_rate learning_rate_plan(const json_t *training, uint64_t steps,
                                        uint64_t epoch_steps, bool validated)
{
    const json_t *schedule = json_object_get(training, "learning_rate_schedule");
    const char *type = json_string_value(json_object_get(schedule, "type"));
    const json_t *factor = json_object_get(schedule, "factor");
    const char *monitor = json_string_value(json_object_get(schedule, "monitor"));
    struct learning_rate rate = {
        .peak = member_number(json_object_get(training, "optimizer"), "learning_rate"),
        .at = constant,
        .warmup = member_number(schedule, "warmup"),
        .start = member_number(schedule, "start"),
        .final = member_number(schedule, "final"),
        .every = member_number(schedule, "every"),
        .factor = factor ? json_number_value(factor) : member_number(schedule, "decay"),
        .steps = (double)steps,
        .epoch_steps = (double)epoch_steps,
        .patience = (int)json_integer_value(json_object_get(schedule, "patience")),
        .share = 1.0,
    };
    if (monitor)
        rate.monitor = monitor_start(monitor, member_number(schedule, "min_change"), validated);
    for (size_t i = 0; type && i < ARRAY_LENGTH(schedules); i++) {
        if (strcmp(schedules[i].name, type) == 0)
            rate.at = schedules[i].at;
    }
    return rate;
}

double learning_rate_at(const struct learning_rate *rate, uint64_t step)
{
    return rate->at(rate, (double)step);
}

void learning_rate_watch(struct learning_rate *rate, const struct epoch_metrics *metrics)
{
    if (rate->patience == 0 || monitor_watch(&rate->monitor, metrics) ||
        rate->monitor.waited < rate->patience)
        return;
    rate->share = fmax(rate->factor * rate->share, rate->final);
    rate->monitor.waited = 0;
}

json_t *learning_rate_state(const struct learning_rate *rate)
{
    if (rate->patience == 0)
        return NULL;
    json_t *state = monitor_state(&rate->monitor);
    json_object_set_new(state, "share", json_real(rate->share));
    return state;
}

int learning_rate_restore(struct learning_rate *rate, const json_t *state)
{
    if (rate->patience == 0)
        return state ? -1 : 0;
    const json_t *share = json_object_get(state, "share");
    if (!json_is_number(share) || json_number_value(share) < rate->final ||
        json_number_value(share) > 1.0)
        return -1;
    rate->share = json_number_value(share);
    return monitor_restore(&rate->monitor, state);
}
