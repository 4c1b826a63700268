#include "trainer/kernels.h"

/* Pixels of a row that are worked on together: a fixed number, so that the loops over
 * them become vectors without a rest.  Those beyond the row's end are computed and left. */
enum { PIECE = 32 };

/* Where the pixels of a piece come from. */
struct piece {
    int32_t place[PIECE];              /* upper left of the four neighbours, in the frame */
    float across[PIECE], down[PIECE];  /* how far from there to the next, [0, 1) */
};

/* The way of a piece through the source: a straight line. */
struct line {
    float column, row, column_step, row_step; /* its first pixel, and on to the next */
    float last_column, last_row;              /* of the frame */
    int32_t width;                            /* of the frame */
};

VECTOR_VERSIONS
void kernel_quads(size_t height, size_t width, size_t channels, const uint8_t *restrict frame,
                  uint32_t *restrict quads)
{
    const uint8_t *right = frame + channels, *below = frame + (width + 2) * channels;
    const uint8_t *opposite = below + channels;
    for (size_t i = 0; i < (height + 2) * (width + 2) * channels; i++)
        quads[i] = (uint32_t)frame[i] | (uint32_t)right[i] << 8 | (uint32_t)below[i] << 16 |
                   (uint32_t)opposite[i] << 24;
}

/* What falls outside is moved to the frame's edge, where all is 0.  Both bounds in one
 * loop would keep it from becoming vectors. */
VECTOR_VERSIONS
static void locate(const struct line *line, struct piece *restrict piece)
{
    struct line way = *line;
    for (int32_t i = 0; i < PIECE; i++) {
        float column = way.column + way.column_step * (float)i;
        float row = way.row + way.row_step * (float)i;
        piece->across[i] = column < 0.0f ? 0.0f : column;
        piece->down[i] = row < 0.0f ? 0.0f : row;
    }
    for (size_t i = 0; i < PIECE; i++) {
        float column = piece->across[i] > way.last_column ? way.last_column : piece->across[i];
        float row = piece->down[i] > way.last_row ? way.last_row : piece->down[i];
        int32_t whole_column = (int32_t)column, whole_row = (int32_t)row;
        piece->place[i] = whole_row * way.width + whole_column;
        piece->across[i] = column - (float)whole_column;
        piece->down[i] = row - (float)whole_row;
    }
}

static inline float mix(float one, float other, float share)
{
    return one + share * (other - one);
}

static inline float tap(uint32_t quad, int which)
{
    return (float)(int32_t)(quad >> 8 * which & 255);
}

/* One channel of a piece: `quads` points at the channel's first. */
VECTOR_VERSIONS
static void blend(size_t channels, const uint32_t *restrict quads,
                  const struct piece *restrict piece, float *restrict values /* [PIECE] */)
{
    uint32_t taps[PIECE];
    for (size_t i = 0; i < PIECE; i++)
        taps[i] = quads[(size_t)piece->place[i] * channels];
    for (size_t i = 0; i < PIECE; i++) {
        float upper = mix(tap(taps[i], 0), tap(taps[i], 1), piece->across[i]);
        float lower = mix(tap(taps[i], 2), tap(taps[i], 3), piece->across[i]);
        values[i] = mix(upper, lower, piece->down[i]) / 255.0f;
    }
}

static float at(const double factors[3], size_t x, size_t y)
{
    return (float)(factors[0] * (double)x + factors[1] * (double)y + factors[2] + 1.0);
}

void kernel_affine(size_t height, size_t width, size_t channels, const struct affine *source,
                   const uint32_t *quads, float *output)
{
    struct piece piece;
    float values[PIECE];
    struct line line = {
        .column_step = (float)source->column[0],
        .row_step = (float)source->row[0],
        .last_column = (float)width + 1.0f,
        .last_row = (float)height + 1.0f,
        .width = (int32_t)width + 2,
    };
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x += PIECE) {
            size_t count = width - x < PIECE ? width - x : PIECE;
            line.column = at(source->column, x, y);
            line.row = at(source->row, x, y);
            locate(&line, &piece);
            for (size_t c = 0; c < channels; c++) {
                blend(channels, quads + c, &piece, values);
                for (size_t i = 0; i < count; i++)
                    output[i * channels + c] = values[i];
            }
            output += count * channels;
        }
    }
}
