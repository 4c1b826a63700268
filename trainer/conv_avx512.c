/* 32 registers of 16 floats. */
#if defined(__x86_64__)
#define LANES 16
#define VECTORS_MOST 2
#define PIXELS_MOST 14
#define CONV_KERNELS conv_avx512
#define CONV_ISA "avx512"
#include "trainer/conv_blocks.h"
#endif
