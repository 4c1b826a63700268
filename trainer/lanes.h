/* Sixteen numbers side by side, at any address, whatever vectors the processor has: for the
 * loops that compilers do badly by themselves.  They turn "where it is larger, take it" into
 * branches and writes of single lanes, and keep a sum that many rows are added to in memory.
 * The order of additions stays that of the plain loop. */
#ifndef TRAINER_LANES_H
#define TRAINER_LANES_H

#include <stdint.h>

enum { LANES = 16 };
typedef float lanes_float __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t lanes_int __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#endif
