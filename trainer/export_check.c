#include "trainer/export_check.h"

#include "common/rng.h"
#include "trainer/floats.h"
#include "trainer/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 2 };

/* Noise: every pixel of an image and every weight has a share in the logits. */
static void draw_images(size_t count, float *pixels)
{
    struct rng rng;
    rng_init(&rng, 0, 0, RNG_SYNTHETIC, 0);
    for (size_t i = 0; i < count; i++)
        pixels[i] = (float)rng_below(&rng, 256);
}

static void to_unit(size_t count, float *pixels)
{
    for (size_t i = 0; i < count; i++)
        pixels[i] /= 255.0f;
}

static int compare(size_t count, const float *logits, const float *expected, struct failure *why)
{
    double largest = 1.0, difference = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(expected[i]))
            return fail(why, "the network's logits are not finite: its training has diverged");
        largest = fmax(largest, fabs((double)expected[i]));
    }
    for (size_t i = 0; i < count; i++) {
        double distance = fabs((double)logits[i] - (double)expected[i]);
        difference = isnan(distance) ? (double)INFINITY : fmax(difference, distance);
    }
    if (difference <= EXPORT_TOLERANCE * largest)
        return 0;
    return fail(why, "its logits differ from the network's by %g, where they go up to %g; this is "
                     "a fault of the export", difference, largest);
}

int export_check(const struct export_model *model, export_runner *run, const void *exported,
                 struct failure *why)
{
    size_t values = IMAGES * shape_size(model->input);
    size_t count = IMAGES * (size_t)model->classes;
    float *pixels = floats_new(values), *expected = floats_new(count), *logits = floats_new(count);
    draw_images(values, pixels);
    if (model->unit_pixels)
        to_unit(values, pixels);
    int result = run(exported, pixels, IMAGES, logits, why);
    if (!model->unit_pixels)
        to_unit(values, pixels);
    network_predict(model->network, pixels, IMAGES, expected);
    if (result == 0)
        result = compare(count, logits, expected, why);
    free(logits);
    free(expected);
    free(pixels);
    return result;
}

int export_write(const char *path, const void *bytes, size_t size, struct failure *why)
{
    const struct file_piece piece = {bytes, size};
    char *read = NULL;
    size_t read_size = 0;
    if (file_replace(path, &piece, 1, why) < 0 || file_read(path, size, &read, &read_size, why) < 0)
        return -1;
    bool same = read_size == size && memcmp(read, bytes, size) == 0;
    free(read);
    return same ? 0 : fail(why, "%s: what is there now is not what was written", path);
}
