#include "trainer/trained.h"

#include "common/seed.h"
#include "trainer/checkpoint.h"
#include "trainer/configuration.h"
#include "trainer/evaluate.h"

#include <string.h>

void trained_rules(struct trained_request *request, struct option_rule rules[TRAINED_RULES])
{
    const struct option_rule own[TRAINED_RULES] = {
        {"seed", 0, OPTION_TEXT, &request->seed, 0, 0, "N",
         "which synthetic digits, or which tenth of a CSV file, instead of the seed trained with"},
        {"threads", 0, OPTION_INTEGER, &request->threads, 1, 1024, "N", "on how many cores (1)"},
        {"transpose", 0, OPTION_FLAG, &request->transpose, 0, 0, NULL,
         "images of IDX files are stored column by column"},
        {"first-label", 0, OPTION_INTEGER, &request->first_label, 0, UINT8_MAX, "N",
         "the label of class 0 in IDX files; both as under `data` of a study"},
    };
    memcpy(rules, own, sizeof own);
}

static int choose_seed(const struct trained_request *request, const json_t *header,
                       uint64_t *seed, struct failure *why)
{
    *seed = 0;
    if (request->seed && !seed_parse(request->seed, seed))
        return fail_usage(why, "--seed needs a whole number from 0 to 2^64 - 1, not '%s'",
                          request->seed);
    if (!request->seed)
        seed_parse(json_string_value(json_object_get(header, "seed")), seed);
    return 0;
}

/* Digits drawn here in place of MNIST would say nothing about a network's MNIST. */
static int refuse_substitute(const struct trained_request *request, const json_t *data,
                             struct failure *why)
{
    const char *found = json_string_value(json_object_get(data, "dataset"));
    if (strcmp(request->data, "mnist") == 0 && strcmp(found, "mnist") != 0)
        return fail_input(why, "MNIST is neither here nor can it be fetched; set $MNIST_DIR to "
                          "its folder, or say --data synthetic");
    return 0;
}

/* The form of the data, where the files do not say it themselves: the network knows how high
 * and wide the images of a CSV file are (square ones are found by their number of pixels),
 * the request what is unusual in IDX files. */
static json_t *known_form(const struct trained_request *request, const struct network *network)
{
    struct shape input = network_input(network);
    json_t *form = json_object();
    if (input.height != input.width) {
        json_object_set_new(form, "height", json_integer(input.height));
        json_object_set_new(form, "width", json_integer(input.width));
    }
    if (request->transpose)
        json_object_set_new(form, "transpose", json_true());
    if (request->first_label > 0)
        json_object_set_new(form, "first_label", json_integer(request->first_label));
    return form;
}

static struct dataset *load_dataset(const struct trained_request *request,
                                    const struct network *network, uint64_t seed,
                                    struct failure *why)
{
    struct dataset *dataset = NULL;
    json_t *form = known_form(request, network);
    json_t *data = configuration_data(form, request->data, seed, why);
    if (data && refuse_substitute(request, data, why) == 0)
        dataset = dataset_load(data, why);
    json_decref(data);
    json_decref(form);
    return dataset;
}

int trained_load(const struct trained_request *request, struct trained *trained,
                 struct failure *why)
{
    json_t *header = NULL;
    uint64_t seed = 0;
    int result = -1;
    trained->network =
        checkpoint_load_network(request->model, (int)request->threads, &header, why);
    if (!trained->network || choose_seed(request, header, &seed, why) != 0)
        goto done;
    if (request->data) {
        trained->dataset = load_dataset(request, trained->network, seed, why);
        if (!trained->dataset)
            goto done;
        const struct dataset *dataset = trained->dataset;
        if (evaluate_check_fit(trained->network, request->model, dataset->height, dataset->width,
                               dataset->channels, dataset->classes, why) != 0)
            goto done;
    }
    result = 0;
done:
    json_decref(header);
    return result;
}

void trained_release(struct trained *trained)
{
    network_free(trained->network);
    dataset_free(trained->dataset);
    *trained = (struct trained){0};
}
