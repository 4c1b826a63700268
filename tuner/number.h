/* Numbers of expressions: integers as long as the mathematics allows, else reals. */
#ifndef TUNER_NUMBER_H
#define TUNER_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

struct number {
    bool is_integer;
    int64_t integer; /* where is_integer */
    double real;     /* always */
};

enum operation {
    NUMBER_ADD,
    NUMBER_SUBTRACT,
    NUMBER_MULTIPLY,
    NUMBER_DIVIDE,       /* of integers an integer when it comes out even */
    NUMBER_FLOOR_DIVIDE, /* rounds down, also below zero */
    NUMBER_REMAINDER     /* of NUMBER_FLOOR_DIVIDE: has the sign of the divisor */
};

struct number number_integer(int64_t integer);
struct number number_real(double real);

/* *left = *left OPERATION right.  NULL, or what is wrong: division by zero, or a
 * result that is no 64-bit integer or not finite. */
const char *number_apply(enum operation operation, struct number *left, struct number right);

#endif
