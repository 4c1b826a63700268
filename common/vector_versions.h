#ifndef COMMON_VECTOR_VERSIONS_H
#define COMMON_VECTOR_VERSIONS_H

/* Marks a function whose plain loops are worth compiling several times, for
 * processors with 128, 256 and 512 bit vectors; the loader takes the one that fits.
 * This needs gcc and the indirect functions of Linux on x86-64, which the sanitizers
 * cannot start up with; elsewhere the mark means nothing. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_VERSIONS __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define VECTOR_VERSIONS
#endif

#endif
