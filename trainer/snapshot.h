/* A network's weights, parameters and statistics, kept beside it: a copy of those of the
 * best epoch, or their moving average. */
#ifndef TRAINER_SNAPSHOT_H
#define TRAINER_SNAPSHOT_H

#include "trainer/network.h"

struct snapshot {
    float *parameters; /* [network_parameter_count] */
    float *statistics; /* [network_statistic_count] */
};

/* A new one, of the weights as they are; never NULL.  Freeing NULL is nothing. */
struct snapshot *snapshot_new(struct network *network);
void snapshot_free(struct snapshot *snapshot);

/* Copies the network's weights over the snapshot's. */
void snapshot_take(struct snapshot *snapshot, struct network *network);

/* Moves the average a towards the weights w, after the t-th step (from 1):
 *
 *   a += (1 - d_t) (w - a),   d_t = min(decay, (1 + t) / (10 + t))
 *
 * The smaller decay at first lets go of the initial weights; it is that of TensorFlow's
 * tf.train.ExponentialMovingAverage with num_updates = t. */
void snapshot_average(struct snapshot *average, struct network *network, double decay,
                      uint64_t step);

/* Exchanges the network's weights and the snapshot's, without copying; a second time
 * brings each back. */
void snapshot_swap(struct snapshot *snapshot, struct network *network);

#endif
