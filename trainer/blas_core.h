/* Which of its kernels BLAS uses: those for this processor, also where BLAS is older than it.
 *
 * OpenBLAS looks at a processor's family and model, and takes the kernels of the oldest there
 * are, Prescott's with SSE3, for one that came after its release, whatever instructions it has:
 * a fifth of the speed.  OPENBLAS_CORETYPE tells it what to take, but is read only while it is
 * being loaded, before main(). */
#ifndef TRAINER_BLAS_CORE_H
#define TRAINER_BLAS_CORE_H

#include "trainer/isa.h"

/* What OPENBLAS_CORETYPE should be: the name of kernels for the set `has`, where `chosen`, which
 * OpenBLAS took by itself, are of a processor that has not even AVX2, and nobody `said` which to
 * take (the variable's value, or NULL).  Never kernels for which a processor must have more than
 * the set, such as tiles.  Else NULL: with AVX2 OpenBLAS knew what it did. */
const char *blas_core_wanted(const char *chosen, enum isa has, const char *said);

/* Begins this program anew, with the same arguments, process id and open files, in an environment
 * that says what is wanted.  Returns where there is nothing to mend, and so in the program that
 * it began, for there the variable is set; and where the program could not be begun, when
 * everything works as before, slowly.  To be called before anything else. */
void blas_core_choose(char *const arguments[]);

#endif
