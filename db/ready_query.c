#include "db/ready_query.h"

#include "common/base.h"
#include "common/embed.h"

EMBED(ready_query_best_trials, "db/queries/best_trials.sql");
EMBED(ready_query_bracket_costs, "db/queries/bracket_costs.sql");
EMBED(ready_query_brackets, "db/queries/brackets.sql");
EMBED(ready_query_by_parameter, "db/queries/by_parameter.sql");
EMBED(ready_query_curve, "db/queries/curve.sql");
EMBED(ready_query_disk, "db/queries/disk.sql");
EMBED(ready_query_epoch_times, "db/queries/epoch_times.sql");
EMBED(ready_query_failures, "db/queries/failures.sql");
EMBED(ready_query_most_confused, "db/queries/most_confused.sql");
EMBED(ready_query_parameter_pairs, "db/queries/parameter_pairs.sql");
EMBED(ready_query_per_class, "db/queries/per_class.sql");
EMBED(ready_query_promotions, "db/queries/promotions.sql");
EMBED(ready_query_rank_by_rung, "db/queries/rank_by_rung.sql");
EMBED(ready_query_regret, "db/queries/regret.sql");
EMBED(ready_query_repeatability, "db/queries/repeatability.sql");
EMBED(ready_query_slowest_trials, "db/queries/slowest_trials.sql");
EMBED(ready_query_surest_mistakes, "db/queries/surest_mistakes.sql");
extern const char ready_query_best_trials[], ready_query_bracket_costs[], ready_query_brackets[],
    ready_query_by_parameter[], ready_query_curve[], ready_query_disk[], ready_query_epoch_times[],
    ready_query_failures[], ready_query_most_confused[], ready_query_parameter_pairs[],
    ready_query_per_class[], ready_query_promotions[], ready_query_rank_by_rung[],
    ready_query_regret[], ready_query_repeatability[], ready_query_slowest_trials[],
    ready_query_surest_mistakes[];

/* In the order of their names. */
static const struct ready_query queries[] = {
    {"best_trials", ready_query_best_trials},
    {"bracket_costs", ready_query_bracket_costs},
    {"brackets", ready_query_brackets},
    {"by_parameter", ready_query_by_parameter},
    {"curve", ready_query_curve},
    {"disk", ready_query_disk},
    {"epoch_times", ready_query_epoch_times},
    {"failures", ready_query_failures},
    {"most_confused", ready_query_most_confused},
    {"parameter_pairs", ready_query_parameter_pairs},
    {"per_class", ready_query_per_class},
    {"promotions", ready_query_promotions},
    {"rank_by_rung", ready_query_rank_by_rung},
    {"regret", ready_query_regret},
    {"repeatability", ready_query_repeatability},
    {"slowest_trials", ready_query_slowest_trials},
    {"surest_mistakes", ready_query_surest_mistakes},
};

const struct ready_query *ready_queries(size_t *count)
{
    *count = ARRAY_LENGTH(queries);
    return queries;
}
