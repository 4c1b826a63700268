#include "trainer/gemm.h"

#include <cblas.h>

const char *gemm_kernels(void)
{
    return openblas_get_corename();
}

void gemm_prepare(void)
{
    openblas_set_num_threads(1);
}

/* A network's sizes are bounded far below what a blasint holds (network.c). */
static void multiply(CBLAS_TRANSPOSE turn_a, CBLAS_TRANSPOSE turn_b, size_t m, size_t n, size_t k,
                     const float *a, const float *b, float keep, float *c)
{
    size_t row_a = turn_a == CblasTrans ? m : k;
    size_t row_b = turn_b == CblasTrans ? k : n;
    cblas_sgemm(CblasRowMajor, turn_a, turn_b, (blasint)m, (blasint)n, (blasint)k, 1.0f, a,
                (blasint)row_a, b, (blasint)row_b, keep, c, (blasint)n);
}

void gemm(size_t m, size_t n, size_t k, const float *a, const float *b, float *c)
{
    multiply(CblasNoTrans, CblasNoTrans, m, n, k, a, b, 0.0f, c);
}

void gemm_transposed_b(size_t m, size_t n, size_t k, const float *a, const float *b, float *c)
{
    multiply(CblasNoTrans, CblasTrans, m, n, k, a, b, 0.0f, c);
}

void gemm_transposed_a(size_t m, size_t n, size_t k, const float *a, const float *b, float keep,
                       float *c)
{
    multiply(CblasTrans, CblasNoTrans, m, n, k, a, b, keep, c);
}
