/* Studies side by side: what each found, at what cost, and whether the difference on the
 * test set means anything. */
#ifndef REPORTS_COMPARE_H
#define REPORTS_COMPARE_H

#include "common/text.h"
#include "reports/mcnemar.h"
#include "reports/report_data.h"

struct compare_pair {
    size_t first, second;  /* of the studies */
    struct mcnemar test;   /* without meaning when they cannot be compared */
    char *obstacle;        /* why the two test sets are not the same, or NULL */
};

struct compare {
    struct report_data *studies; /* [count] */
    size_t count;
    struct compare_pair *pairs;  /* [pair_count], each two once */
    size_t pair_count;
};

/* Reads at least two different studies, each with its final evaluation.  Two are compared image
 * by image, known by number; not when their test sets differ in size or in a label. */
int compare_read(struct store *store, const char *const *names, size_t count,
                 struct compare *compare, struct failure *why);
void compare_release(struct compare *compare);

/* For people, in columns. */
void compare_text(struct text *text, const struct compare *compare);
/* {"studies": [...], "pairs": [{"first", "second", "only_first", "only_second", "method",
 * "statistic", "p", "obstacle"}]}, a new reference. */
json_t *compare_json(const struct compare *compare);
/* A page that needs nothing but itself. */
void compare_html(struct text *text, const struct compare *compare);

/* What a pair's test says, as a sentence; the caller frees it. */
char *compare_sentence(const struct compare *compare, const struct compare_pair *pair);

#endif
