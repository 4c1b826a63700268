#include "trainer/export_code.h"

#include "common/file.h"
#include "common/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool export_is(const struct export_layer *layer, const char *type)
{
    return strcmp(layer->type, type) == 0;
}

const char *export_variable(const struct export_model *model, int layer)
{
    if (layer < 0)
        return "images";
    for (size_t i = (size_t)layer + 1; i < model->count; i++) {
        const struct export_layer *reader = &model->layers[i];
        bool next = i == (size_t)layer + 1 && reader->shortcut != layer;
        if (!next && (reader->source == layer || reader->shortcut == layer))
            return model->layers[layer].name;
    }
    return "x";
}

void export_add_number(struct text *text, double number)
{
    char digits[32];
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtof(digits, NULL) == (float)number)
            break;
    }
    text_add(text, digits);
}

const char *export_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- the second file ---- */

char *export_beside(const char *path, const char *name)
{
    char *folder = path_folder(path);
    char *second = path_join(folder, name);
    free(folder);
    return second;
}

/* What is too large to be read is not ours either. */
static bool is_ours(const char *second)
{
    enum { SECOND_MOST = 1 << 24 };
    char *bytes = NULL;
    size_t size = 0;
    if (file_read(second, SECOND_MOST, &bytes, &size, NULL) < 0)
        return false;
    bytes[strcspn(bytes, "\n")] = '\0';
    bool ours = strstr(bytes, EXPORT_MARK);
    free(bytes);
    return ours;
}

int export_check_second(const char *second, struct failure *why)
{
    if (!file_exists(second) || is_ours(second))
        return 0;
    return fail_input(why, "%s is there already, and is not of trainer export; move it away or "
                      "export into another folder", second);
}

int export_write_second(const char *second, const char *content, struct failure *why)
{
    const struct file_piece piece = {content, strlen(content)};
    return export_check_second(second, why) < 0 ? -1 : file_replace(second, &piece, 1, why);
}

/* A string of JSON is one of Python too. */
int export_add_file(struct text *program, const char *path, struct failure *why)
{
    json_t *string = json_string(export_base_name(path));
    if (!string)
        return fail_input(why, "%s: the name is not UTF-8, and cannot be written into a program; "
                          "choose another", path);
    char *literal = json_text(string);
    text_addf(program,
              "FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), %s)\n", literal);
    free(literal);
    json_decref(string);
    return 0;
}
