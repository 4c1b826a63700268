#include "reports/compare_rows.h"

#include "reports/format.h"

#include <math.h>
#include <stdlib.h>

static char *objective(const struct report_data *data)
{
    char *value = format_measure(data->winner_value);
    char *text = xasprintf("%s %s", data->metric, value);
    free(value);
    return text;
}

static char *winner(const struct report_data *data)
{
    return xasprintf("trial %d, %d epoch%s", data->winner, data->winner_epochs,
                     data->winner_epochs == 1 ? "" : "s");
}

static char *search(const struct report_data *data)
{
    return xasprintf("%s, %s", data->sampler, data->scheduler);
}

static char *trials(const struct report_data *data)
{
    char *count = format_count((int64_t)data->trial_count);
    char *text = data->trials_failed > 0 ? xasprintf("%s, %zu failed", count, data->trials_failed)
                                         : xstrdup(count);
    free(count);
    return text;
}

static char *epochs(const struct report_data *data)
{
    return format_count(data->epochs_run);
}

static char *time_taken(const struct report_data *data)
{
    return format_duration(data->seconds);
}

static char *time_training(const struct report_data *data)
{
    return format_duration(data->training_seconds);
}

static char *test_accuracy(const struct report_data *data)
{
    return format_percent(data->metrics.accuracy);
}

static char *interval(const struct report_data *data)
{
    double low, high;
    wilson_interval(data->metrics.correct, data->metrics.total, &low, &high);
    return xasprintf("%.2f to %.2f %%", 100.0 * low, 100.0 * high);
}

static char *mistakes(const struct report_data *data)
{
    char *wrong = format_count(data->metrics.total - data->metrics.correct);
    char *total = format_count(data->metrics.total);
    char *text = xasprintf("%s of %s", wrong, total);
    free(wrong);
    free(total);
    return text;
}

static char *log_loss(const struct report_data *data)
{
    return format_measure(data->scoring.log_loss);
}

static char *brier(const struct report_data *data)
{
    return format_measure(data->scoring.brier);
}

static char *ece(const struct report_data *data)
{
    return format_measure(data->scoring.ece);
}

static char *weights(const struct report_data *data)
{
    return format_count(report_parameter_count(data));
}

const struct compare_row compare_rows[] = {
    {"test accuracy", test_accuracy},
    {"95 % interval", interval},
    {"mistakes", mistakes},
    {"log loss", log_loss},
    {"Brier score", brier},
    {"calibration error", ece},
    {"best in the search", objective},
    {"winner", winner},
    {"model's parameters", weights},
    {"search", search},
    {"trials", trials},
    {"epochs trained", epochs},
    {"time taken", time_taken},
    {"time of training", time_training},
};
const size_t compare_row_count = ARRAY_LENGTH(compare_rows);

/* ---- curves ---- */

double compare_accuracy(const struct report_data *data, int epoch)
{
    const struct report_curve *curve = report_winner_curve(data);
    for (size_t i = 0; i < curve->count; i++)
        if (curve->epochs[i].epoch == epoch)
            return isfinite(curve->epochs[i].val_accuracy) ? curve->epochs[i].val_accuracy
                                                           : curve->epochs[i].train_accuracy;
    return NAN;
}

size_t compare_epochs(const struct compare *compare, int *chosen, size_t most)
{
    int last = 0;
    size_t count = 0;
    for (size_t i = 0; i < compare->count; i++) {
        const struct report_curve *curve = report_winner_curve(&compare->studies[i]);
        int own = curve->count > 0 ? curve->epochs[curve->count - 1].epoch : 0;
        last = own > last ? own : last;
    }
    int step = (last + (int)most - 1) / (int)most;
    for (int epoch = last > 0 ? (last - 1) % step + 1 : 1; epoch <= last; epoch += step)
        chosen[count++] = epoch;
    return count;
}
