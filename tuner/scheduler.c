#include "tuner/scheduler.h"

#include "tuner/heap.h"

#include <stdio.h>
#include <stdlib.h>

struct bracket {
    const struct bracket_plan *plan;
    struct rung rungs[PLAN_RUNGS_MAX];
};

/* A decision that waits to be taken, its reason not yet in words. */
struct certainty {
    int trial, bracket, rung;
    enum verdict verdict;
    int rank;
    int open; /* places of the rung that had not ended then */
};

struct scheduler {
    struct plan plan;
    struct bracket brackets[PLAN_BRACKETS_MAX];
    int open_rungs; /* rungs with a place that has not ended */
    int next_trial; /* none before it is new */
    int end_trial;  /* this one and all after it are never proposed */

    /* Segments of promoted trials; one that has begun meanwhile (replay) is skipped
     * when it is taken. */
    struct heap promotions;

    struct certainty *certainties; /* [certainty_count], the first `taken` gone */
    size_t taken, certainty_count, certainty_capacity;
};

struct scheduler *scheduler_new(const struct plan *plan, bool maximize)
{
    struct scheduler *scheduler = xcalloc(1, sizeof(*scheduler));

    scheduler->plan = *plan;
    scheduler->end_trial = plan->trials;
    for (int b = 0; b < plan->bracket_count; b++) {
        struct bracket *bracket = &scheduler->brackets[b];

        bracket->plan = &scheduler->plan.brackets[b];
        for (int i = 0; i < bracket->plan->rung_count; i++)
            rung_init(&bracket->rungs[i], &bracket->plan->rungs[i],
                      i == bracket->plan->rung_count - 1, bracket->plan->rungs[0].places,
                      maximize);
        scheduler->open_rungs += bracket->plan->rung_count;
    }
    return scheduler;
}

void scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    for (int b = 0; b < scheduler->plan.bracket_count; b++)
        for (int i = 0; i < scheduler->plan.brackets[b].rung_count; i++)
            rung_release(&scheduler->brackets[b].rungs[i]);
    heap_free(&scheduler->promotions);
    free(scheduler->certainties);
    free(scheduler);
}

/* The bracket's index that holds a trial. */
static int bracket_of(const struct scheduler *scheduler, int trial)
{
    int b = scheduler->plan.bracket_count - 1;

    while (b > 0 && trial < scheduler->plan.brackets[b].first_trial)
        b--;
    return b;
}

static int member_of(const struct bracket *bracket, int trial)
{
    return trial - bracket->plan->first_trial;
}

/* Whether the plan has such a segment. */
static bool exists(const struct scheduler *scheduler, int trial, int rung)
{
    return trial >= 0 && trial < scheduler->end_trial && rung >= 0 &&
           rung < scheduler->plan.brackets[bracket_of(scheduler, trial)].rung_count;
}

static unsigned char *state_of(struct scheduler *scheduler, int trial, int rung)
{
    struct bracket *bracket = &scheduler->brackets[bracket_of(scheduler, trial)];

    return &bracket->rungs[rung].states[member_of(bracket, trial)];
}

/* ---- What is certain ---- */

static void add_certainty(struct scheduler *scheduler, const struct certainty *certainty)
{
    if (scheduler->certainty_count == scheduler->certainty_capacity) {
        scheduler->certainty_capacity = scheduler->certainty_capacity * 2 + 16;
        scheduler->certainties = xreallocarray(scheduler->certainties,
                                               scheduler->certainty_capacity,
                                               sizeof(*scheduler->certainties));
    }
    scheduler->certainties[scheduler->certainty_count++] = *certainty;
}

/* The heap's order is that of scheduler_next(): deepest rung first, then by trial. */
static void add_promotion(struct scheduler *scheduler, int trial, int rung)
{
    if (*state_of(scheduler, trial, rung) == PLACE_EMPTY)
        heap_push(&scheduler->promotions,
                  (uint64_t)(PLAN_RUNGS_MAX - rung) << 32 | (uint32_t)trial);
}

static void take_verdicts(struct scheduler *scheduler, int b, int i)
{
    struct bracket *bracket = &scheduler->brackets[b];
    struct rung *rung = &bracket->rungs[i];
    struct certainty certainty = {.bracket = b, .rung = i, .open = rung_open(rung)};
    int member;

    while (rung_verdict(rung, &member, &certainty.verdict)) {
        certainty.trial = bracket->plan->first_trial + member;
        certainty.rank = ranking_of(&rung->ranking, member);
        add_certainty(scheduler, &certainty);
        if (certainty.verdict == VERDICT_PROMOTED)
            add_promotion(scheduler, certainty.trial, i + 1);
    }
}

/* Draws the conclusions from places of rung i that have ended just now, upwards: a
 * rung with too few good ones leaves places of the next one empty. */
static void conclude(struct scheduler *scheduler, int b, int i)
{
    struct bracket *bracket = &scheduler->brackets[b];

    for (;; i++) {
        struct rung *rung = &bracket->rungs[i];

        take_verdicts(scheduler, b, i);
        if (rung_open(rung) == 0)
            scheduler->open_rungs--;
        if (rung->last)
            return;
        int left = rung_shortfall(rung) - rung[1].unfilled;

        if (left <= 0 || rung_open(&rung[1]) == 0)
            return;
        rung_leave(&rung[1], left);
    }
}

void scheduler_ended(struct scheduler *scheduler, int trial, int rung, double value)
{
    if (!exists(scheduler, trial, rung))
        return;
    int b = bracket_of(scheduler, trial);
    struct bracket *bracket = &scheduler->brackets[b];
    int open = rung_open(&bracket->rungs[rung]);

    rung_end(&bracket->rungs[rung], member_of(bracket, trial), value);
    if (rung_open(&bracket->rungs[rung]) < open)
        conclude(scheduler, b, rung);
}

/* The places in rung 0 of one bracket that stay empty when the trials from `trial` on
 * are never proposed. */
static int vacate(struct scheduler *scheduler, struct bracket *bracket, int trial)
{
    int end = bracket->plan->first_trial + bracket->plan->rungs[0].places;
    int count = 0;

    if (trial < bracket->plan->first_trial)
        trial = bracket->plan->first_trial;
    if (end > scheduler->end_trial)
        end = scheduler->end_trial;
    for (; trial < end; trial++) {
        unsigned char *state = &bracket->rungs[0].states[member_of(bracket, trial)];

        if (*state >= PLACE_ENDED)
            continue;
        *state = PLACE_EMPTY;
        count++;
    }
    return count;
}

void scheduler_exhausted(struct scheduler *scheduler, int trial)
{
    if (trial < 0 || trial >= scheduler->end_trial)
        return;
    for (int b = 0; b < scheduler->plan.bracket_count; b++) {
        struct rung *rung = &scheduler->brackets[b].rungs[0];
        int count = vacate(scheduler, &scheduler->brackets[b], trial);

        if (count == 0)
            continue;
        rung_leave(rung, count);
        conclude(scheduler, b, 0);
    }
    scheduler->end_trial = trial;
}

int scheduler_rank(const struct scheduler *scheduler, int trial, int rung)
{
    if (!exists(scheduler, trial, rung))
        return 0;
    const struct bracket *bracket = &scheduler->brackets[bracket_of(scheduler, trial)];
    const struct rung *at = &bracket->rungs[rung];
    int member = member_of(bracket, trial);

    if (rung_open(at) > 0 || at->states[member] < PLACE_ENDED)
        return 0;
    return ranking_of(&at->ranking, member);
}

/* ---- What to do ---- */

void scheduler_begun(struct scheduler *scheduler, int trial, int rung)
{
    if (!exists(scheduler, trial, rung))
        return;
    unsigned char *state = state_of(scheduler, trial, rung);

    if (*state == PLACE_EMPTY)
        *state = PLACE_BEGUN;
}

static bool next_promotion(struct scheduler *scheduler, int *trial, int *rung)
{
    uint64_t key;

    while (heap_pop(&scheduler->promotions, &key)) {
        *trial = (int)(uint32_t)key;
        *rung = PLAN_RUNGS_MAX - (int)(key >> 32);
        if (*state_of(scheduler, *trial, *rung) == PLACE_EMPTY)
            return true;
    }
    return false;
}

static bool next_new(struct scheduler *scheduler, int *trial, int *rung)
{
    while (scheduler->next_trial < scheduler->end_trial &&
           *state_of(scheduler, scheduler->next_trial, 0) != PLACE_EMPTY)
        scheduler->next_trial++;
    *trial = scheduler->next_trial;
    *rung = 0;
    return *trial < scheduler->end_trial;
}

enum scheduler_answer scheduler_next(struct scheduler *scheduler, struct assignment *assignment)
{
    int trial, rung;

    if (!next_promotion(scheduler, &trial, &rung) && !next_new(scheduler, &trial, &rung))
        return scheduler->open_rungs == 0 ? SCHEDULER_FINISHED : SCHEDULER_WAIT;

    int b = bracket_of(scheduler, trial);
    const struct rung_plan *rungs = scheduler->plan.brackets[b].rungs;

    *state_of(scheduler, trial, rung) = PLACE_BEGUN;
    *assignment = (struct assignment){
        .trial = trial,
        .bracket = b,
        .rung = rung,
        .from_epoch = rung > 0 ? rungs[rung - 1].epochs : 0,
        .to_epoch = rungs[rung].epochs,
    };
    return SCHEDULER_RUN;
}

/* ---- Decisions in words ---- */

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_PROMOTED] = "promoted",
        [VERDICT_STOPPED] = "stopped",
        [VERDICT_COMPLETED] = "completed",
        [VERDICT_FAILED] = "failed",
    };

    return names[verdict];
}

static void explain(const struct certainty *certainty, const struct rung_plan *rung,
                    struct decision *decision)
{
    char *reason = decision->reason;
    size_t size = sizeof(decision->reason);

    if (certainty->verdict == VERDICT_FAILED)
        snprintf(reason, size, "ended without a finite value");
    else if (certainty->verdict == VERDICT_COMPLETED)
        snprintf(reason, size, "reached the end of its bracket");
    else if (certainty->verdict == VERDICT_STOPPED)
        snprintf(reason, size, "%d of %d rank better, and only the best %d go on",
                 certainty->rank - 1, rung->places, rung->keep);
    else if (certainty->open == 0)
        snprintf(reason, size, "among the best %d of %d", rung->keep, rung->places);
    else
        snprintf(reason, size, "among the best %d of %d whatever the %d not yet ended give",
                 rung->keep, rung->places, certainty->open);
}

bool scheduler_decision(struct scheduler *scheduler, struct decision *decision)
{
    if (scheduler->taken == scheduler->certainty_count) {
        scheduler->taken = 0;
        scheduler->certainty_count = 0;
        return false;
    }
    const struct certainty *next = &scheduler->certainties[scheduler->taken++];

    *decision = (struct decision){
        .trial = next->trial,
        .bracket = next->bracket,
        .rung = next->rung,
        .verdict = next->verdict,
        .rank = next->rank,
    };
    explain(next, &scheduler->plan.brackets[next->bracket].rungs[next->rung], decision);
    return true;
}
