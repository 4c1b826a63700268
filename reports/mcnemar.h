/* Whether two classifiers differ on one test set, or one was lucky: McNemar's test
 * (Psychometrika, 1947), which looks at nothing but the images that one alone gets right.
 *
 * With b images that only the first gets right and c that only the second does, chance gives
 * each of them to either with probability 1/2.  Below MCNEMAR_EXACT such images p is that of
 * the binomial distribution, two-sided: min(1, 2 P(X <= min(b, c))), X ~ B(b + c, 1/2).
 * From there on it is that of (|b - c| - 1)^2 / (b + c), with Edwards's continuity
 * correction (Psychometrika, 1948), which is nearly chi-squared distributed with one degree
 * of freedom: p = erfc(sqrt(statistic / 2)). */
#ifndef REPORTS_MCNEMAR_H
#define REPORTS_MCNEMAR_H

#include <stdbool.h>
#include <stdint.h>

enum { MCNEMAR_EXACT = 25 };

struct mcnemar {
    int64_t only_first, only_second;
    bool exact;
    double statistic; /* 0 where exact */
    double p;         /* how often chance alone gives so large a difference, or a larger one */
};

struct mcnemar mcnemar_test(int64_t only_first, int64_t only_second);

#endif
