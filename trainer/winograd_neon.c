/* The vectors of conv_neon.c. */
#if defined(__aarch64__)
#define LANES 4
#define VECTORS_MOST 4
#define WINOGRAD_KERNELS winograd_neon
#include "trainer/winograd_blocks.h"
#endif
