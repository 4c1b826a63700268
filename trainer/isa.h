/* The instruction set that the kernels of our own use.
 *
 * The environment variable TRAINER_ISA switches sets off, for tests: `auto` (or nothing)
 * takes the best that the processor has; `portable` none, which leaves convolution to
 * im2col and BLAS; `avx2`, `avx512`, `neon` that one.  What there is for bf16: bf16.h. */
#ifndef TRAINER_ISA_H
#define TRAINER_ISA_H

#include "common/base.h"

enum isa { ISA_PORTABLE, ISA_NEON, ISA_AVX2, ISA_AVX512, ISA_COUNT };

const char *isa_name(enum isa isa); /* "avx512" */
/* Whether this program has kernels for it, and this processor can run them. */
bool isa_available(enum isa isa);
/* The best that is available, whatever TRAINER_ISA says. */
enum isa isa_best(void);
/* As TRAINER_ISA says; ISA_PORTABLE where it names what is not available. */
enum isa isa_chosen(void);
/* Whether TRAINER_ISA names none: then instructions beyond a set's may be used too. */
bool isa_is_automatic(void);
/* -1 where TRAINER_ISA says what cannot be done. */
int isa_check(struct failure *why);

#endif
