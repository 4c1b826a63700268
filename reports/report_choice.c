#include "reports/report_read.h"

#include "common/json_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is looked at of each trial, listed or not. */
struct candidate {
    int number;
    double value;     /* NaN: none */
    int64_t ended_ms; /* 0: not known */
    bool chosen;
};

struct candidates {
    struct report_data *data;
    struct candidate *at; /* [count], by number */
    size_t count, capacity;
};

/* ---- all trials, once over ---- */

static void add_arithmetic(json_t *known, const char *arithmetic)
{
    size_t index;
    json_t *one;
    if (!arithmetic || !*arithmetic)
        return;
    json_array_foreach(known, index, one)
        if (strcmp(json_string_value(one), arithmetic) == 0)
            return;
    json_array_append_new(known, json_string(arithmetic));
}

static void add_candidate(void *context, const json_t *row)
{
    struct candidates *all = context;
    if (all->count == all->capacity) {
        all->capacity = 2 * all->capacity + 64;
        all->at = xreallocarray(all->at, all->capacity, sizeof *all->at);
    }
    all->at[all->count++] = (struct candidate){.number = row_integer(row, "trial", 0),
                                               .value = row_real(row, "value"),
                                               .ended_ms = row_time(row, "ended_ms")};
    add_arithmetic(all->data->arithmetics,
                   json_string_value(json_object_get(row, "arithmetic")));
}

static int read_candidates(struct store *store, struct candidates *all, struct failure *why)
{
    json_t *arguments = json_pack("[s]", all->data->name);
    int result = store_each_row(store, "SELECT trial, value, ended_ms, arithmetic FROM trials "
                                       "WHERE study = ?1 ORDER BY trial",
                                arguments, add_candidate, all, why);
    json_decref(arguments);
    return result;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* As docs/report_json.md has "spread". */
static void find_spread(struct report_data *data, const struct candidates *all)
{
    double *values = xcalloc(all->count, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (!isnan(all->at[i].value))
            values[count++] = data->maximize ? all->at[i].value : -all->at[i].value;
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i <= REPORT_SPREAD; i++) {
        size_t place = count * i / REPORT_SPREAD;
        double value = count == 0 ? (double)NAN : values[place < count ? place : count - 1];
        data->spread[i] = data->maximize ? value : -value;
    }
    free(values);
}

/* ---- the choice ---- */

static void choose_evenly(struct candidates *all)
{
    for (size_t i = 0; i < REPORT_TRIALS_MOST; i++)
        all->at[i * all->count / REPORT_TRIALS_MOST].chosen = true;
}

static int by_number(const void *left, const void *right)
{
    return *(const int *)left - ((const struct candidate *)right)->number;
}

static void choose_number(struct candidates *all, int number)
{
    struct candidate *found = bsearch(&number, all->at, all->count, sizeof *all->at, by_number);
    if (found)
        found->chosen = true;
}

static int by_end(const void *left, const void *right)
{
    const struct candidate *a = *(struct candidate *const *)left;
    const struct candidate *b = *(struct candidate *const *)right;
    if (a->ended_ms != b->ended_ms)
        return a->ended_ms < b->ended_ms ? -1 : 1;
    return a->number - b->number;
}

/* The steps of the best value over time, and the end of it; of very many steps an even choice. */
static void choose_steps(struct candidates *all)
{
    struct candidate **order = xcalloc(all->count, sizeof *order), **steps;
    double best = (double)NAN;
    size_t ended = 0, count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].ended_ms != 0 && !isnan(all->at[i].value))
            order[ended++] = &all->at[i];
    qsort(order, ended, sizeof(struct candidate *), by_end);
    if (ended > 0)
        order[ended - 1]->chosen = true;
    steps = order; /* written behind what is read */
    for (size_t i = 0; i < ended; i++) {
        double value = order[i]->value;
        if (isnan(best) || (all->data->maximize ? value > best : value < best)) {
            best = value;
            steps[count++] = order[i];
        }
    }
    for (size_t i = 0; i < count && i < REPORT_TRIALS_MOST; i++)
        steps[count <= REPORT_TRIALS_MOST ? i : i * count / REPORT_TRIALS_MOST]->chosen = true;
    free(order);
}

static int choose_best(struct store *store, struct candidates *all, struct failure *why)
{
    json_t *rows = report_rows(store, "SELECT trial FROM leaderboard WHERE study = ?1 LIMIT 100",
                               all->data->name, why);
    size_t index;
    json_t *row;
    if (!rows)
        return -1;
    json_array_foreach(rows, index, row)
        choose_number(all, row_integer(row, "trial", -1));
    json_decref(rows);
    return 0;
}

static char *chosen_numbers(const struct candidates *all)
{
    json_t *numbers = json_array();
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].chosen || all->count <= REPORT_TRIALS_MOST)
            json_array_append_new(numbers, json_integer(all->at[i].number));
    char *text = json_text(numbers);
    json_decref(numbers);
    return text;
}

char *report_choose(struct store *store, struct report_data *data, struct failure *why)
{
    struct candidates all = {.data = data};
    char *numbers = NULL;
    data->arithmetics = json_array();
    if (read_candidates(store, &all, why) == 0) {
        data->trial_count = all.count;
        find_spread(data, &all);
        if (all.count <= REPORT_TRIALS_MOST) {
            numbers = chosen_numbers(&all);
        } else if (choose_best(store, &all, why) == 0) {
            choose_evenly(&all);
            choose_steps(&all);
            choose_number(&all, data->winner);
            numbers = chosen_numbers(&all);
        }
    }
    free(all.at);
    return numbers;
}
