/* Prints metrics_text() for predictions on stdin, for tests/test_report_text.py:
 *
 *   report_driver NAME...  < pairs of "label predicted", class numbers from 0 */
#include "common/base.h"
#include "reports/metrics.h"

#include <stdio.h>
#include <stdlib.h>

int main(int count, char *arguments[])
{
    int classes = count - 1, label, predicted;
    struct confusion confusion;
    struct metrics metrics;

    confusion_init(&confusion, classes);
    while (scanf("%d %d", &label, &predicted) == 2) {
        if (label < 0 || label >= classes || predicted < 0 || predicted >= classes) {
            fprintf(stderr, "report_driver: no such class in \"%d %d\"\n", label, predicted);
            return EXIT_BAD_INPUT;
        }
        confusion_add(&confusion, label, predicted);
    }
    metrics_compute(&confusion, &metrics);
    char *text = metrics_text(&metrics, classes, (const char *const *)arguments + 1);
    fputs(text, stdout);
    free(text);
    metrics_release(&metrics);
    confusion_release(&confusion);
    return EXIT_DONE;
}
