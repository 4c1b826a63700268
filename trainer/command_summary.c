#include "trainer/command.h"

#include "common/json_text.h"
#include "common/options.h"
#include "trainer/checkpoint.h"
#include "trainer/configuration.h"
#include "trainer/describe.h"

#include <stdio.h>
#include <string.h>

static const char about[] =
    "Shows the layers of a saved network, or of one that a configuration would build, with the "
    "shape of their output, their parameters, and the arithmetic of one image's forward pass (a "
    "multiplication and an addition count as two).  A configuration that names no data set is "
    "taken for one of 28x28 images of 10 classes.\n";

static const char examples[] =
    "trainer summary model.ckpt\n"
    "trainer summary config.json\n"
    "tuner check study.yaml --trial 3 | trainer summary - --json\n";

/* ---- Printing ---- */

/* Digits in groups of three: "1,199,882".  Network sizes have no more than 20 digits. */
static const char *grouped(double number, char text[32])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%.0f", number);
    char *to = text;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

static void print_line(char mark)
{
    for (int i = 0; i < 84; i++)
        putchar(mark);
    putchar('\n');
}

static void print_layer(const struct layer_summary *layer)
{
    char title[64], shape[48], parameters[32], flops[32];
    snprintf(title, sizeof title, "%s (%s)", layer->name, layer->type);
    if (layer->flat)
        snprintf(shape, sizeof shape, "%d", layer->output.channels);
    else
        snprintf(shape, sizeof shape, "%d x %d x %d", layer->output.height, layer->output.width,
                 layer->output.channels);
    printf("%-36s  %-16s  %11s  %15s\n", title, shape,
           grouped((double)layer->parameters, parameters), grouped(layer->flops, flops));
}

static void print_table(const struct network *network)
{
    char number[32];
    struct shape input = network_input(network);
    printf("Input: %d x %d x %d\n", input.height, input.width, input.channels);
    print_line('_');
    printf("%-36s  %-16s  %11s  %15s\n", "Layer (type)", "Output shape", "Parameters", "FLOPs");
    print_line('=');
    for (size_t i = 0; i < network_layer_count(network); i++) {
        struct layer_summary layer;
        network_layer(network, i, &layer);
        print_layer(&layer);
    }
    print_line('=');
    printf("Parameters: %s\n", grouped((double)network_parameter_count(network), number));
    printf("FLOPs per image, forward: %s\n", grouped(network_flops(network), number));
}

static void print_json(const struct network *network)
{
    struct shape input = network_input(network);
    json_t *summary =
        json_pack("{s:[i, i, i], s:i, s:o, s:I, s:f}", "input", input.height, input.width,
                  input.channels, "classes", network_classes(network), "layers",
                  describe_layers(network), "parameters",
                  (json_int_t)network_parameter_count(network), "flops", network_flops(network));
    json_text_print(summary);
    json_decref(summary);
}

/* ---- The network ---- */

/* The shape of the images is known without a look at them, but for a folder's. */
static int find_shape(const struct configuration *configuration, struct shape *shape,
                      int *classes, struct failure *why)
{
    const char *name =
        json_string_value(json_object_get(configuration->data, "dataset"));
    *shape = (struct shape){28, 28, 1};
    *classes = 10;
    if (!name || strcmp(name, "mnist") == 0 || strcmp(name, "synthetic") == 0)
        return 0;
    struct dataset *dataset = NULL;
    json_t *data = configuration_data(configuration->data, NULL, configuration->seed, why);
    if (data)
        dataset = dataset_load(data, why);
    json_decref(data);
    if (!dataset)
        return -1;
    *shape = (struct shape){dataset->height, dataset->width, dataset->channels};
    *classes = dataset->classes;
    dataset_free(dataset);
    return 0;
}

static struct network *build_network(const char *path, struct failure *why)
{
    struct configuration *configuration = configuration_read(path, why);
    struct network *network = NULL;
    struct shape shape;
    int classes;
    if (configuration && find_shape(configuration, &shape, &classes, why) == 0) {
        network = network_new(configuration->model, shape, classes, 1, why);
        if (!network)
            fail_prefix(why, "%s", path);
    }
    configuration_free(configuration);
    return network;
}

enum exit_code command_summary(char *const arguments[], struct failure *why)
{
    bool json = false;
    const char *path = NULL;
    const struct option_rule rules[] = {{"json", 0, OPTION_FLAG, &json, 0, 0, NULL, "as JSON"}};
    const struct options options = {"trainer summary", rules, ARRAY_LENGTH(rules),
                                    "MODEL|CONFIG.json", 1, 1, .about = about,
                                    .examples = examples};
    if (options_parse(&options, arguments, &path, NULL, why) != 0)
        return why->code;
    struct network *network = configuration_is(path)
                                  ? build_network(path, why)
                                  : checkpoint_load_network(path, 1, NULL, why);
    if (!network)
        return why->code;
    if (json)
        print_json(network);
    else
        print_table(network);
    network_free(network);
    return EXIT_DONE;
}
