/* What a training is made of: shared by train.c, which runs it, and
 * train_checkpoint.c, which saves and restores it.  Nobody else includes this. */
#ifndef TRAINER_TRAIN_PARTS_H
#define TRAINER_TRAIN_PARTS_H

#include "trainer/learning_rate.h"
#include "trainer/optimizer.h"
#include "trainer/snapshot.h"
#include "trainer/train.h"

struct training {
    json_t *model, *training;
    uint64_t seed;
    uint32_t trial;
    int schedule_epochs;
    enum precision precision;
    bool any_precision; /* goes on from a checkpoint of another one too */
    const struct dataset *dataset;
    size_t pixels;      /* values of one image */
    size_t batch_size;  /* no larger than the data set */
    size_t piece;       /* images that are evaluated at once */
    uint64_t epoch_steps;

    struct network *network;
    struct augment *augment; /* NULL: images are trained on as they are */
    struct optimizer *optimizer;
    struct learning_rate learning_rate;
    struct monitor stop_monitor;
    int stop_patience;  /* epochs; 0: no early stopping */
    struct monitor best_monitor;
    struct snapshot *best;    /* the best epoch's weights, if the monitor has one; NULL: off */
    double ema_decay;
    struct snapshot *average; /* NULL: off */

    int epoch;          /* done */
    uint64_t step;      /* done */
    bool abandoned;     /* stopped within an epoch: only a checkpoint can bring it back */

    uint32_t *order;    /* [train_count]: the epoch's images */
    float *images;      /* [batch_size or piece, whichever is larger][pixels] */
    uint16_t *labels;   /* likewise */
    float *logits;      /* [piece][classes] */
};

#endif
