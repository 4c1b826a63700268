/* What a network is in PyTorch, where images are [channels][height][width]: for
 * export_safetensors.c alone.
 *
 * A vector that an image was flattened into is in that order too, and the weights behind it are
 * turned round to fit.  That cannot be where such a vector is added to a dense layer's output or
 * is the network's own: then the image is turned to [height][width][channels] before it is
 * flattened, and every weight stays in its place. */
#ifndef TRAINER_EXPORT_TORCH_H
#define TRAINER_EXPORT_TORCH_H

#include "trainer/export.h"

struct torch_order {
    struct shape image; /* that is flattened */
    bool *turned;       /* [layers]: its output is such a vector */
    bool turns_image;   /* the image is turned before it is flattened; `turned` is all false */
};

struct torch_order torch_order_find(const struct export_model *model);
void torch_order_release(struct torch_order *order);

/* Whether what goes into the layer is such a vector. */
bool torch_order_is_turned(const struct torch_order *order, const struct export_layer *layer);

/* The program that rebuilds the network and loads the file `path`; NULL on failure, and the
 * caller frees it. */
char *export_torch_program(const struct export_model *model, const struct torch_order *order,
                           const char *path, struct failure *why);

#endif
