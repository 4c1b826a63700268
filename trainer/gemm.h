/* Products of matrices: the one doorway to BLAS.
 *
 * Matrices are dense and row by row.  The caller's number of threads is its own
 * business, so BLAS is told to use one. */
#ifndef TRAINER_GEMM_H
#define TRAINER_GEMM_H

#include <stddef.h>

/* The name of the kernels that BLAS chose for this processor, "SkylakeX": results have
 * the same bits only with the same ones.  Not to be freed. */
const char *gemm_kernels(void);

/* To be called before the first product; again does no harm. */
void gemm_prepare(void);

/* c[m][n] = a[m][k] b[k][n] */
void gemm(size_t m, size_t n, size_t k, const float *a, const float *b, float *c);

/* c[m][n] = a[m][k] b[n][k]^T */
void gemm_transposed_b(size_t m, size_t n, size_t k, const float *a, const float *b, float *c);

/* c[m][n] = keep * c + a[k][m]^T b[k][n]; with `keep` 0, c need not be set before. */
void gemm_transposed_a(size_t m, size_t n, size_t k, const float *a, const float *b, float keep,
                       float *c);

#endif
