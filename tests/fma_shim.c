/* fmaf() for an emulator of x86-64 on x86-64 with FMA, loaded by LD_PRELOAD: six times as fast
 * there as libm's.  qemu's translations leave the upper halves of the vector registers in use, and
 * libm's fmaf() is one AVX instruction among qemu's own, which are SSE's: to go from one to the
 * other and back while those halves are in use takes some 100 ns for each number (measured on an
 * Intel Xeon with AMX). */
#ifdef __x86_64__

float fmaf(float a, float b, float c);

float fmaf(float a, float b, float c)
{
    __asm__ volatile("vzeroupper\n\tvfmadd213ss %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}

#endif
