#include "trainer/bf16.h"

#include <stddef.h>

/* There are none for any processor yet. */
const char *bf16_kernels(void)
{
    return NULL;
}
