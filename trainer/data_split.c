#include "trainer/data_split.h"

#include "common/rng.h"

#include <stdlib.h>

/* The training images of each class, one class after another. */
struct classes {
    uint32_t *images;   /* [count] */
    size_t *counts;     /* [classes]: how many of each there are */
    size_t *validation; /* [classes]: how many of them validate */
    size_t *train;      /* [classes]: how many train */
};

static void add_remainders(const size_t *counts, int classes, size_t wanted, size_t total,
                           size_t left, size_t *shares)
{
    while (left > 0) {
        int best = -1;
        size_t best_remainder = 0;
        for (int i = 0; i < classes; i++) {
            /* A class that got its extra image already has counts * wanted below shares * total. */
            size_t exact = counts[i] * wanted;
            size_t given = shares[i] * total;
            if (exact > given && exact - given > best_remainder) {
                best = i;
                best_remainder = exact - given;
            }
        }
        shares[best]++;
        left--;
    }
}

void data_split_shares(const size_t *counts, int classes, size_t wanted, size_t *shares)
{
    size_t total = 0;
    for (int i = 0; i < classes; i++)
        total += counts[i];

    size_t left = wanted;
    for (int i = 0; i < classes; i++) {
        shares[i] = total > 0 ? counts[i] * wanted / total : 0;
        left -= shares[i];
    }
    add_remainders(counts, classes, wanted, total, left, shares);
}

static void group_by_class(const struct dataset *dataset, uint64_t seed, struct classes *classes)
{
    const struct image_set *set = &dataset->training;
    size_t *next = xcalloc((size_t)dataset->classes, sizeof *next);
    for (size_t i = 0; i < set->count; i++)
        classes->counts[set->labels[i]]++;
    for (int c = 1; c < dataset->classes; c++)
        next[c] = next[c - 1] + classes->counts[c - 1];
    for (size_t i = 0; i < set->count; i++)
        classes->images[next[set->labels[i]]++] = (uint32_t)i;
    for (int c = 0; c < dataset->classes; c++) {
        struct rng rng;
        rng_init(&rng, seed, 0, RNG_SUBSET, (uint64_t)c);
        rng_shuffle(&rng, classes->images + next[c] - classes->counts[c], classes->counts[c]);
    }
    free(next);
}

static void choose_counts(const struct dataset *dataset, const struct split_settings *settings,
                          struct classes *classes)
{
    size_t *rest = xcalloc((size_t)dataset->classes, sizeof *rest);
    size_t rest_count = dataset->training.count - settings->validation;
    data_split_shares(classes->counts, dataset->classes, settings->validation,
                      classes->validation);
    for (int c = 0; c < dataset->classes; c++)
        rest[c] = classes->counts[c] - classes->validation[c];
    data_split_shares(rest, dataset->classes,
                      settings->train == SPLIT_ALL ? rest_count : settings->train,
                      classes->train);
    free(rest);
}

enum role { UNUSED, TRAINS, VALIDATES };

/* What each image of the training files is for. */
static void assign_roles(const struct dataset *dataset, const struct split_settings *settings,
                         const struct classes *classes, uint8_t *roles)
{
    const uint32_t *images = classes->images;
    enum role held_out = settings->join_validation ? TRAINS : VALIDATES;
    for (int c = 0; c < dataset->classes; c++) {
        size_t held = classes->validation[c], used = held + classes->train[c];
        for (size_t i = 0; i < used; i++)
            roles[images[i]] = (uint8_t)(i < held ? held_out : TRAINS);
        images += classes->counts[c];
    }
}

static void fill_indices(struct dataset *dataset, const struct split_settings *settings,
                         const struct classes *classes)
{
    uint8_t *roles = xcalloc(dataset->training.count, sizeof *roles);
    assign_roles(dataset, settings, classes, roles);
    for (uint32_t i = 0; i < dataset->training.count; i++) {
        if (roles[i] == TRAINS)
            dataset->train_index[dataset->train_count++] = i;
        else if (roles[i] == VALIDATES)
            dataset->validation_index[dataset->validation_count++] = i;
    }
    free(roles);
}

static int check_counts(const struct dataset *dataset, const struct split_settings *settings,
                        struct failure *why)
{
    size_t count = dataset->training.count;
    if (settings->validation >= count)
        return fail_at(why, "data.validation",
                       "%zu images are to be held out for validation, but there are only %zu "
                       "training images; hold out fewer", settings->validation, count);
    size_t rest = count - settings->validation;
    if (settings->train != SPLIT_ALL && settings->train > rest)
        return fail_at(why, "data.train",
                       "%zu images are to be trained on, but of %zu only %zu are left after "
                       "those for validation; say `all` or a smaller number",
                       settings->train, count, rest);
    return 0;
}

int data_split(struct dataset *dataset, const struct split_settings *settings,
               struct failure *why)
{
    if (check_counts(dataset, settings, why) != 0)
        return -1;
    size_t count = dataset->training.count, class_count = (size_t)dataset->classes;
    struct classes classes = {
        xcalloc(count, sizeof(uint32_t)), xcalloc(class_count, sizeof(size_t)),
        xcalloc(class_count, sizeof(size_t)), xcalloc(class_count, sizeof(size_t))};
    dataset->train_index = xcalloc(count, sizeof(uint32_t));
    dataset->validation_index = xcalloc(count, sizeof(uint32_t));

    group_by_class(dataset, settings->seed, &classes);
    choose_counts(dataset, settings, &classes);
    fill_indices(dataset, settings, &classes);

    free(classes.images);
    free(classes.counts);
    free(classes.validation);
    free(classes.train);
    return 0;
}
