#include "trainer/learning_rate.h"

#include <string.h>

struct learning_rate learning_rate_plan(const json_t *training, uint64_t steps)
{
    const json_t *schedule = json_object_get(training, "learning_rate_schedule");
    const char *type = json_string_value(json_object_get(schedule, "type"));
    const json_t *optimizer = json_object_get(training, "optimizer");
    return (struct learning_rate){
        .peak = json_number_value(json_object_get(optimizer, "learning_rate")),
        .linear = type && strcmp(type, "linear") == 0,
        .warmup = json_number_value(json_object_get(schedule, "warmup")),
        .final = json_number_value(json_object_get(schedule, "final")),
        .steps = (double)steps,
    };
}

double learning_rate_at(const struct learning_rate *rate, uint64_t step)
{
    double s = (double)step;
    double rise = rate->warmup * rate->steps;
    if (!rate->linear)
        return rate->peak;
    if (s >= rate->steps)
        return rate->peak * rate->final;
    if (s < rise)
        return rate->peak * (s + 1.0) / (rise + 1.0);
    return rate->peak * (1.0 - (1.0 - rate->final) * (s - rise) / (rate->steps - rise));
}
