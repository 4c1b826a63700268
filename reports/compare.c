#include "reports/compare.h"

#include "reports/format.h"
#include "reports/json_parts.h"

#include <stdlib.h>
#include <string.h>

/* Where chance alone would do as much less often than this, one is called the better. */
static const double significance = 0.05;
static const double p_least = 1e-99; /* of which smaller ones are not told apart; 0 is none */

/* ---- reading ---- */

/* The first thing in which the two test sets differ; NULL: they are the same. */
static char *find_obstacle(const struct report_data *first, const struct report_data *second)
{
    const struct report_predictions *a = &first->predictions, *b = &second->predictions;
    if (a->count != b->count)
        return xasprintf("their test sets have %zu and %zu images", a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        if (a->images[i] != b->images[i])
            return xasprintf("image %lld is in one test set alone",
                             (long long)(a->images[i] < b->images[i] ? a->images[i]
                                                                     : b->images[i]));
        if (a->labels[i] != b->labels[i])
            return xasprintf("test image %lld is of class %d in one and of class %d in the other",
                             (long long)a->images[i], a->labels[i], b->labels[i]);
    }
    return NULL;
}

static struct mcnemar compare_images(const struct report_data *first,
                                     const struct report_data *second)
{
    const struct report_predictions *a = &first->predictions, *b = &second->predictions;
    int64_t only_first = 0, only_second = 0;
    for (size_t i = 0; i < a->count; i++) {
        bool right = a->predicted[i] == a->labels[i], other = b->predicted[i] == b->labels[i];
        only_first += right && !other;
        only_second += other && !right;
    }
    return mcnemar_test(only_first, only_second);
}

static void compare_pairs(struct compare *compare)
{
    compare->pairs = xcalloc(compare->count * compare->count, sizeof *compare->pairs);
    for (size_t i = 0; i < compare->count; i++)
        for (size_t k = i + 1; k < compare->count; k++) {
            const struct report_data *first = &compare->studies[i];
            const struct report_data *second = &compare->studies[k];
            struct compare_pair *pair = &compare->pairs[compare->pair_count++];
            *pair = (struct compare_pair){.first = i, .second = k};
            pair->obstacle = find_obstacle(first, second);
            if (!pair->obstacle)
                pair->test = compare_images(first, second);
        }
}

/* The names as the database has them. */
static int check_different(const struct compare *compare, struct failure *why)
{
    for (size_t i = 0; i < compare->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(compare->studies[i].name, compare->studies[k].name) == 0)
                return fail_input(why, "the study %s is named twice; name different ones",
                                  compare->studies[i].name);
    return 0;
}

int compare_read(struct store *store, const char *const *names, size_t count,
                 struct compare *compare, struct failure *why)
{
    *compare = (struct compare){0};
    if (store_begin_reading(store, why) != 0)
        return -1;
    compare->studies = xcalloc(count, sizeof(struct report_data));
    int result = 0;
    while (result == 0 && compare->count < count) {
        result = report_data_read(store, names[compare->count],
                                  &compare->studies[compare->count], why);
        compare->count += result == 0;
    }
    store_end_reading(store);
    if (result == 0)
        result = check_different(compare, why);
    if (result == 0)
        compare_pairs(compare);
    else
        compare_release(compare);
    return result;
}

void compare_release(struct compare *compare)
{
    for (size_t i = 0; i < compare->count; i++)
        report_data_release(&compare->studies[i]);
    for (size_t i = 0; i < compare->pair_count; i++)
        free(compare->pairs[i].obstacle);
    free(compare->studies);
    free(compare->pairs);
    *compare = (struct compare){0};
}

/* ---- what it means ---- */

char *compare_sentence(const struct compare *compare, const struct compare_pair *pair)
{
    const char *first = compare->studies[pair->first].name;
    const char *second = compare->studies[pair->second].name;
    const struct mcnemar *test = &pair->test;
    bool swapped = test->only_second > test->only_first;
    const char *better = swapped ? second : first, *worse = swapped ? first : second;
    if (pair->obstacle)
        return xasprintf("%s and %s cannot be compared image by image: %s.", first, second,
                         pair->obstacle);
    if (test->only_first + test->only_second == 0)
        return xasprintf("%s and %s get the same images right.", first, second);
    char *more = format_count(swapped ? test->only_second : test->only_first);
    char *fewer = format_count(swapped ? test->only_first : test->only_second);
    const char *method = test->exact ? "exact" : "chi-squared";
    char *p = test->p < p_least ? xasprintf("p < %.0g", p_least) : xasprintf("p = %.2g", test->p);
    char *text =
        test->p < significance
            ? xasprintf("%s is better than %s: it alone gets %s images right, %s alone %s "
                        "(%s, %s).", better, worse, more, worse, fewer, p, method)
            : xasprintf("Between %s and %s the difference may well be chance: %s alone gets %s "
                        "images right, %s alone %s (%s, %s).", first, second, better, more, worse,
                        fewer, p, method);
    free(p);
    free(more);
    free(fewer);
    return text;
}

/* ---- for programs ---- */

static json_t *study_json(const struct report_data *data)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:i, s:i, s:o, s:o, s:o}",
                     "name", data->name, "metric", data->metric, "value",
                     json_number(data->winner_value), "sampler", data->sampler, "scheduler",
                     data->scheduler, "trials", (json_int_t)data->trial_count, "failed",
                     (json_int_t)data->trials_failed, "epochs", (json_int_t)data->epochs_run,
                     "seconds", json_number(data->seconds), "training_seconds",
                     json_number(data->training_seconds), "winner", data->winner,
                     "winner_epochs", data->winner_epochs, "parameters",
                     json_copy_of(data->parameters), "test", json_test(data), "curve",
                     json_curve(report_winner_curve(data)));
}

static json_t *pair_json(const struct compare *compare, const struct compare_pair *pair)
{
    json_t *object = json_pack("{s:s, s:s}", "first", compare->studies[pair->first].name, "second",
                               compare->studies[pair->second].name);
    if (pair->obstacle)
        json_object_set_new(object, "obstacle", json_string(pair->obstacle));
    else
        json_object_update_new(object, json_pack(
            "{s:I, s:I, s:s, s:f, s:f, s:n}", "only_first", (json_int_t)pair->test.only_first,
            "only_second", (json_int_t)pair->test.only_second, "method",
            pair->test.exact ? "exact" : "chi-squared", "statistic", pair->test.statistic, "p",
            pair->test.p, "obstacle"));
    return object;
}

json_t *compare_json(const struct compare *compare)
{
    json_t *studies = json_array(), *pairs = json_array();
    for (size_t i = 0; i < compare->count; i++)
        json_array_append_new(studies, study_json(&compare->studies[i]));
    for (size_t i = 0; i < compare->pair_count; i++)
        json_array_append_new(pairs, pair_json(compare, &compare->pairs[i]));
    return json_pack("{s:o, s:o}", "studies", studies, "pairs", pairs);
}
