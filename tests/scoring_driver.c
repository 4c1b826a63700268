/* Prints what reports/scoring.h and reports/mcnemar.h compute, for tests/test_scoring.py:
 *
 *   scoring_driver CLASSES  < lines of "label predicted p0 p1 ..."
 *   scoring_driver mcnemar  < pairs of "only_first only_second" */
#include "common/base.h"
#include "reports/mcnemar.h"
#include "reports/scoring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_scoring(int classes)
{
    struct scoring scoring = {0};
    double *probabilities = xcalloc((size_t)classes, sizeof *probabilities);
    int label, predicted;
    while (scanf("%d %d", &label, &predicted) == 2) {
        for (int i = 0; i < classes; i++)
            if (scanf("%lf", &probabilities[i]) != 1)
                exit(EXIT_BAD_INPUT);
        scoring_add(&scoring, probabilities, classes, label, predicted);
    }
    scoring_finish(&scoring);
    printf("%.17g %.17g %.17g", scoring.log_loss, scoring.brier, scoring.ece);
    for (int i = 0; i < SCORING_TOPS; i++)
        printf(" %.17g", scoring.top[i]);
    for (int i = 0; i < SCORING_BINS; i++)
        printf(" %lld %.17g %.17g", (long long)scoring.bins[i].count, scoring.bins[i].confidence,
               scoring.bins[i].accuracy);
    putchar('\n');
    free(probabilities);
}

static void print_mcnemar(void)
{
    long long first, second;
    while (scanf("%lld %lld", &first, &second) == 2) {
        const struct mcnemar test = mcnemar_test(first, second);
        printf("%d %.17g %.17g\n", test.exact, test.statistic, test.p);
    }
}

int main(int count, char *arguments[])
{
    if (count != 2)
        return EXIT_BAD_USAGE;
    if (strcmp(arguments[1], "mcnemar") == 0)
        print_mcnemar();
    else
        print_scoring(atoi(arguments[1]));
    return EXIT_DONE;
}
