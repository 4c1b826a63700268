#include "reports/axis.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* The least of 1, 2, 5, 10, ... times a power of ten that is not under `step`. */
static double round_step(double step, int *decimals)
{
    double power = floor(log10(step));
    double unit = pow(10.0, power);
    double factor = step / unit;
    double rounded = factor <= 1.0 + 1e-9 ? 1.0 : factor <= 2.0 ? 2.0 : factor <= 5.0 ? 5.0 : 10.0;
    if (rounded == 10.0)
        power += 1.0;
    *decimals = power < 0.0 ? (int)-power : 0;
    return rounded * unit;
}

struct axis axis_round(double low, double high, int ticks)
{
    if (!isfinite(low) || !isfinite(high)) {
        low = 0.0;
        high = 1.0;
    }
    if (high - low < 1e-9 * fmax(1.0, fabs(high))) {
        double around = fmax(0.05 * fabs(high), 0.05);
        low -= around;
        high += around;
    }
    struct axis axis;
    axis.step = round_step((high - low) / ticks, &axis.decimals);
    /* A value on a tick but for rounding errors is on that tick. */
    double begin = floor(low / axis.step + 1e-6), end = ceil(high / axis.step - 1e-6);
    axis.low = axis.first = begin * axis.step;
    axis.high = end * axis.step;
    axis.ticks = (int)(end - begin) + 1;
    return axis;
}

struct axis axis_counted(size_t count, int ticks)
{
    struct axis axis = {.low = 1.0, .high = (double)count, .decimals = 0};
    if (count < 2) {
        axis.low = 0.0;
        axis.high = 2.0;
    }
    int decimals;
    axis.step = fmax(1.0, round_step((axis.high - axis.low) / ticks, &decimals));
    axis.first = axis.step == 1.0 ? 1.0 : axis.step;
    axis.ticks = count < 2 ? 1 : (int)floor((axis.high - axis.first) / axis.step) + 1;
    return axis;
}

double axis_tick(const struct axis *axis, int index)
{
    return axis->first + index * axis->step;
}

void axis_label(const struct axis *axis, int index, char label[AXIS_LABEL_SIZE])
{
    double value = axis_tick(axis, index);
    bool plain = axis->decimals <= 6 && fabs(axis->high) < 1e7 && fabs(axis->low) < 1e7;
    if (plain)
        snprintf(label, AXIS_LABEL_SIZE, "%.*f", axis->decimals, value == 0.0 ? 0.0 : value);
    else
        snprintf(label, AXIS_LABEL_SIZE, "%.3g", value);
}

double axis_place(const struct axis *axis, double value, double from, double to)
{
    return from + (value - axis->low) / (axis->high - axis->low) * (to - from);
}
