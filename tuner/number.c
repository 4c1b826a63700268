#include "tuner/number.h"

#include <math.h>
#include <stddef.h>

struct number number_integer(int64_t integer)
{
    return (struct number){true, integer, (double)integer};
}

struct number number_real(double real)
{
    return (struct number){false, 0, real};
}

/* Division that rounds down; b is not 0 and a / b does not overflow. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* False: the result is no 64-bit integer. */
static bool apply_integers(enum operation operation, int64_t a, int64_t b, struct number *result)
{
    int64_t integer = 0;
    bool overflow = false;
    switch (operation) {
    case NUMBER_ADD:
        overflow = __builtin_add_overflow(a, b, &integer);
        break;
    case NUMBER_SUBTRACT:
        overflow = __builtin_sub_overflow(a, b, &integer);
        break;
    case NUMBER_MULTIPLY:
        overflow = __builtin_mul_overflow(a, b, &integer);
        break;
    case NUMBER_REMAINDER:
        integer = b == -1 ? 0 : a - floor_divide(a, b) * b;
        break;
    default:
        if (b == -1) { /* the one quotient that can overflow */
            overflow = __builtin_sub_overflow((int64_t)0, a, &integer);
        } else if (operation == NUMBER_DIVIDE && a % b != 0) {
            *result = number_real((double)a / (double)b);
            return true;
        } else {
            integer = floor_divide(a, b);
        }
    }
    *result = number_integer(integer);
    return !overflow;
}

static double apply_reals(enum operation operation, double a, double b)
{
    switch (operation) {
    case NUMBER_ADD:
        return a + b;
    case NUMBER_SUBTRACT:
        return a - b;
    case NUMBER_MULTIPLY:
        return a * b;
    case NUMBER_DIVIDE:
        return a / b;
    case NUMBER_FLOOR_DIVIDE:
        return floor(a / b);
    default:
        return a - b * floor(a / b);
    }
}

const char *number_apply(enum operation operation, struct number *left, struct number right)
{
    bool divides = operation == NUMBER_DIVIDE || operation == NUMBER_FLOOR_DIVIDE ||
                   operation == NUMBER_REMAINDER;
    if (divides && right.real == 0) {
        return "division by zero";
    }
    if (left->is_integer && right.is_integer) {
        bool fits = apply_integers(operation, left->integer, right.integer, left);
        return fits ? NULL : "the result is too large for a 64-bit integer";
    }
    *left = number_real(apply_reals(operation, left->real, right.real));
    return isfinite(left->real) ? NULL : "the result is too large";
}
