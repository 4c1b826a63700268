/* How fast this machine trains and evaluates, beside how fast it multiplies matrices. */
#ifndef TRAINER_BENCH_H
#define TRAINER_BENCH_H

#include "common/base.h"

#include <jansson.h>

/* Sides of the matrices of OpenBLAS's product. */
enum { BENCH_SIDE = 2048 };

/* Measures every row of bench_rows(), on this thread, in turns that begin for so many seconds, two
 * at least: a list of objects "network", "precision",
 * "train_images_per_s", "eval_images_per_s", "sgemm_ratio" (of training), "eval_sgemm_ratio",
 * "sgemm_gflops".  All in fp32, then in bf16 where the processor has it.  NULL on failure. */
json_t *bench_measure(double seconds, struct failure *why);

#endif
