#include "trainer/npy.h"

#include "trainer/floats.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 4096, PREFIX = 8 };

/* Splits the file into header text (a new string) and what follows it. */
static char *take_header(const char *name, const uint8_t *bytes, size_t size, size_t *after,
                         struct failure *why)
{
    if (size < PREFIX + 4 || memcmp(bytes, "\x93NUMPY", 6) != 0) {
        fail_input(why, "%s: this is no .npy array; save it with numpy.savez", name);
        return NULL;
    }
    if (bytes[6] < 1 || bytes[6] > 3) {
        fail_input(why, "%s: version %d of the .npy format; versions 1 to 3 are read", name,
                   bytes[6]);
        return NULL;
    }
    size_t prefix = bytes[6] == 1 ? PREFIX + 2 : PREFIX + 4;
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > size - prefix || length > HEADER_MOST) {
        fail_input(why, "%s: its .npy header promises %zu bytes, which are not there; save it "
                   "again", name, length);
        return NULL;
    }
    *after = prefix + length;
    return xstrndup((const char *)bytes + prefix, length);
}

/* What follows 'key': in the header, or NULL. */
static const char *find_value(const char *header, const char *key)
{
    char *quoted = xasprintf("'%s':", key);
    const char *at = strstr(header, quoted);
    if (at)
        at += strlen(quoted) + strspn(at + strlen(quoted), " ");
    free(quoted);
    return at;
}

/* '|u1', '<i8' and the like. */
static bool parse_type(const char *at, struct npy *npy)
{
    if (!at || strlen(at) < 5 || at[0] != '\'' || !strchr("|<>", at[1]) || !strchr("ui", at[2]) ||
        !strchr("1248", at[3]) || at[4] != '\'')
        return false;
    npy->big_endian = at[1] == '>';
    npy->kind = at[2];
    npy->width = (size_t)(at[3] - '0');
    return true;
}

/* (60000, 28, 28) or (60000,); no value may be 0 or the product overflow. */
static bool parse_shape(const char *at, struct npy *npy)
{
    if (!at || *at++ != '(')
        return false;
    npy->dimensions = 0;
    npy->count = 1;
    while (*at >= '0' && *at <= '9' && npy->dimensions < NPY_DIMENSIONS_MOST) {
        char *end;
        unsigned long long value = strtoull(at, &end, 10);
        if (value == 0 || value > UINT32_MAX || npy->count > SIZE_MAX / 8 / value)
            return false;
        npy->shape[npy->dimensions++] = (size_t)value;
        npy->count *= (size_t)value;
        at = end + strspn(end, " ,");
    }
    return npy->dimensions > 0 && *at == ')';
}

static int parse_header(const char *name, const char *header, struct npy *npy,
                        struct failure *why)
{
    const char *order = find_value(header, "fortran_order");
    if (!parse_type(find_value(header, "descr"), npy))
        return fail_input(why, "%s: its values are no whole numbers of 1, 2, 4 or 8 bytes; "
                          "convert it with astype('uint8')", name);
    if (!order || strncmp(order, "False", 5) != 0)
        return fail_input(why, "%s: its values are in Fortran's order; save "
                          "numpy.ascontiguousarray of it", name);
    if (!parse_shape(find_value(header, "shape"), npy))
        return fail_input(why, "%s: its shape must have 1 to %d dimensions, none of them 0", name,
                          NPY_DIMENSIONS_MOST);
    return 0;
}

int npy_parse(const char *name, const uint8_t *bytes, size_t size, struct npy *npy,
              struct failure *why)
{
    size_t after = 0;
    char *header = take_header(name, bytes, size, &after, why);
    if (!header)
        return -1;
    int result = parse_header(name, header, npy, why);
    free(header);
    if (result == 0 && npy->count * npy->width != size - after)
        result = fail_input(why, "%s: its shape promises %zu bytes, but there are %zu; save it "
                            "again", name, npy->count * npy->width, size - after);
    npy->values = bytes + after;
    return result;
}

int64_t npy_value(const struct npy *npy, size_t i)
{
    const uint8_t *bytes = npy->values + i * npy->width;
    uint64_t value = 0;
    for (size_t k = 0; k < npy->width; k++)
        value |= (uint64_t)bytes[npy->big_endian ? npy->width - 1 - k : k] << 8 * k;
    uint64_t sign = (uint64_t)1 << (8 * npy->width - 1);
    bool negative = (npy->kind == 'i' || npy->width == 8) && (value & sign);
    return negative ? -1 : (int64_t)value;
}

/* ---- writing ---- */

/* The values begin at a multiple of this, as the format asks for. */
enum { ALIGNMENT = 64 };

static struct text describe(const size_t *shape, size_t dimensions)
{
    struct text header = TEXT_EMPTY;
    text_add(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (size_t i = 0; i < dimensions; i++)
        text_addf(&header, i + 1 < dimensions ? "%zu, " : "%zu", shape[i]);
    text_add(&header, dimensions == 1 ? ",), }" : "), }");
    while ((PREFIX + 2 + header.length + 1) % ALIGNMENT != 0)
        text_add_char(&header, ' ');
    text_add_char(&header, '\n');
    return header;
}

void npy_write(struct text *file, const size_t *shape, size_t dimensions, const float *values)
{
    struct text header = describe(shape, dimensions);
    size_t count = 1;
    for (size_t i = 0; i < dimensions; i++)
        count *= shape[i];
    text_add_bytes(file, "\x93NUMPY\1\0", PREFIX);
    text_add_char(file, (char)(header.length & 0xff));
    text_add_char(file, (char)(header.length >> 8));
    text_add_bytes(file, header.at, header.length);
    floats_write(file, values, count);
    text_free(&header);
}
