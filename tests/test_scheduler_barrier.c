/* Whatever the workers, the order and the failures: the scheduler against successive
 * halving with a barrier, written independently here. */
#include "tuner/scheduler.h"

#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NO_VERDICT = -1, EXHAUSTED = -1 };

/* ---- A search whose outcome is laid down beforehand ---- */

/* What happened to a trial in a rung, or should have. */
struct outcome {
    int verdict; /* enum verdict or NO_VERDICT: the trial never was there */
    int rank;
};

struct world {
    struct plan plan;
    bool maximize;
    int end;            /* trials from this one on do not exist: the space is used up */
    double *values;     /* [trials][PLAN_RUNGS_MAX], not finite: fails */
    struct outcome *expected; /* [trials][PLAN_RUNGS_MAX], by a barrier */
};

static int cell(int trial, int rung)
{
    return trial * PLAN_RUNGS_MAX + rung;
}

static struct outcome *outcomes_new(int trials)
{
    struct outcome *outcomes = xcalloc((size_t)trials * PLAN_RUNGS_MAX, sizeof(*outcomes));

    for (int i = 0; i < trials * PLAN_RUNGS_MAX; i++)
        outcomes[i].verdict = NO_VERDICT;
    return outcomes;
}

static const struct world *sorted_world; /* for the comparison, which has no context */
static int sorted_rung;

static int compare_trials(const void *a, const void *b)
{
    int trial_a = *(const int *)a, trial_b = *(const int *)b;
    double value_a = sorted_world->values[cell(trial_a, sorted_rung)];
    double value_b = sorted_world->values[cell(trial_b, sorted_rung)];

    if (!isfinite(value_a) != !isfinite(value_b))
        return isfinite(value_a) ? -1 : 1;
    if (isfinite(value_a) && value_a != value_b)
        return (value_a > value_b) == sorted_world->maximize ? -1 : 1;
    return trial_a < trial_b ? -1 : 1;
}

/* Successive halving as the textbook has it: train the whole rung, sort it, cut it. */
static void expect_by_barrier(struct world *world, const struct bracket_plan *bracket)
{
    int *trials = xmalloc(sizeof(int) * (size_t)bracket->rungs[0].places), count = 0;

    for (int i = 0; i < bracket->rungs[0].places; i++)
        if (bracket->first_trial + i < world->end)
            trials[count++] = bracket->first_trial + i;
    for (int rung = 0; rung < bracket->rung_count; rung++) {
        bool last = rung == bracket->rung_count - 1;
        int kept = 0;

        sorted_world = world;
        sorted_rung = rung;
        if (count > 0)
            qsort(trials, (size_t)count, sizeof(int), compare_trials);
        for (int i = 0; i < count; i++) {
            bool failed = !isfinite(world->values[cell(trials[i], rung)]);
            bool keep = !failed && i < bracket->rungs[rung].keep;

            world->expected[cell(trials[i], rung)] = (struct outcome){
                failed ? VERDICT_FAILED : last ? VERDICT_COMPLETED
                                        : keep ? VERDICT_PROMOTED : VERDICT_STOPPED,
                i + 1};
            kept += keep;
        }
        count = kept;
    }
    free(trials);
}

static void world_init(struct world *world)
{
    world->end = world->plan.trials;
    world->values = xcalloc((size_t)world->plan.trials * PLAN_RUNGS_MAX, sizeof(double));
    world->expected = outcomes_new(world->plan.trials);
}

static void world_expect(struct world *world)
{
    for (int b = 0; b < world->plan.bracket_count; b++)
        expect_by_barrier(world, &world->plan.brackets[b]);
}

static void world_release(struct world *world)
{
    free(world->values);
    free(world->expected);
}

static int below(struct rng *rng, int limit)
{
    return (int)rng_below(rng, (uint64_t)limit);
}

/* Brackets with any number of places, more various than hyperband's. */
static void random_plan(struct plan *plan, struct rng *rng)
{
    *plan = (struct plan){.bracket_count = 1 + below(rng, 4)};
    for (int b = 0; b < plan->bracket_count; b++) {
        struct bracket_plan *bracket = &plan->brackets[b];
        int places = 1 + below(rng, 20);

        bracket->first_trial = plan->trials;
        bracket->rung_count = 1 + below(rng, 4);
        plan->trials += places;
        for (int i = 0; i < bracket->rung_count; i++) {
            int keep = i < bracket->rung_count - 1 ? 1 + below(rng, places) : 0;

            bracket->rungs[i] = (struct rung_plan){places, keep, 1 << i};
            places = keep;
        }
    }
}

static double random_value(struct rng *rng, int levels, double failing)
{
    static const double broken[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};

    if (rng_double(rng) < failing)
        return broken[below(rng, 3)];
    return below(rng, levels) - 3;
}

static void random_world(struct world *world, struct rng *rng)
{
    static const int levels[] = {1, 3, 10, 1000000};
    static const double rates[] = {0, 0, 0.1, 0.5, 0.9, 1};
    int level = levels[below(rng, ARRAY_LENGTH(levels))];
    double failing = rates[below(rng, ARRAY_LENGTH(rates))];

    if (below(rng, 3) == 0)
        plan_hyperband(1 + below(rng, 30), 2 + below(rng, 3), &world->plan, NULL);
    else
        random_plan(&world->plan, rng);
    world->maximize = below(rng, 2) == 0;
    world_init(world);
    if (below(rng, 3) == 0)
        world->end = below(rng, world->plan.trials + 1);
    for (int i = 0; i < world->plan.trials * PLAN_RUNGS_MAX; i++)
        world->values[i] = random_value(rng, level, failing);
    world_expect(world);
}

/* ---- Running it ---- */

struct event {
    bool ended; /* else begun */
    int trial, rung; /* rung EXHAUSTED: the space was found used up at this trial */
};

struct run {
    const struct world *world;
    struct scheduler *scheduler;
    struct rng rng;             /* which running segment ends next */
    int workers;
    struct assignment running[16];
    int running_count;
    struct event *events;       /* all that happened, in order */
    int event_count;
    struct outcome *outcomes;   /* decisions so far: [trials][PLAN_RUNGS_MAX] */
    int given;                  /* decisions so far */
    bool finished;
};

static void run_init(struct run *run, const struct world *world, int workers,
                     const struct rng *rng)
{
    size_t segments = (size_t)world->plan.trials * PLAN_RUNGS_MAX;

    *run = (struct run){.world = world, .workers = workers, .rng = *rng};
    run->scheduler = scheduler_new(&world->plan, world->maximize);
    run->events = xcalloc(2 * segments + 1, sizeof(*run->events));
    run->outcomes = outcomes_new(world->plan.trials);
}

static void run_release(struct run *run)
{
    scheduler_free(run->scheduler);
    free(run->events);
    free(run->outcomes);
}

static void record(struct run *run, bool ended, int trial, int rung)
{
    run->events[run->event_count++] = (struct event){ended, trial, rung};
}

/* Takes the decisions; each must be what the barrier decides, and be given once. */
static void take_decisions(struct run *run)
{
    struct decision decision;

    while (scheduler_decision(run->scheduler, &decision)) {
        int at = cell(decision.trial, decision.rung);
        const struct bracket_plan *bracket = &run->world->plan.brackets[decision.bracket];

        assert_in_range(decision.trial - bracket->first_trial, 0, bracket->rungs[0].places - 1);
        assert_int_equal(run->outcomes[at].verdict, NO_VERDICT);
        assert_int_equal(decision.verdict, run->world->expected[at].verdict);
        assert_in_range(decision.rank, 1, run->world->expected[at].rank);
        assert_true(strlen(decision.reason) > 0);
        run->outcomes[at] = (struct outcome){(int)decision.verdict, decision.rank};
        run->given++;
    }
}

static void begin(struct run *run, const struct assignment *assignment)
{
    const struct rung_plan *rungs = run->world->plan.brackets[assignment->bracket].rungs;

    if (assignment->trial >= run->world->end) {
        record(run, false, assignment->trial, EXHAUSTED);
        scheduler_exhausted(run->scheduler, assignment->trial);
        return;
    }
    assert_int_not_equal(run->world->expected[cell(assignment->trial, assignment->rung)].verdict,
                         NO_VERDICT);
    assert_int_equal(assignment->to_epoch, rungs[assignment->rung].epochs);
    assert_int_equal(assignment->from_epoch,
                     assignment->rung ? rungs[assignment->rung - 1].epochs : 0);
    record(run, false, assignment->trial, assignment->rung);
    run->running[run->running_count++] = *assignment;
}

/* Every worker gets what there is; then one of the running segments ends.  False when
 * all is finished; a scheduler that waits for nothing is a deadlock. */
static bool step(struct run *run)
{
    enum scheduler_answer answer = SCHEDULER_RUN;
    struct assignment assignment;

    while (run->running_count < run->workers &&
           (answer = scheduler_next(run->scheduler, &assignment)) == SCHEDULER_RUN)
        begin(run, &assignment);
    take_decisions(run);
    if (run->running_count == 0) {
        assert_int_equal(answer, SCHEDULER_FINISHED);
        return false;
    }
    assert_int_not_equal(answer, SCHEDULER_FINISHED);
    int chosen = below(&run->rng, run->running_count);

    assignment = run->running[chosen];
    run->running[chosen] = run->running[--run->running_count];
    record(run, true, assignment.trial, assignment.rung);
    scheduler_ended(run->scheduler, assignment.trial, assignment.rung,
                    run->world->values[cell(assignment.trial, assignment.rung)]);
    take_decisions(run);
    return true;
}

static void assert_barrier_result(const struct run *run)
{
    const struct world *world = run->world;

    for (int trial = 0; trial < world->plan.trials; trial++) {
        int final_verdicts = 0;

        for (int rung = 0; rung < PLAN_RUNGS_MAX; rung++) {
            const struct outcome *expected = &world->expected[cell(trial, rung)];

            assert_int_equal(run->outcomes[cell(trial, rung)].verdict, expected->verdict);
            assert_int_equal(scheduler_rank(run->scheduler, trial, rung), expected->rank);
            final_verdicts += expected->verdict != NO_VERDICT &&
                              expected->verdict != VERDICT_PROMOTED;
        }
        assert_int_equal(final_verdicts, trial < world->end);
    }
}

static void run_to_the_end_and_check(struct run *run)
{
    while (step(run))
        ;
    assert_barrier_result(run);
}

static void results_equal_the_barrier_for_any_workers_and_order(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        struct world world;
        struct rng rng;

        rng_init(&rng, 2, round, RNG_SAMPLER, 0);
        random_world(&world, &rng);
        for (int i = 0; i < 3; i++) {
            struct run run;

            run_init(&run, &world, 1 + below(&rng, 16), &rng);
            run_to_the_end_and_check(&run);
            run_release(&run);
            rng_u32(&rng);
        }
        world_release(&world);
    }
}

/* ---- Going on from the record ---- */

static void replay(struct run *run, const struct event *events, int count)
{
    for (int i = 0; i < count; i++) {
        const struct event *event = &events[i];

        if (event->rung == EXHAUSTED)
            scheduler_exhausted(run->scheduler, event->trial);
        else if (event->ended)
            scheduler_ended(run->scheduler, event->trial, event->rung,
                            run->world->values[cell(event->trial, event->rung)]);
        else
            scheduler_begun(run->scheduler, event->trial, event->rung);
    }
    take_decisions(run);
}

/* A second run that knows the first one's record, its events in any order. */
static void run_again(struct run *again, const struct run *run, bool in_order, struct rng *rng)
{
    uint32_t *order = xmalloc(sizeof(*order) * (size_t)(run->event_count + 1));

    run_init(again, run->world, run->workers, &run->rng);
    for (int i = 0; i < run->event_count; i++)
        order[i] = (uint32_t)i;
    if (!in_order)
        rng_shuffle(rng, order, (size_t)run->event_count);
    for (int i = 0; i < run->event_count; i++)
        again->events[i] = run->events[order[i]];
    free(order);
    replay(again, again->events, run->event_count);
    again->event_count = run->event_count;
    again->running_count = run->running_count;
    memcpy(again->running, run->running, sizeof(run->running));
}

static void a_replayed_record_gives_the_same_continuation(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        struct world world;
        struct run run, again;
        struct rng rng;
        int split, more;

        rng_init(&rng, 4, round, RNG_SAMPLER, 0);
        random_world(&world, &rng);
        run_init(&run, &world, 1 + below(&rng, 16), &rng);
        for (int steps = below(&rng, 2 * world.plan.trials); steps > 0 && step(&run); steps--)
            ;
        run_again(&again, &run, round % 2 == 0, &rng);
        assert_int_equal(again.given, run.given);
        split = run.event_count;
        do {
            more = step(&run);
            assert_int_equal(step(&again), more);
        } while (more);
        assert_int_equal(again.event_count, run.event_count);
        for (int i = split; i < run.event_count; i++)
            assert_memory_equal(&again.events[i], &run.events[i], sizeof(struct event));
        assert_barrier_result(&again);
        run_release(&run);
        run_release(&again);
        world_release(&world);
    }
}

/* ---- Many trials ---- */

/* Would take minutes if a segment's end cost time in proportion to its rung. */
static void large_plans_run_to_the_barriers_result(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world world = {.maximize = i == 0};
        struct run run;
        struct rng rng;

        if (i == 0)
            plan_full(100000, 0, &world.plan);
        else
            plan_hyperband(19683, 3, &world.plan, NULL);
        world_init(&world);
        rng_init(&rng, 5, 0, RNG_SAMPLER, 0);
        for (int k = 0; k < world.plan.trials * PLAN_RUNGS_MAX; k++)
            world.values[k] = random_value(&rng, 50000, 0.05);
        world_expect(&world);
        run_init(&run, &world, 16, &rng);
        run_to_the_end_and_check(&run);
        run_release(&run);
        world_release(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_equal_the_barrier_for_any_workers_and_order),
        cmocka_unit_test(a_replayed_record_gives_the_same_continuation),
        cmocka_unit_test(large_plans_run_to_the_barriers_result),
    };

    return cmocka_run_group_tests_name("scheduler_barrier", tests, NULL, NULL);
}
