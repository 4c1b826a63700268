#include "reports/mcnemar.h"

#include <math.h>

/* P(X <= most) for X ~ B(count, 1/2); count is small. */
static double binomial_below(int64_t count, int64_t most)
{
    double ways = 1.0, sum = 0.0;
    for (int64_t i = 0; i <= most; i++) {
        sum += ways;
        ways = ways * (double)(count - i) / (double)(i + 1);
    }
    return ldexp(sum, -(int)count);
}

struct mcnemar mcnemar_test(int64_t only_first, int64_t only_second)
{
    struct mcnemar test = {.only_first = only_first, .only_second = only_second};
    int64_t count = only_first + only_second;
    int64_t fewer = only_first < only_second ? only_first : only_second;
    test.exact = count < MCNEMAR_EXACT;
    if (test.exact) {
        test.p = fmin(1.0, 2.0 * binomial_below(count, fewer));
    } else {
        double distance = fmax(0.0, fabs((double)(only_first - only_second)) - 1.0);
        test.statistic = distance * distance / (double)count;
        test.p = erfc(sqrt(test.statistic / 2.0));
    }
    return test;
}
