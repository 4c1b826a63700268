/* All combinations of every parameter's values, the last parameter fastest: trial i is
 * the i-th.  Neither the grid nor the values of a long integer range are ever held in
 * memory; only those of continuous parameters are, `points` each. */
#include "tuner/sampler_kind.h"

#include <stdlib.h>

struct axis {
    struct space alone; /* this parameter by itself; a view, not owned */
    json_t *points;     /* of a continuous parameter, else NULL */
    double count;
};

struct grid {
    struct sampler sampler;
    struct axis *axes;
    size_t axis_count;
    double size;
};

static void axis_init(struct axis *axis, const struct space *space, size_t parameter, int points)
{
    axis->alone = (struct space){.parameters = &space->parameters[parameter], .count = 1};
    axis->count = space_size(&axis->alone);
    if (axis->count > 0)
        return;
    axis->points = parameter_grid(axis->alone.parameters, points);
    axis->count = (double)json_array_size(axis->points);
}

/* New reference. */
static json_t *axis_value(const struct axis *axis, uint64_t i)
{
    if (axis->points)
        return json_incref(json_array_get(axis->points, (size_t)i));

    json_t *configuration = space_at(&axis->alone, (double)i);
    json_t *value = json_incref(json_object_get(configuration, axis->alone.parameters->name));

    json_decref(configuration);
    return value;
}

static json_t *grid_propose(struct sampler *sampler, uint32_t trial)
{
    struct grid *grid = (struct grid *)sampler;
    json_t *configuration, **values;
    uint64_t rest = trial;

    if (trial >= grid->size)
        return NULL;
    values = xcalloc(grid->axis_count, sizeof(*values));
    for (size_t k = grid->axis_count; k-- > 0;) {
        uint64_t count = (uint64_t)grid->axes[k].count;

        values[k] = axis_value(&grid->axes[k], rest % count);
        rest /= count;
    }
    configuration = json_object();
    for (size_t k = 0; k < grid->axis_count; k++)
        json_object_set_new(configuration, grid->axes[k].alone.parameters->name, values[k]);
    free(values);
    return configuration;
}

/* A trial's number alone says its configuration. */
static void grid_recall(struct sampler *sampler, uint32_t trial, const json_t *configuration)
{
    (void)sampler;
    (void)trial;
    (void)configuration;
}

static double grid_size(const struct sampler *sampler)
{
    return ((const struct grid *)sampler)->size;
}

static void grid_free(struct sampler *sampler)
{
    struct grid *grid = (struct grid *)sampler;

    for (size_t k = 0; k < grid->axis_count; k++)
        json_decref(grid->axes[k].points);
    free(grid->axes);
    free(grid);
}

struct sampler *sampler_grid_new(const struct space *space, int points)
{
    static const struct sampler_kind kind = {grid_propose, grid_recall, grid_size, grid_free};
    struct grid *grid = xcalloc(1, sizeof(*grid));

    grid->sampler.kind = &kind;
    grid->axes = xcalloc(space->count, sizeof(*grid->axes));
    grid->axis_count = space->count;
    grid->size = 1;
    for (size_t k = 0; k < space->count; k++) {
        axis_init(&grid->axes[k], space, k, points);
        grid->size *= grid->axes[k].count;
    }
    return &grid->sampler;
}
