/* Prints a network's logits, for the tests of what it is exported to:
 *
 *   logits_driver MODEL < images, float32 [count][height][width][channels] in [0, 1]
 *                       > logits, float32 [count][classes] */
#include "trainer/checkpoint.h"
#include "trainer/floats.h"
#include "trainer/layer.h"

#include <stdio.h>
#include <stdlib.h>

static void answer(struct network *network)
{
    size_t size = shape_size(network_input(network)), classes = (size_t)network_classes(network);
    float *image = floats_new(size), *logits = floats_new(classes);
    while (fread(image, sizeof *image, size, stdin) == size) {
        network_predict(network, image, 1, logits);
        fwrite(logits, sizeof *logits, classes, stdout);
    }
    free(logits);
    free(image);
}

int main(int count, char *arguments[])
{
    struct failure why = FAILURE_NONE;
    struct network *network =
        count == 2 ? checkpoint_load_network(arguments[1], 1, NULL, &why) : NULL;
    if (!network) {
        fprintf(stderr, "logits_driver: %s\n", why.text ? why.text : "logits_driver MODEL");
        return EXIT_FAILED;
    }
    answer(network);
    network_free(network);
    return EXIT_DONE;
}
