#include "trainer/command.h"

#include "common/options.h"
#include "trainer/export.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Examples:\n"
    "  trainer export model.ckpt --onnx model.onnx\n"
    "  trainer export model.ckpt --onnx model.onnx --pixels unit\n"
    "  trainer export model.ckpt --safetensors torch/model.safetensors --npz keras/model.npz\n"
    "  trainer export model.ckpt --c digits.c\n"
    "\n"
    "Usage: trainer export MODEL --onnx|--safetensors|--npz|--c FILE ... [--pixels bytes|unit]\n"
    "\n"
    "Writes a saved network for other programs, with the weights that count (the best epoch's,\n"
    "else the averaged ones, else the last) in fp32.  What was written is read again and compared\n"
    "with the network before anything is replaced or success is printed.  docs/models.md describes\n"
    "the files.\n"
    "\n"
    "  --onnx FILE         ONNX, operator set 13, any number of images at once\n"
    "  --safetensors FILE  weights as PyTorch has them, and load_torch.py beside them\n"
    "  --npz FILE          weights as Keras has them, and load_keras.py beside them\n"
    "  --c FILE.c          C99 that needs no library, and FILE.h beside it\n"
    "  --pixels KIND       what an ONNX network takes: \"bytes\", pixels from 0 to 255 as images\n"
    "                      have them (the default); \"unit\", pixels from 0 to 1, as the others do\n";

/* A new format is a row here, an export_<name>.c, a line in the help and one in
 * docs/models.md. */
static const struct {
    const char *name;   /* of the option */
    const char *second; /* " and ..." that goes beside the file, or "" */
    int (*write)(const struct export_model *model, const char *path, struct failure *why);
} formats[] = {
    {"onnx", "", export_onnx},
    {"safetensors", " and load_torch.py", export_safetensors},
    {"npz", " and load_keras.py", export_npz},
    {"c", " and its header", export_c},
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
    if (strcmp(request->pixels, "bytes") != 0 && strcmp(request->pixels, "unit") != 0)
        return fail_usage(why, "--pixels needs bytes or unit, not '%s'", request->pixels);
    return 0;
}

static int parse(char *const arguments[], struct request *request, struct failure *why)
{
    struct option_rule rules[RULES] = {{"pixels", 0, OPTION_TEXT, &request->pixels, 0, 0}};
    for (size_t i = 0; i < FORMATS; i++)
        rules[i + 1] = (struct option_rule){formats[i].name, 0, OPTION_TEXT, &request->paths[i],
                                            0, 0};
    const struct options options = {"trainer export", rules, RULES, "a MODEL", 1, 1};
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
    int parsed = parse(arguments, &request, why);
    if (parsed > 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    struct export_model *model = parsed == 0 ? export_model_load(request.model, why) : NULL;
    if (model) {
        model->unit_pixels = strcmp(request.pixels, "unit") == 0;
        write_all(model, &request, why);
    }
    export_model_free(model);
    return why->code;
}
