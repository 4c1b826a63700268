#include "trainer/bf16.h"
#include "trainer/kernels.h"
#include "trainer/layer.h"

#include <math.h>

/* Batch normalization (Ioffe & Szegedy 2015, algorithm 1): each channel over all images of
 * the batch and all N = images x pixels of them,
 *
 *   y = gamma (x - mean) r + beta,   r = 1 / sqrt(variance + epsilon)
 *
 * with the biased variance, mean of x^2 less the mean's square.  Back, with
 * s = sum of dy and p = sum of dy (x - mean):
 *
 *   dx = gamma r (dy - s / N - (x - mean) r^2 p / N),   dgamma = r p,   dbeta = s
 *
 * Predictions use running values instead, which each step of training takes on:
 * running = momentum running + (1 - momentum) batch's; from mean 0 and variance 1.
 *
 * A max_pool behind it is done with it.  y rises with x, or falls where gamma is negative, so the
 * largest y is that of the largest x, or the smallest: the pool chooses while the sums are taken
 * and the input is still in a near cache, and only what it chose is normalized, and has
 * gradients.  Kept then for each image: what was chosen and its values, as kernel_max_pool() sets
 * them.
 *
 * Parameters: gamma [channels], beta [channels].  Statistics: mean, variance.
 * Gathered: sums of x, of x^2; back: s, p.  Scratch: four rows of [channels]. */

struct batch_norm_plan {
    size_t channels, pixels;
    double momentum, epsilon;
    const struct window *pool; /* of the max_pool that is joined, or NULL */
    size_t normalized;         /* pixels of an image that are: all, or what is pooled */
    const struct bf16_layers *bf16; /* for what comes in rounded; or NULL */
};

static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    (void)where, (void)why;
    struct batch_norm_plan *plan = xcalloc(1, sizeof *plan);
    plan->channels = (size_t)layer->input.channels;
    plan->pixels = layer->input_size / plan->channels;
    plan->normalized = plan->pixels;
    plan->momentum = setting_number(settings, "momentum");
    plan->epsilon = setting_number(settings, "epsilon");
    plan->bf16 = bf16_kernels_chosen() ? bf16_kernels_chosen()->layers : NULL;
    layer->plan = plan;
    layer->bf16_input = layer->bf16_output = layer->bf16_passes = plan->bf16;
    layer_output_as_input(layer);
    layer->forgets_output = true;
    layer->parameter_count = 2 * plan->channels;
    layer->statistic_count = 2 * plan->channels;
    layer->gathered_count = 2 * plan->channels;
    layer->scratch_size = 4 * plan->channels;
    layer->flops = 2.0 * (double)layer->output_size;
    return 0;
}

static bool join(struct layer *layer, struct layer *next)
{
    struct batch_norm_plan *plan = layer->plan;
    if (next->type != &layer_max_pool)
        return false;
    plan->pool = layer_pool_window(next);
    plan->normalized = next->output_size / plan->channels;
    layer->output_size = next->output_size;
    layer->kept_size = next->output_size * (sizeof(int32_t) + sizeof(float));
    if (!bf16_pools(plan->pool))
        layer->bf16_input = layer->bf16_output = false;
    next->type = &layer_max_pool_joined;
    next->kept_size = 0;
    return true;
}

static void set(float *values, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static void initialize(const struct layer *layer, struct rng *rng, float *parameters)
{
    (void)rng;
    const struct batch_norm_plan *plan = layer->plan;
    set(parameters, plan->channels, 1.0f);
    set(parameters + plan->channels, plan->channels, 0.0f);
}

static void reset(const struct layer *layer, float *statistics)
{
    const struct batch_norm_plan *plan = layer->plan;
    set(statistics, plan->channels, 0.0f);
    set(statistics + plan->channels, plan->channels, 1.0f);
}

/* N above. */
static double batch_rows(const struct batch_norm_plan *plan, const struct pass *pass)
{
    return (double)pass->batch_count * (double)plan->pixels;
}

/* Of one channel, over the batch. */
static void find_moments(const struct batch_norm_plan *plan, const struct pass *pass,
                         size_t channel, double *mean, double *variance)
{
    double rows = batch_rows(plan, pass);
    *mean = pass->gathered[channel] / rows;
    *variance = pass->gathered[plan->channels + channel] / rows - *mean * *mean;
    if (*variance < 0.0) /* by rounding; what is not a number stays so */
        *variance = 0.0;
}

/* Sets the means and the r above that the pass works with, [channels] each. */
static void find_scales(const struct batch_norm_plan *plan, const struct pass *pass, float *mean,
                        float *scale)
{
    for (size_t c = 0; c < plan->channels; c++) {
        double m, variance;
        if (pass->training) {
            find_moments(plan, pass, c, &m, &variance);
        } else {
            m = pass->statistics[c];
            variance = pass->statistics[plan->channels + c];
        }
        mean[c] = (float)m;
        scale[c] = (float)(1.0 / sqrt(variance + plan->epsilon));
    }
}

/* Of an image of the pass: what the pool has chosen, */
static int32_t *chosen_of(const struct layer *layer, const struct pass *pass, size_t image)
{
    return (int32_t *)(void *)((char *)pass->kept + image * layer->kept_size);
}

/* and its values. */
static float *picked_of(const struct layer *layer, const struct pass *pass, size_t image)
{
    return (float *)(void *)(chosen_of(layer, pass, image) + layer->output_size);
}

static void pick(const struct layer *layer, const struct pass *pass)
{
    const struct batch_norm_plan *plan = layer->plan;
    const float *gamma = pass->parameters;
    for (size_t i = 0; plan->pool && i < pass->count; i++)
        kernel_max_pool(plan->pool, gamma, pass->input + i * layer->input_size,
                        picked_of(layer, pass, i), chosen_of(layer, pass, i));
}

/* The values of an image that are normalized. */
static const float *values_of(const struct layer *layer, const struct pass *pass, size_t image)
{
    const struct batch_norm_plan *plan = layer->plan;
    return plan->pool ? picked_of(layer, pass, image) : pass->input + image * layer->input_size;
}

/* ---- in bf16, in training alone ---- */

/* The same of what was rounded, in half as much of what is kept. */
static uint16_t *bf16_chosen_of(const struct layer *layer, const struct pass *pass, size_t image)
{
    return (uint16_t *)(void *)((char *)pass->kept + image * layer->kept_size);
}

static uint16_t *bf16_picked_of(const struct layer *layer, const struct pass *pass, size_t image)
{
    return bf16_chosen_of(layer, pass, image) + layer->output_size;
}

static const uint16_t *bf16_values_of(const struct layer *layer, const struct pass *pass,
                                      size_t image)
{
    const struct batch_norm_plan *plan = layer->plan;
    return plan->pool ? bf16_picked_of(layer, pass, image)
                      : pass->bf16_input + image * layer->input_size;
}

static void gather_bf16(const struct layer *layer, const struct pass *pass, double *share)
{
    const struct batch_norm_plan *plan = layer->plan;
    for (size_t i = 0; plan->pool && i < pass->count; i++) {
        const struct bf16_target picked = {.rounded = bf16_picked_of(layer, pass, i)};
        plan->bf16->max_pool(plan->pool, pass->parameters,
                             pass->bf16_input + i * layer->input_size, &picked,
                             bf16_chosen_of(layer, pass, i));
    }
    plan->bf16->norm->moments(pass->count * plan->pixels, plan->channels, pass->bf16_input, share,
                              share + plan->channels);
}

static void forward_bf16(const struct layer *layer, const struct pass *pass, const float *mean,
                         const float *scale, const float *beta)
{
    const struct batch_norm_plan *plan = layer->plan;
    const struct bf16_target outputs = {pass->output, pass->bf16_output};
    for (size_t i = 0; i < pass->count; i++) {
        struct bf16_target output = bf16_target_from(&outputs, i * layer->output_size);
        plan->bf16->norm->normalize(plan->normalized, plan->channels, mean, scale, beta,
                                    bf16_values_of(layer, pass, i), &output);
    }
}

static void gather_back_bf16(const struct layer *layer, const struct pass *pass,
                             const float *mean, double *share)
{
    const struct batch_norm_plan *plan = layer->plan;
    const struct bf16_values gradients = {pass->output_gradient, pass->bf16_output_gradient};
    for (size_t i = 0; i < pass->count; i++) {
        struct bf16_values gradient = bf16_values_from(&gradients, i * layer->output_size);
        plan->bf16->norm->normalize_moments(plan->normalized, plan->channels, mean,
                                            bf16_values_of(layer, pass, i), &gradient, share,
                                            share + plan->channels);
    }
}

static void backward_bf16(const struct layer *layer, const struct pass *pass,
                          const struct normalized *norm)
{
    const struct batch_norm_plan *plan = layer->plan;
    const struct bf16_values gradients = {pass->output_gradient, pass->bf16_output_gradient};
    for (size_t i = 0; i < pass->count; i++) {
        struct bf16_values dy = bf16_values_from(&gradients, i * layer->output_size);
        const uint16_t *x = pass->bf16_input + i * layer->input_size;
        uint16_t *dx = pass->bf16_input_gradient + i * layer->input_size;
        if (plan->pool)
            plan->bf16->norm->normalize_pool_backward(
                plan->pool, norm, bf16_chosen_of(layer, pass, i), &dy, x, dx);
        else
            plan->bf16->norm->normalize_backward(plan->pixels, plan->channels, norm, x, &dy, dx);
    }
}

/* ---- the layer ---- */

static void gather(const struct layer *layer, const struct pass *pass, double *share)
{
    const struct batch_norm_plan *plan = layer->plan;
    if (pass->bf16_input) {
        gather_bf16(layer, pass, share);
        return;
    }
    pick(layer, pass);
    kernel_moments(pass->count * plan->pixels, plan->channels, pass->input, share,
                   share + plan->channels);
}

static void settle(const struct layer *layer, const struct pass *batch, float *statistics)
{
    const struct batch_norm_plan *plan = layer->plan;
    float *means = statistics, *variances = statistics + plan->channels;
    double keep = plan->momentum;
    for (size_t c = 0; c < plan->channels; c++) {
        double mean, variance;
        find_moments(plan, batch, c, &mean, &variance);
        means[c] = (float)(keep * means[c] + (1.0 - keep) * mean);
        variances[c] = (float)(keep * variances[c] + (1.0 - keep) * variance);
    }
}

static void forward(const struct layer *layer, const struct pass *pass)
{
    const struct batch_norm_plan *plan = layer->plan;
    const float *gamma = pass->parameters, *beta = gamma + plan->channels;
    float *mean = pass->scratch, *scale = mean + plan->channels;
    find_scales(plan, pass, mean, scale);
    for (size_t c = 0; c < plan->channels; c++)
        scale[c] *= gamma[c];
    if (pass->bf16_input) {
        forward_bf16(layer, pass, mean, scale, beta);
        return;
    }
    if (!pass->training)
        pick(layer, pass);
    for (size_t i = 0; i < pass->count; i++)
        kernel_normalize(plan->normalized, plan->channels, mean, scale, beta,
                         values_of(layer, pass, i), pass->output + i * layer->output_size);
}

static void gather_back(const struct layer *layer, const struct pass *pass, double *share)
{
    const struct batch_norm_plan *plan = layer->plan;
    float *mean = pass->scratch, *scale = mean + plan->channels;
    find_scales(plan, pass, mean, scale);
    if (pass->bf16_input) {
        gather_back_bf16(layer, pass, mean, share);
        return;
    }
    for (size_t i = 0; i < pass->count; i++)
        kernel_normalize_moments(plan->normalized, plan->channels, mean, values_of(layer, pass, i),
                                 pass->output_gradient + i * layer->output_size, share,
                                 share + plan->channels);
}

/* The sums are the whole batch's: the first images' pass has them as its gradient, and the
 * others add nothing. */
static void backward_parameters(const struct batch_norm_plan *plan, const struct pass *pass,
                                const float *scale)
{
    float *gamma = pass->parameter_gradient, *beta = gamma + plan->channels;
    for (size_t c = 0; c < plan->channels; c++) {
        double sum = pass->gathered_back[c], product = pass->gathered_back[plan->channels + c];
        gamma[c] = pass->first == 0 ? (float)((double)scale[c] * product) : 0.0f;
        beta[c] = pass->first == 0 ? (float)sum : 0.0f;
    }
}

static void backward_input(const struct layer *layer, const struct pass *pass,
                           const struct normalized *norm)
{
    const struct batch_norm_plan *plan = layer->plan;
    for (size_t i = 0; i < pass->count; i++) {
        const float *dy = pass->output_gradient + i * layer->output_size;
        const float *x = pass->input + i * layer->input_size;
        float *dx = pass->input_gradient + i * layer->input_size;
        if (plan->pool)
            kernel_normalize_pool_backward(plan->pool, norm, chosen_of(layer, pass, i), dy, x, dx);
        else
            kernel_normalize_backward(plan->pixels, plan->channels, norm, x, dy, dx);
    }
}

static void backward(const struct layer *layer, const struct pass *pass)
{
    const struct batch_norm_plan *plan = layer->plan;
    double rows = batch_rows(plan, pass);
    float *mean = pass->scratch, *scale = mean + plan->channels;
    float *offset = scale + plan->channels, *slope = offset + plan->channels;
    find_scales(plan, pass, mean, scale);
    backward_parameters(plan, pass, scale);
    if (!pass->input_gradient && !pass->bf16_input_gradient)
        return;
    for (size_t c = 0; c < plan->channels; c++) {
        double sum = pass->gathered_back[c], product = pass->gathered_back[plan->channels + c];
        double r = scale[c], full = r * pass->parameters[c];
        scale[c] = (float)full;
        offset[c] = (float)(full * sum / rows);
        slope[c] = (float)(full * r * r * product / rows);
    }
    const struct normalized norm = {mean, scale, offset, slope, pass->stops_relu};
    if (pass->bf16_input)
        backward_bf16(layer, pass, &norm);
    else
        backward_input(layer, pass, &norm);
}

const struct layer_type layer_batch_norm = {
    .name = "batch_norm",
    .label = "batch_norm",
    .prepare = prepare,
    .join = join,
    .initialize = initialize,
    .reset = reset,
    .forward = forward,
    .backward = backward,
    .gather = gather,
    .gather_back = gather_back,
    .stops_relu = true,
    .settle = settle,
};
