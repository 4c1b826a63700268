/* The kernels for bf16. */
#ifndef TRAINER_BF16_H
#define TRAINER_BF16_H

/* Which are used here: "amx", "avx512_bf16", or NULL for none, because there are none for
 * this processor or TRAINER_ISA switches them off. */
const char *bf16_kernels(void);

#endif
