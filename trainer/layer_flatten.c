#include "trainer/layer.h"

/* The image's values as one vector.  They lie in that order already, so there is
 * nothing to run; a vector stays as it is. */
static int prepare(struct layer *layer, const json_t *settings, const char *where,
                   struct failure *why)
{
    (void)settings, (void)where, (void)why;
    layer_output_vector(layer, layer->input_size);
    return 0;
}

const struct layer_type layer_flatten = {
    .name = "flatten",
    .label = "flatten",
    .prepare = prepare,
};
