/* 32 registers of 4 floats. */
#if defined(__aarch64__)
#define LANES 4
#define VECTORS_MOST 4
#define PIXELS_MOST 6
#define CONV_KERNELS conv_neon
#define CONV_ISA "neon"
#include "trainer/conv_blocks.h"
#endif
