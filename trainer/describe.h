/* What a network looks like, and how fast it trains on this machine. */
#ifndef TRAINER_DESCRIBE_H
#define TRAINER_DESCRIBE_H

#include "trainer/data.h"
#include "trainer/network.h"

/* [{"name", "type", "output": [h, w, c] or [n], "parameters", "flops"}, ...] */
json_t *describe_layers(const struct network *network);

/* The arithmetic that the results of training in a precision depend on: the instruction set of
 * our own kernels (isa.h), whether convolutions may go by Winograd's transforms (winograd.h), and
 * the kernels that BLAS chose, "avx2+winograd+Haswell fp32"; for bf16 its own kernels (bf16.h)
 * before those, "amx bf16 + avx512+winograd+SkylakeX".  The caller frees it. */
char *describe_arithmetic(enum precision precision);

/* Images that are trained on per second, by steps on random images of the data set's
 * shape for about 0.3 s; `model` and `training` are complete.  Negative on failure. */
double describe_speed(const json_t *model, const json_t *training, const struct dataset *dataset,
                      int threads, struct failure *why);

#endif
