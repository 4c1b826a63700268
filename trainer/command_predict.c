#include "trainer/command.h"

#include "common/options.h"
#include "trainer/data_idx.h"
#include "trainer/evaluate.h"
#include "trainer/trained.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_MOST = 1000 };

static const char help[] =
    "Examples:\n"
    "  trainer predict model.ckpt images-idx3-ubyte.gz       every image of a file\n"
    "  trainer predict model.ckpt --data mnist --index 7     test image 7 of a data set\n"
    "  trainer predict model.ckpt images-idx3-ubyte --json\n"
    "\n"
    "Usage: trainer predict MODEL FILES...\n"
    "       trainer predict MODEL --data mnist|synthetic|FOLDER --index N\n"
    "\n"
    "Prints for each image the class that the network takes it for and the probability of\n"
    "every class.  FILES are IDX files of images, plain or compressed.\n"
    "\n"
    "  --data DATA  the data set whose test image is meant\n"
    "  --index N    its number, from 0\n"
    "  --seed N     seed of the synthetic digits, instead of the one trained with\n"
    "  --threads N  on how many cores (1)\n"
    "  --json       one JSON object a line\n";

struct request {
    struct trained_request trained;
    int64_t index; /* -1: files are named */
    const char *words[1 + FILES_MOST];
    size_t word_count;
    bool json;
};

static void print_json(const char *name, size_t image, const struct evaluation *evaluation,
                       size_t row, const uint8_t *label)
{
    json_t *probabilities = json_array();
    for (int c = 0; c < evaluation->classes; c++)
        json_array_append_new(
            probabilities,
            json_real((double)evaluation->probabilities[row * (size_t)evaluation->classes +
                                                        (size_t)c]));
    json_t *line = json_pack("{s:s, s:I, s:i, s:o}", "file", name, "image", (json_int_t)image,
                             "class", evaluation->predicted[row], "probabilities",
                             probabilities);
    if (label)
        json_object_set_new(line, "label", json_integer(*label));
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(line);
}

static void print_heading(const struct evaluation *evaluation, bool labelled)
{
    printf("image  %sclass", labelled ? "label  " : "");
    for (int c = 0; c < evaluation->classes; c++)
        printf("    p(%d)", c);
    putchar('\n');
}

static void print_row(size_t image, const struct evaluation *evaluation, size_t row,
                      const uint8_t *label)
{
    printf("%5zu  ", image);
    if (label)
        printf("%5d  ", *label);
    printf("%5d", evaluation->predicted[row]);
    for (int c = 0; c < evaluation->classes; c++)
        printf("  %.4f", (double)evaluation->probabilities[row * (size_t)evaluation->classes +
                                                           (size_t)c]);
    putchar('\n');
}

/* Classifies the images of `set`, which are numbered from `first` in what they are from. */
static void predict(struct network *network, const char *name, const struct image_set *set,
                    size_t first, bool json)
{
    struct evaluation evaluation;
    evaluate_images(network, set, NULL, NULL, &evaluation);
    if (!json)
        print_heading(&evaluation, set->labels);
    for (size_t i = 0; i < set->count; i++) {
        const uint8_t *label = set->labels ? &set->labels[i] : NULL;
        if (json)
            print_json(name, first + i, &evaluation, i, label);
        else
            print_row(first + i, &evaluation, i, label);
    }
    evaluation_release(&evaluation);
}

static int predict_file(struct network *network, const char *model, const char *path, bool json,
                        struct failure *why)
{
    struct image_set set = {0};
    int height = 0, width = 0;
    int result = data_idx_read_images(path, &set, &height, &width, why);
    if (result == 0 && evaluate_check_fit(network, model, height, width, 1, 0, why) != 0)
        result = fail_prefix(why, "%s", path);
    if (result == 0)
        predict(network, path, &set, 0, json);
    free(set.pixels);
    return result;
}

static int predict_index(const struct trained *trained, const struct request *request,
                         struct failure *why)
{
    const struct image_set *test = &trained->dataset->test;
    size_t index = (size_t)request->index;
    if (index >= test->count)
        return fail_input(why, "there is no test image %zu; the last one is %zu", index,
                          test->count - 1);
    size_t size = (size_t)(trained->dataset->height * trained->dataset->width *
                           trained->dataset->channels);
    struct image_set one = {test->pixels + index * size, test->labels + index, 1};
    predict(trained->network, request->trained.data, &one, index, request->json);
    return 0;
}

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    const struct option_rule rules[] = {
        {"data", 0, OPTION_TEXT, &request->trained.data, 0, 0},
        {"seed", 0, OPTION_TEXT, &request->trained.seed, 0, 0},
        {"threads", 0, OPTION_INTEGER, &request->trained.threads, 1, 1024},
        {"index", 0, OPTION_INTEGER, &request->index, 0, INT64_MAX},
        {"json", 0, OPTION_FLAG, &request->json, 0, 0},
    };
    const struct options options = {"trainer predict", rules, ARRAY_LENGTH(rules),
                                    "a MODEL", 1, 1 + FILES_MOST};
    int parsed = options_parse(&options, arguments, request->words, &request->word_count, why);
    if (parsed != 0)
        return parsed;
    request->trained.model = request->words[0];
    bool by_index = request->index >= 0;
    if (by_index != (request->trained.data != NULL))
        return fail_usage(why, "--data and --index go together");
    if (by_index == (request->word_count > 1))
        return fail_usage(why, "say files of images, or --data and --index; see trainer "
                          "predict --help");
    return 0;
}

enum exit_code command_predict(char *const arguments[], struct failure *why)
{
    struct request request = {.trained = {.threads = 1}, .index = -1};
    struct trained trained = {0};
    int result = parse(arguments, &request, why);
    if (result > 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (result == 0)
        result = trained_load(&request.trained, &trained, why);
    if (result == 0 && request.index >= 0)
        result = predict_index(&trained, &request, why);
    for (size_t i = 1; i < request.word_count && result == 0; i++)
        result = predict_file(trained.network, request.trained.model, request.words[i],
                              request.json, why);
    trained_release(&trained);
    return why->code;
}
