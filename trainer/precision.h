/* The precision that training steps compute in.
 *
 * fp32 throughout, or bf16: the products of a step take numbers of 8 significant bits and
 * add them up in fp32.  Weights, gradients and the optimizer's state are fp32 in either, and
 * so is all that is no training step: validation, evaluation, predictions, exports.  So the
 * figures of two trainings compare their weights, whatever arithmetic each learned them in. */
#ifndef TRAINER_PRECISION_H
#define TRAINER_PRECISION_H

#include "common/base.h"

/* In zeroed memory it is fp32. */
enum precision { PRECISION_FP32, PRECISION_BF16, PRECISION_COUNT };

const char *precision_name(enum precision precision); /* "bf16" */
/* The precision of that name, PRECISION_COUNT for a word (or NULL) that is none's. */
enum precision precision_find(const char *name);

/* What the setting `training.precision` means where bf16 is done by the kernels `bf16`
 * ("amx", see bf16.h; NULL: there are none).  `word` is fp32, bf16, auto, or NULL where
 * the setting is absent, which is fp32.  auto takes bf16 where it is much the faster, with AMX.
 * bf16 where there is none fails at "training.precision". */
int precision_resolve(const char *word, const char *bf16, enum precision *precision,
                      struct failure *why);

#endif
