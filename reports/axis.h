/* A linear axis with ticks at round numbers (1, 2 or 5 times a power of ten). */
#ifndef REPORTS_AXIS_H
#define REPORTS_AXIS_H

#include <stddef.h>

struct axis {
    double low, high;  /* of the data's side; low < high */
    double step;       /* between ticks */
    double first;      /* the first tick */
    int ticks;
    int decimals;      /* that the ticks' labels need */
};

/* An axis that holds `low` to `high` and begins and ends on ticks, about `ticks` of
 * them.  Equal bounds are widened; bounds that are not finite give 0 to 1. */
struct axis axis_round(double low, double high, int ticks);
/* Whole numbers from 1 to `count`, ticks within; of a single one, 0 to 2. */
struct axis axis_counted(size_t count, int ticks);

double axis_tick(const struct axis *axis, int index);
enum { AXIS_LABEL_SIZE = 32 };
/* The tick's number with as many decimals as the step needs. */
void axis_label(const struct axis *axis, int index, char label[AXIS_LABEL_SIZE]);
/* Where `value` lies when the axis runs from `from` to `to` on the paper. */
double axis_place(const struct axis *axis, double value, double from, double to);

#endif
