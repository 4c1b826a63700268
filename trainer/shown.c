#include "trainer/shown.h"

#include <stdlib.h>

struct mistake {
    size_t image;
    float probability; /* of the class that it was taken for */
};

/* The surest first; of equals, the first image. */
static int by_probability(const void *left, const void *right)
{
    const struct mistake *a = left, *b = right;
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    return a->image < b->image ? -1 : a->image > b->image;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void choose_mistakes(const struct evaluation *evaluation, const uint16_t *labels,
                            size_t most, bool *shown)
{
    struct mistake *mistakes = xcalloc(evaluation->count, sizeof *mistakes);
    size_t count = 0;
    for (size_t i = 0; i < evaluation->count; i++) {
        uint16_t predicted = evaluation->predicted[i];
        if (predicted != labels[i])
            mistakes[count++] = (struct mistake){
                i, evaluation->probabilities[i * (size_t)evaluation->classes + predicted]};
    }
    qsort(mistakes, count, sizeof *mistakes, by_probability);
    for (size_t i = 0; i < smaller(count, most); i++)
        shown[mistakes[i].image] = true;
    free(mistakes);
}

static void choose_right(const struct evaluation *evaluation, const uint16_t *labels, size_t most,
                         bool *shown)
{
    int *of_class = xcalloc((size_t)evaluation->classes, sizeof *of_class);
    for (size_t i = 0; i < evaluation->count && most > 0; i++)
        if (evaluation->predicted[i] == labels[i] && of_class[labels[i]] < SHOWN_RIGHT_OF_CLASS) {
            of_class[labels[i]]++;
            shown[i] = true;
            most--;
        }
    free(of_class);
}

bool *shown_choose(const struct evaluation *evaluation, const uint16_t *labels,
                   size_t image_bytes)
{
    bool *shown = xcalloc(evaluation->count, sizeof *shown);
    if (image_bytes == 0 || image_bytes > SHOWN_IMAGE_BYTES)
        return shown;
    size_t fit = SHOWN_BYTES / image_bytes;
    choose_mistakes(evaluation, labels, smaller(SHOWN_MISTAKES, fit), shown);
    choose_right(evaluation, labels, smaller(SHOWN_RIGHT, fit), shown);
    return shown;
}
