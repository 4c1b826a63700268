/* NumPy's .npy format, versions 1 to 3: "\x93NUMPY", the version, the header's length,
 * a header such as {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), },
 * then the values. */
#ifndef TRAINER_NPY_H
#define TRAINER_NPY_H

#include "common/base.h"
#include "common/text.h"

enum { NPY_DIMENSIONS_MOST = 4 };

struct npy {
    char kind;       /* 'u' or 'i' */
    bool big_endian;
    size_t width;    /* bytes of a value: 1, 2, 4 or 8 */
    size_t shape[NPY_DIMENSIONS_MOST];
    size_t dimensions, count; /* count: the product of the shape */
    const uint8_t *values;    /* [count * width], in the bytes that were parsed */
};

/* `name` is what messages begin with.  Only whole numbers in C order are read. */
int npy_parse(const char *name, const uint8_t *bytes, size_t size, struct npy *npy,
              struct failure *why);

/* Value i; one below zero or beyond 2^63 - 1 is returned as -1. */
int64_t npy_value(const struct npy *npy, size_t i);

/* Appends an array of float32, '<f4', in version 1 of the format. */
void npy_write(struct text *file, const size_t *shape, size_t dimensions, const float *values);

#endif
