#include "trainer/export_torch.h"

#include "trainer/export_code.h"
#include "trainer/layer.h"

#include <stdlib.h>
#include <string.h>

static bool has_weights(const struct export_layer *layer)
{
    return export_is(layer, "conv") || export_is(layer, "dense") || export_is(layer, "shortcut");
}

/* Marks the vectors of a flattened image as far as each value goes its own way; false where one
 * of them meets a vector in another order. */
static bool follow(const struct export_model *model, struct torch_order *order)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct export_layer *layer = &model->layers[i];
        if (export_flattens_image(layer)) {
            struct shape image = layer->input;
            order->image = image;
            order->turned[i] = image.channels > 1 && image.height * image.width > 1;
        } else if (torch_order_is_turned(order, layer) && !has_weights(layer)) {
            order->turned[i] = true;
        }
        bool meets = layer->shortcut >= 0 && order->turned[layer->shortcut];
        if (export_is(layer, "add") && (order->turned[i] || meets))
            return false;
    }
    return !order->turned[model->count - 1];
}

struct torch_order torch_order_find(const struct export_model *model)
{
    struct torch_order order = {.turned = xcalloc(model->count, sizeof *order.turned)};
    order.turns_image = !follow(model, &order);
    if (order.turns_image)
        memset(order.turned, 0, model->count * sizeof *order.turned);
    return order;
}

void torch_order_release(struct torch_order *order)
{
    free(order->turned);
    order->turned = NULL;
}

bool torch_order_is_turned(const struct torch_order *order, const struct export_layer *layer)
{
    return layer->source >= 0 && order->turned[layer->source];
}
