#include "trainer/monitor.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

bool epoch_metrics_are_finite(const struct epoch_metrics *metrics, bool validated)
{
    return isfinite(metrics->train_loss) && isfinite(metrics->train_accuracy) &&
           (!validated || (isfinite(metrics->val_loss) && isfinite(metrics->val_accuracy)));
}

static double infinitely_bad(const struct monitor *monitor)
{
    return monitor->of_accuracy ? -INFINITY : INFINITY;
}

struct monitor monitor_start(const char *metric, double min_change, bool validated)
{
    struct monitor monitor = {
        .of_validation = validated && strncmp(metric, "val_", strlen("val_")) == 0,
        .of_accuracy = strstr(metric, "accuracy") != NULL,
        .min_change = min_change,
    };
    monitor.best = infinitely_bad(&monitor);
    return monitor;
}

static double value_of(const struct monitor *monitor, const struct epoch_metrics *metrics)
{
    if (monitor->of_accuracy)
        return monitor->of_validation ? metrics->val_accuracy : metrics->train_accuracy;
    return monitor->of_validation ? metrics->val_loss : metrics->train_loss;
}

bool monitor_watch(struct monitor *monitor, const struct epoch_metrics *metrics)
{
    double value = value_of(monitor, metrics);
    bool better = monitor->of_accuracy ? value > monitor->best + monitor->min_change
                                       : value < monitor->best - monitor->min_change;
    if (better && isfinite(value)) {
        monitor->best = value;
        monitor->waited = 0;
        return true;
    }
    monitor->waited++;
    return false;
}

bool monitor_has_best(const struct monitor *monitor)
{
    return isfinite(monitor->best);
}

json_t *monitor_state(const struct monitor *monitor)
{
    /* JSON has no infinity. */
    json_t *best = monitor_has_best(monitor) ? json_real(monitor->best) : json_null();
    return json_pack("{sosi}", "best", best, "waited", monitor->waited);
}

int monitor_restore(struct monitor *monitor, const json_t *state)
{
    const json_t *best = json_object_get(state, "best");
    const json_t *waited = json_object_get(state, "waited");
    if ((!json_is_number(best) && !json_is_null(best)) || !json_is_integer(waited) ||
        json_integer_value(waited) < 0 || json_integer_value(waited) > INT32_MAX)
        return -1;
    monitor->best = json_is_null(best) ? infinitely_bad(monitor) : json_number_value(best);
    monitor->waited = (int)json_integer_value(waited);
    return 0;
}
