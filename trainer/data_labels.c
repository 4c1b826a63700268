#include "trainer/data_labels.h"

#include "common/rng.h"
#include "trainer/data_split.h"

#include <stdlib.h>
#include <string.h>

/* ---- Checking ---- */

/* The number of classes is the largest training label + 1.  A class between the
 * smallest and the largest label that has no image is taken for damage: one wrong
 * byte would otherwise pass as a data set of hundreds of classes. */
static int count_classes(const char *file, const struct image_set *set, int *classes,
                         struct failure *why)
{
    size_t last[DATA_CLASSES_MOST]; /* an image with the label; `count` where there is none */
    int largest = 0, smallest = DATA_CLASSES_MOST;
    for (int label = 0; label < DATA_CLASSES_MOST; label++)
        last[label] = set->count;
    for (size_t i = 0; i < set->count; i++) {
        int label = set->labels[i];
        if (label >= DATA_CLASSES_MOST)
            return fail_input(why, "%s: label %d of image %zu is out of range: the largest can be "
                              "%d", file, label, i, DATA_CLASSES_MOST - 1);
        last[label] = i;
        largest = label > largest ? label : largest;
        smallest = label < smallest ? label : smallest;
    }
    for (int label = smallest; label < largest; label++) {
        if (last[label] == set->count)
            return fail_input(why, "%s: label %d of image %zu is out of range: no image has label "
                              "%d; classes are counted from 0 without a gap",
                              file, largest, last[largest], label);
    }
    *classes = largest < 1 ? 2 : largest + 1;
    return 0;
}

int data_labels_check(const char *file, const struct image_set *set, int *classes,
                      struct failure *why)
{
    if (*classes == 0)
        return count_classes(file, set, classes, why);
    for (size_t i = 0; i < set->count; i++) {
        if (set->labels[i] >= *classes)
            return fail_input(why, "%s: label %d of image %zu is out of range: the training "
                              "labels go from 0 to %d", file, set->labels[i], i, *classes - 1);
    }
    return 0;
}

/* ---- Holding out ---- */

enum { TEST_TRIAL = 1 }; /* validation is drawn from trial 0 of the same purpose */

/* Marks with 1 what the test set takes of a class. */
static void mark_class(const struct image_set *set, int class, size_t count, size_t share,
                       uint64_t seed, uint8_t *held)
{
    uint32_t *images = xcalloc(count + 1, sizeof *images);
    size_t found = 0;
    struct rng rng;
    for (size_t i = 0; i < set->count; i++) {
        if (set->labels[i] == class)
            images[found++] = (uint32_t)i;
    }
    rng_init(&rng, seed, TEST_TRIAL, RNG_SUBSET, (uint64_t)class);
    rng_shuffle(&rng, images, count);
    for (size_t i = 0; i < share; i++)
        held[images[i]] = 1;
    free(images);
}

static void mark_held(const struct dataset *dataset, size_t wanted, uint64_t seed, uint8_t *held)
{
    const struct image_set *set = &dataset->training;
    size_t *counts = xcalloc((size_t)dataset->classes, sizeof *counts);
    size_t *shares = xcalloc((size_t)dataset->classes, sizeof *shares);
    for (size_t i = 0; i < set->count; i++)
        counts[set->labels[i]]++;
    data_split_shares(counts, dataset->classes, wanted, shares);
    for (int class = 0; class < dataset->classes; class++)
        mark_class(set, class, counts[class], shares[class], seed, held);
    free(shares);
    free(counts);
}

/* Moves the marked images to the test set and closes the gaps that they leave. */
static void move_held(struct dataset *dataset, const uint8_t *held)
{
    struct image_set *from = &dataset->training;
    size_t size = (size_t)(dataset->height * dataset->width * dataset->channels), kept = 0;
    for (size_t i = 0; i < from->count; i++) {
        struct image_set *to = held[i] ? &dataset->test : from;
        size_t *place = held[i] ? &dataset->test.count : &kept;
        memmove(to->pixels + *place * size, from->pixels + i * size, size);
        to->labels[(*place)++] = from->labels[i];
    }
    from->count = kept;
}

int data_hold_out_test(const char *file, struct dataset *dataset, uint64_t seed,
                       struct failure *why)
{
    size_t count = dataset->training.count, wanted = count / 10;
    size_t size = (size_t)(dataset->height * dataset->width * dataset->channels);
    if (wanted == 0)
        return fail_input(why, "%s: a tenth of the images is held out as the test set, but there "
                          "are only %zu; give at least 10", file, count);
    uint8_t *held = xcalloc(count, 1);
    dataset->test.pixels = xreallocarray(NULL, wanted, size);
    dataset->test.labels = xreallocarray(NULL, wanted, sizeof *dataset->test.labels);
    mark_held(dataset, wanted, seed, held);
    move_held(dataset, held);
    free(held);
    return 0;
}
