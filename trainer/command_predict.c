#include "trainer/command.h"

#include "common/file.h"
#include "common/options.h"
#include "common/text.h"
#include "trainer/data_csv.h"
#include "trainer/data_idx.h"
#include "trainer/data_png.h"
#include "trainer/digit.h"
#include "trainer/evaluate.h"
#include "trainer/trained.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_MOST = 1000 };

static const char usage[] =
    "MODEL FILE...\n"
    "MODEL --data mnist|synthetic|PATH --index N\n"
    "MODEL --data test.csv --submission OUT.csv\n";

static const char about[] =
    "Prints for each image the class that the network takes it for and the probability of every "
    "class.  Files are IDX files of images, plain or compressed, or PNG files of one image each.  "
    "A PNG file of the network's size is taken as it is, any other is resized; for a network of "
    "28x28 grey pixels the digit is cut out, scaled to 20x20 and centred by its mass, as MNIST's "
    "are.  Grey pictures may be dark on light: the border's mean decides.  What is transparent is "
    "black, or white when nothing could be seen on black.\n";

static const char examples[] =
    "trainer predict model.ckpt images-idx3-ubyte.gz     every image of a file\n"
    "trainer predict model.ckpt --data mnist --index 7   test image 7\n"
    "trainer predict model.ckpt images-idx3-ubyte --json\n"
    "trainer predict model.ckpt drawing.png              a picture of one digit\n";

struct request {
    struct trained_request trained;
    int64_t index; /* -1: files are named */
    const char *words[1 + FILES_MOST];
    size_t word_count;
    const char *submission; /* the file to write, or NULL */
    const char *csv;        /* what it answers */
    bool json;
};

/* A network whose training diverged gives what is no number. */
static json_t *number_or_null(float value)
{
    return isfinite(value) ? json_real((double)value) : json_null();
}

static void print_json(const char *name, size_t image, const struct evaluation *evaluation,
                       size_t row, const uint16_t *label)
{
    const float *values = evaluation->probabilities + row * (size_t)evaluation->classes;
    json_t *probabilities = json_array();
    for (int c = 0; c < evaluation->classes; c++)
        json_array_append_new(probabilities, number_or_null(values[c]));
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
        printf("%*sp(%d)", c < 10 ? 4 : c < 100 ? 3 : 2, "", c);
    putchar('\n');
}

static void print_row(size_t image, const struct evaluation *evaluation, size_t row,
                      const uint16_t *label)
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
        const uint16_t *label = set->labels ? &set->labels[i] : NULL;
        if (json)
            print_json(name, first + i, &evaluation, i, label);
        else
            print_row(first + i, &evaluation, i, label);
    }
    evaluation_release(&evaluation);
}

/* A picture as the network takes it: of the network's size already, like MNIST's, or
 * resized whole. */
static int fit_picture(struct shape input, const char *path, uint8_t *pixels, int height,
                       int width, uint8_t *fitted, struct failure *why)
{
    bool same = height == input.height && width == input.width;
    if (input.channels == 1)
        digit_make_light(pixels, height, width);
    if (!same && input.height == DIGIT_SIDE && input.width == DIGIT_SIDE && input.channels == 1) {
        if (!digit_centre(pixels, height, width, fitted))
            return fail_input(why, "%s: there is no digit on it: all is of about one shade; draw "
                              "it darker or lighter than the border", path);
        return 0;
    }
    digit_resize(pixels, height, width, input.channels, fitted, input.height, input.width);
    return 0;
}

/* On black, where it is transparent; on white when nothing can be seen then: many a program
 * saves a drawing as black strokes on nothing.  The caller frees *pixels. */
static int read_picture(const char *path, int channels, uint8_t **pixels, int *height,
                        int *width, struct failure *why)
{
    if (data_png_read(path, 0, &channels, pixels, height, width, why) != 0)
        return -1;
    if (!digit_is_blank(*pixels, (size_t)*height * (size_t)*width * (size_t)channels))
        return 0;
    free(*pixels);
    return data_png_read(path, UINT8_MAX, &channels, pixels, height, width, why);
}

static int predict_picture(struct network *network, const char *model, const char *path,
                           bool json, struct failure *why)
{
    struct shape input = network_input(network);
    uint8_t *pixels = NULL;
    int channels = input.channels, height = 0, width = 0;
    if (channels != 1 && channels != 3)
        return fail_input(why, "%s takes images of %d channels; a PNG file has 1 or 3", model,
                          channels);
    if (read_picture(path, channels, &pixels, &height, &width, why) != 0)
        return -1;
    struct image_set one = {.count = 1};
    one.pixels = xmalloc((size_t)(input.height * input.width * channels));
    int result = fit_picture(input, path, pixels, height, width, one.pixels, why);
    if (result == 0)
        predict(network, path, &one, 0, json);
    free(one.pixels);
    free(pixels);
    return result;
}

static int predict_file(struct network *network, const char *model, const char *path, bool json,
                        struct failure *why)
{
    struct image_set set = {0};
    int height = 0, width = 0;
    if (data_png_is(path))
        return predict_picture(network, model, path, json, why);
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

/* Writes "ImageId,Label" and a line for each image, numbered from 1. */
static int write_submission(const char *path, const struct evaluation *evaluation,
                            struct failure *why)
{
    struct text text = TEXT_EMPTY;
    text_add(&text, "ImageId,Label\n");
    for (size_t i = 0; i < evaluation->count; i++)
        text_addf(&text, "%zu,%d\n", i + 1, evaluation->predicted[i]);
    const struct file_piece piece = {text.at, text.length};
    int result = file_replace(path, &piece, 1, why);
    text_free(&text);
    return result;
}

static int predict_submission(struct network *network, const struct request *request,
                              struct failure *why)
{
    struct shape input = network_input(network);
    struct image_set set = {0};
    struct evaluation evaluation;
    int result = evaluate_check_fit(network, request->trained.model, input.height, input.width, 1,
                                    0, why);
    if (result == 0)
        result = data_csv_read_images(request->csv, input.height, input.width, &set, why);
    if (result == 0) {
        evaluate_images(network, &set, NULL, NULL, &evaluation);
        result = write_submission(request->submission, &evaluation, why);
        evaluation_release(&evaluation);
    }
    free(set.pixels);
    return result;
}

/* The images of a submission are a file without labels and no data set. */
static int check_submission(struct request *request, struct failure *why)
{
    if (!request->trained.data || request->index >= 0 || request->word_count > 1)
        return fail_usage(why, "--submission answers one file: trainer predict MODEL --data "
                          "test.csv --submission out.csv");
    request->csv = request->trained.data;
    request->trained.data = NULL;
    return 0;
}

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    struct option_rule rules[TRAINED_RULES + 4] = {
        {"submission", 0, OPTION_TEXT, &request->submission, 0, 0, "OUT.csv",
         "answer Kaggle's test.csv: ImageId,Label, from 1 on"},
        {"data", 0, OPTION_TEXT, &request->trained.data, 0, 0, "mnist|synthetic|PATH",
         "the data set whose test image is meant, or the test.csv"},
        {"index", 0, OPTION_INTEGER, &request->index, 0, INT64_MAX, "N", "its number, from 0"},
        {"json", 0, OPTION_FLAG, &request->json, 0, 0, NULL, "one JSON object a line"},
    };
    trained_rules(&request->trained, rules + 4);
    const struct options options = {
        "trainer predict", rules, ARRAY_LENGTH(rules), "MODEL FILE...", 1, 1 + FILES_MOST,
        .usage = usage, .about = about, .examples = examples};
    int parsed = options_parse(&options, arguments, request->words, &request->word_count, why);
    if (parsed != 0)
        return parsed;
    request->trained.model = request->words[0];
    if (request->submission)
        return check_submission(request, why);
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
    if (parse(arguments, &request, why) != 0)
        return why->code;
    int result = trained_load(&request.trained, &trained, why);
    if (result == 0 && request.index >= 0)
        result = predict_index(&trained, &request, why);
    if (result == 0 && request.submission)
        result = predict_submission(trained.network, &request, why);
    for (size_t i = 1; i < request.word_count && result == 0; i++)
        result = predict_file(trained.network, request.trained.model, request.words[i],
                              request.json, why);
    trained_release(&trained);
    return why->code;
}
