/* A metric watched from epoch to epoch: does it still improve?
 *
 * An epoch is an improvement when its value is better than the best one so far by more
 * than min_change:
 *
 *   val_loss, train_loss           value < best - min_change
 *   val_accuracy, train_accuracy   value > best + min_change
 *
 * The first number always is; what is not finite never is. */
#ifndef TRAINER_MONITOR_H
#define TRAINER_MONITOR_H

#include <jansson.h>
#include <stdbool.h>

/* What an epoch came to. */
struct epoch_metrics {
    double train_loss, train_accuracy; /* running means over the epoch, dropout on */
    double val_loss, val_accuracy;     /* NaN without validation images */
    double seconds;
};

/* Whether all of them are numbers; else the configuration has diverged.  Those of the
 * validation count where there are such images (`validated`). */
bool epoch_metrics_are_finite(const struct epoch_metrics *metrics, bool validated);

struct monitor {
    bool of_validation, of_accuracy; /* which metric */
    double min_change;
    double best; /* so far; infinitely bad while there is none */
    int waited;  /* epochs since the last improvement */
};

/* `metric` is one of the four above.  Without validation images (not `validated`) val_x
 * stands for train_x, so that the same settings do for a training on all images. */
struct monitor monitor_start(const char *metric, double min_change, bool validated);

/* Takes in the next epoch; true: an improvement. */
bool monitor_watch(struct monitor *monitor, const struct epoch_metrics *metrics);
/* Whether an epoch had a value at all. */
bool monitor_has_best(const struct monitor *monitor);

/* {"best": number or null, "waited": n}, which monitor_restore() goes on from; a new
 * reference.  Restoring anything else is -1 and changes nothing. */
json_t *monitor_state(const struct monitor *monitor);
int monitor_restore(struct monitor *monitor, const json_t *state);

#endif
