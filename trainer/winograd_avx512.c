/* The vectors of conv_avx512.c. */
#if defined(__x86_64__)
#define LANES 16
#define VECTORS_MOST 2
#define WINOGRAD_KERNELS winograd_avx512
#include "trainer/winograd_blocks.h"
#endif
