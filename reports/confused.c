#include "reports/confused.h"

#include "common/base.h"
#include "common/text.h"
#include "reports/format.h"

#include <stdlib.h>

static int worst_first(const void *left, const void *right)
{
    const struct confused *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    if (a->share != b->share)
        return a->share < b->share ? 1 : -1;
    if (a->label != b->label)
        return a->label - b->label;
    return a->predicted - b->predicted;
}

/* Whether the pair is told the other way round. */
static bool is_lesser_half(const struct confused *pair)
{
    return pair->count < pair->other_way ||
           (pair->count == pair->other_way && pair->label > pair->predicted);
}

static int64_t row_total(const struct confusion *confusion, int label)
{
    int64_t total = 0;
    for (int i = 0; i < confusion->classes; i++)
        total += confusion_at(confusion, label, i);
    return total;
}

/* Keeps the list sorted, its last pair leaving when it is full. */
static size_t insert(struct confused *pairs, size_t count, size_t most, struct confused pair)
{
    if (count < most)
        count++;
    else if (most == 0 || worst_first(&pair, &pairs[most - 1]) > 0)
        return count;
    size_t place = count - 1;
    for (; place > 0 && worst_first(&pair, &pairs[place - 1]) < 0; place--)
        pairs[place] = pairs[place - 1];
    pairs[place] = pair;
    return count;
}

size_t confused_find(const struct confusion *confusion, struct confused *pairs, size_t most)
{
    size_t found = 0;
    for (int label = 0; label < confusion->classes; label++) {
        int64_t total = row_total(confusion, label);
        for (int predicted = 0; predicted < confusion->classes; predicted++) {
            struct confused pair = {label, predicted, confusion_at(confusion, label, predicted),
                                    confusion_at(confusion, predicted, label), 0.0};
            if (label == predicted || pair.count == 0 || is_lesser_half(&pair))
                continue;
            pair.share = (double)pair.count / (double)total;
            found = insert(pairs, found, most, pair);
        }
    }
    return found;
}

char *confused_text(const struct confused *pair, const struct metrics *metrics,
                    const char *const *names)
{
    const char *label = names[pair->label], *predicted = names[pair->predicted];
    char *count = format_count(pair->count);
    char *total = format_count(metrics->per_class[pair->label].support);
    char *share = format_percent(pair->share), *other = format_count(pair->other_way);
    struct text text = TEXT_EMPTY;
    text_addf(&text, "%s is taken for %s in %s of %s images (%s)", label, predicted, count, total,
              share);
    if (pair->other_way > 0)
        text_addf(&text, ", and %s for %s in %s", predicted, label, other);
    text_add_char(&text, '.');
    free(count);
    free(total);
    free(share);
    free(other);
    return text_take(&text);
}
