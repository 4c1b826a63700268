/* A step of training on its way through the layers: shared by the files that run it, and by nobody
 * else.
 *
 * A step goes through the layers in stretches, and so back: a shard takes all layers of a stretch
 * before the next one begins, so that what one layer leaves is still in a near cache when the next
 * comes to it.  Where a layer wants to know something of the whole batch, the stretch ends with
 * each shard's share of that.  What nobody asks for later is left in memory of the thread's own,
 * again and again the same, instead of the batch's. */
#ifndef TRAINER_NETWORK_STEP_H
#define TRAINER_NETWORK_STEP_H

#include "trainer/loss.h"
#include "trainer/network_parts.h"

struct step {
    struct network *network;
    struct pass common;       /* what the passes of all layers share, over the whole batch */
    bool back;                /* the direction */
    size_t begin, end;        /* the stretch: layers from `begin` to before `end` */
    size_t gathering;         /* the layer that is gathered for behind it, or NOTHING */
    size_t shard_images, shard_count;
    size_t block_images;      /* that go through a stretch together */
    size_t sum_offset, sum_count; /* parameters whose gradients are added up */
    const float *images;
    const uint16_t *labels;
    struct loss_sum sums[SHARDS_MOST];
};

/* Some images of a batch, as a layer gets them. */
struct part {
    size_t shard, first, count;
    bool begins; /* its shard */
    int thread;
};

/* ---- network_pass.c ---- */

/* A value of the whole batch that is not forgotten. */
const float *network_find_value(const struct step *step, size_t value);
/* A layer's pass over the whole batch, and over some of its images.  In both, values in bf16 go by
 * the names of floats, so that all are found alike, */
struct pass network_pass_of(const struct step *step, size_t index);
struct pass network_part_of(const struct step *step, size_t index, const struct part *part);
/* until they get the names that a layer knows them by. */
void network_name_bf16(const struct step *step, size_t index, struct pass *pass);

/* ---- network_run.c ---- */

/* The images of one shard: how many, and *first. */
size_t network_shard_range(const struct step *step, size_t shard, size_t *first);
/* Takes every shard through the layers from `begin` to before `end`, forward or back, and then
 * asks the layer that gathers for the batch's sums; NOTHING: none. */
void network_run_stretch(struct step *step, size_t begin, size_t end, size_t gathering);

/* ---- network_back.c ---- */

void network_run_backward(struct step *step);
/* A part's way back through the stretch. */
void network_part_back(const struct step *step, const struct part *part);

#endif
