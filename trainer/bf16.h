/* The kernels for bf16 that are used here: as the processor has them, and TRAINER_ISA (isa.h)
 * leaves them.  `auto` takes AMX before the dot products of AVX512_BF16; `avx512` those alone;
 * the other sets have none. */
#ifndef TRAINER_BF16_H
#define TRAINER_BF16_H

#include "trainer/bf16_kernels.h"

/* NULL where there are none. */
const struct bf16_kernels *bf16_kernels_chosen(void);
/* Their name, "amx" or "avx512_bf16"; or NULL. */
const char *bf16_kernels(void);

/* Whether their max_pool() is for such windows. */
bool bf16_pools(const struct window *window);

#endif
