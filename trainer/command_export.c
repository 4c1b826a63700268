#include "trainer/command.h"

#include "common/options.h"
#include "trainer/export.h"

#include <stdio.h>
#include <string.h>

static const char about[] =
    "Writes a saved network for other programs, with the weights that count (the best epoch's, "
    "else the averaged ones, else the last) in fp32.  What was written is read again and compared "
    "with the network before anything is replaced or success is printed.  docs/models.md "
    "describes the files.\n";

static const char examples[] =
    "trainer export model.ckpt --onnx model.onnx\n"
    "trainer export model.ckpt --onnx model.onnx --pixels unit\n"
    "trainer export model.ckpt --safetensors torch/model.safetensors\n"
    "trainer export model.ckpt --npz keras/model.npz\n"
    "trainer export model.ckpt --c digits.c\n";

/* A new format is a row here, an export_<name>.c and a line in docs/models.md. */
static const struct {
    const char *name, *placeholder, *help; /* of the option */
    const char *second;                    /* " and ..." that goes beside the file, or "" */
    int (*write)(const struct export_model *model, const char *path, struct failure *why);
} formats[] = {
    {"onnx", "FILE", "ONNX, operator set 13, any number of images at once", "", export_onnx},
    {"safetensors", "FILE", "weights as PyTorch has them, and load_torch.py beside them",
     " and load_torch.py", export_safetensors},
    {"npz", "FILE", "weights as Keras has them, and load_keras.py beside them",
     " and load_keras.py", export_npz},
    {"c", "FILE.c", "C99 that needs no library, and FILE.h beside it", " and its header",
     export_c},
};
enum { FORMATS = ARRAY_LENGTH(formats), RULES = FORMATS + 1 };

struct request {
    const char *model;
    const char *paths[FORMATS]; /* NULL: not asked for */
    const char *pixels;
};

static int check_request(const struct request *request, struct failure *why)
{
    size_t asked = 0;
    for (size_t i = 0; i < FORMATS; i++)
        asked += request->paths[i] != NULL;
    if (asked == 0)
        return fail_usage(why, "say what to write, such as --onnx model.onnx; see trainer export "
                               "--help");
    return 0;
}

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    struct option_rule rules[RULES];
    for (size_t i = 0; i < FORMATS; i++)
        rules[i] = (struct option_rule){formats[i].name, 0, OPTION_TEXT, &request->paths[i], 0, 0,
                                        formats[i].placeholder, formats[i].help};
    rules[FORMATS] = (struct option_rule){
        "pixels", 0, OPTION_CHOICE, &request->pixels, 0, 0, "bytes|unit",
        "what an ONNX network takes: pixels from 0 to 255, as images have them (the default), or "
        "from 0 to 1, as the others do"};
    const struct options options = {
        "trainer export", rules, RULES, "MODEL", 1, 1,
        .usage = "MODEL --onnx|--safetensors|--npz|--c FILE ... [OPTIONS]\n",
        .about = about, .examples = examples};
    int parsed = options_parse(&options, arguments, &request->model, NULL, why);
    return parsed == 0 ? check_request(request, why) : parsed;
}

static int write_all(const struct export_model *model, const struct request *request,
                     struct failure *why)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const char *path = request->paths[i];
        if (path && formats[i].write(model, path, why) < 0)
            return -1;
        if (path)
            printf("%s%s: written and checked against the network\n", path, formats[i].second);
    }
    return 0;
}

enum exit_code command_export(char *const arguments[], struct failure *why)
{
    struct request request = {.pixels = "bytes"};
    if (parse(arguments, &request, why) != 0)
        return why->code;
    struct export_model *model = export_model_load(request.model, why);
    if (model) {
        model->unit_pixels = strcmp(request.pixels, "unit") == 0;
        write_all(model, &request, why);
    }
    export_model_free(model);
    return why->code;
}
