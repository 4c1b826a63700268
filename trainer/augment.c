#include "trainer/augment.h"

#include "common/member.h"
#include "common/rng.h"
#include "trainer/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the generator that belong to each image, whole blocks of it.  Part of every
 * result, as is the order in which they are used: never change either. */
enum { NUMBERS = 8 };

struct augment {
    double shift, rotate, zoom, shear; /* half-ranges */
    size_t height, width, channels;
    uint8_t *frame;  /* the image with 0 around it, see kernel_quads() */
    uint32_t *quads; /* [height + 2][width + 2][channels] */
};

struct augment *augment_new(const json_t *settings, struct shape shape)
{
    struct augment ranges = {
        .shift = member_number(settings, "shift"),
        .rotate = member_number(settings, "rotate"),
        .zoom = member_number(settings, "zoom"),
        .shear = member_number(settings, "shear"),
        .height = (size_t)shape.height,
        .width = (size_t)shape.width,
        .channels = (size_t)shape.channels,
    };
    if (ranges.shift == 0.0 && ranges.rotate == 0.0 && ranges.zoom == 0.0 && ranges.shear == 0.0)
        return NULL;
    struct augment *augment = xmalloc(sizeof *augment);
    size_t row = (ranges.width + 2) * ranges.channels;
    *augment = ranges;
    augment->frame = xcalloc((ranges.height + 3) * row + ranges.channels, 1);
    augment->quads = xreallocarray(NULL, (ranges.height + 2) * row, sizeof *augment->quads);
    return augment;
}

void augment_free(struct augment *augment)
{
    if (!augment)
        return;
    free(augment->frame);
    free(augment->quads);
    free(augment);
}

static double draw(struct rng *rng, double range)
{
    return range * (2.0 * (double)rng_float(rng) - 1.0);
}

void augment_draw(const struct augment *augment, uint64_t seed, uint32_t trial, uint64_t epoch,
                  uint64_t image, struct augment_move *move)
{
    struct rng rng;
    rng_init(&rng, seed, trial, RNG_AUGMENT, epoch);
    rng_seek(&rng, image * NUMBERS);
    move->across = draw(&rng, augment->shift);
    move->down = draw(&rng, augment->shift);
    move->turn = draw(&rng, augment->rotate);
    move->size = 1.0 + draw(&rng, augment->zoom);
    move->lean = draw(&rng, augment->shear);
}

/* The constant that makes `factors` lead from `to` back to `from`. */
static void anchor(double factors[3], double from, const double to[2])
{
    factors[2] = from - factors[0] * to[0] - factors[1] * to[1];
}

/* The inverse of the move: where each pixel came from. */
static struct affine find_source(const struct augment *augment, const struct augment_move *move)
{
    const double degree = M_PI / 180.0;
    double sine = sin(move->turn * degree), cosine = cos(move->turn * degree);
    double slope = tan(move->lean * degree);
    double middle_x = ((double)augment->width - 1.0) / 2.0;
    double middle_y = ((double)augment->height - 1.0) / 2.0;
    const double moved_middle[] = {middle_x + move->across, middle_y + move->down};
    struct affine source = {
        .column = {(cosine + slope * sine) / move->size, (sine - slope * cosine) / move->size},
        .row = {-sine / move->size, cosine / move->size},
    };
    anchor(source.column, middle_x, moved_middle);
    anchor(source.row, middle_y, moved_middle);
    return source;
}

void augment_apply(struct augment *augment, const struct augment_move *move,
                   const uint8_t *pixels, float *values)
{
    struct affine source = find_source(augment, move);
    size_t row = augment->width * augment->channels;
    size_t frame_row = row + 2 * augment->channels;
    uint8_t *inside = augment->frame + frame_row + augment->channels;
    for (size_t y = 0; y < augment->height; y++)
        memcpy(inside + y * frame_row, pixels + y * row, row);
    kernel_quads(augment->height, augment->width, augment->channels, augment->frame,
                 augment->quads);
    kernel_affine(augment->height, augment->width, augment->channels, &source, augment->quads,
                  values);
}
