/* Which classes are taken for which, the worst first.  Of two classes that are taken for each
 * other the more frequent way is told, the other one beside it. */
#ifndef REPORTS_CONFUSED_H
#define REPORTS_CONFUSED_H

#include "reports/metrics.h"

struct confused {
    int label, predicted;
    int64_t count;      /* images of `label` that were taken for `predicted` */
    int64_t other_way;  /* and images of `predicted` taken for `label` */
    double share;       /* of the images of `label` */
};

/* At most `most` pairs, by count, then by share, then by number; how many there are. */
size_t confused_find(const struct confusion *confusion, struct confused *pairs, size_t most);

/* A sentence: "4 is taken for 9 in 12 of 982 images (1.22 %), and 9 for 4 in 3." The caller
 * frees it. */
char *confused_text(const struct confused *pair, const struct metrics *metrics,
                    const char *const *names);

#endif
