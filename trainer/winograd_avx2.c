/* The vectors of conv_avx2.c. */
#if defined(__x86_64__)
#define LANES 8
#define VECTORS_MOST 2
#define WINOGRAD_KERNELS winograd_avx2
#include "trainer/winograd_blocks.h"
#endif
