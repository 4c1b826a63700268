/* How much memory there is for this process. */
#ifndef TRAINER_MEMORY_H
#define TRAINER_MEMORY_H

#include <stddef.h>

/* Bytes that it may still take: of its address space where that is limited, and of all that
 * the machine has.  Not of what is free at the moment, so that what does not fit
 * today would not fit tomorrow either. */
size_t memory_left(void);

#endif
