/* 16 registers of 8 floats. */
#if defined(__x86_64__)
#define LANES 8
#define VECTORS_MOST 2
#define PIXELS_MOST 6
#define CONV_KERNELS conv_avx2
#define CONV_ISA "avx2"
#include "trainer/conv_blocks.h"
#endif
