#include "tuner/study_parts.h"

#include "common/file.h"
#include "tuner/field.h"
#include "tuner/name.h"
#include "tuner/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 1 << 20,
    WORKERS_MAX = 1024,
    THREADS_MAX = 256,
    KEEP_MAX = 1000000,
    KEEP_DEFAULT = 5
};

/* ---- Plain keys ---- */

static int read_name(struct study *study, struct failure *why)
{
    const struct yaml *node = yaml_get(study->document, "study");
    if (node->type == YAML_LIST || node->type == YAML_MAP || !name_is_valid(node->text)) {
        return field_fail(study->file, node, "study",
                          "a name of a letter, then at most 63 letters, digits and _", why);
    }
    if (name_is_reserved(node->text)) {
        return yaml_fail(study->file, node, why,
                         "`%s` is a reserved word of SQL and cannot name a study; try `the_%s`",
                         node->text, node->text);
    }
    study->name = xstrdup(node->text);
    return 0;
}

/* Seeds use all of 64 bits, so the digits are read rather than the tree's number. */
static int read_seed(struct study *study, struct failure *why)
{
    const struct yaml *node = yaml_get(study->document, "seed");
    if (!node) {
        return 0;
    }
    bool is_number = node->type == YAML_INT || node->type == YAML_FLOAT;
    char *end = NULL;
    errno = 0;
    if (is_number && isdigit((unsigned char)*node->text)) {
        study->seed = strtoull(node->text, &end, 10);
    }
    if (!end || *end != '\0' || errno != 0) {
        return field_fail(study->file, node, "seed",
                          "an integer from 0 to 18446744073709551615", why);
    }
    return 0;
}

static int read_workers(struct study *study, struct failure *why)
{
    const struct yaml *node = yaml_get(study->document, "workers");
    if (!node || (node->type == YAML_STRING && strcmp(node->text, "auto") == 0)) {
        return 0;
    }
    if (node->type == YAML_STRING) {
        return field_fail(study->file, node, "workers", "`auto` or a number of workers", why);
    }
    return field_int(study->file, node, "workers", 1, WORKERS_MAX, &study->workers, why);
}

/* `train: all` of the final training. */
static int read_final_train(struct study *study, const struct yaml *node, struct failure *why)
{
    if (!node) {
        return 0;
    }
    if (node->type != YAML_STRING || strcmp(node->text, "all") != 0) {
        return field_fail(study->file, node, "train",
                          "`all`; without it, the images that the trials have", why);
    }
    if (!study->retrain) {
        return yaml_fail(study->file, node, why,
                         "`train` goes with `retrain: true`; remove one of the two");
    }
    study->retrain_on_all = true;
    return 0;
}

static int read_final(struct study *study, struct failure *why)
{
    static const char *const keys[] = {"retrain", "train"};
    const struct yaml *final = yaml_get(study->document, "final");
    study->retrain = true;
    if (!final) {
        return 0;
    }
    if (field_map(study->file, final, "final", "{retrain: false}", why) != 0 ||
        field_check_keys(study->file, final, "`final`", keys, ARRAY_LENGTH(keys), why) != 0) {
        return -1;
    }
    const struct yaml *retrain = yaml_get(final, "retrain");
    if (retrain && field_bool(study->file, retrain, "retrain", &study->retrain, why) != 0) {
        return -1;
    }
    return read_final_train(study, yaml_get(final, "train"), why);
}

/* ---- trainer ---- */

static void add_words(json_t *command, const char *text)
{
    static const char *const space = " \t\r\n";
    for (text += strspn(text, space); *text; text += strspn(text, space)) {
        size_t length = strcspn(text, space);
        json_array_append_new(command, json_stringn(text, length));
        text += length;
    }
}

static int add_arguments(struct study *study, const struct yaml *list, json_t *command,
                         struct failure *why)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml *item = list->items[i];
        if (item->type == YAML_LIST || item->type == YAML_MAP || item->type == YAML_NULL) {
            return field_fail(study->file, item, "trainer", "a list of texts", why);
        }
        json_array_append_new(command, json_string(item->text));
    }
    return 0;
}

/* A program given by a path is seen from the study file, like every path. */
static void place_program(const struct study *study, json_t *command)
{
    const char *program = json_string_value(json_array_get(command, 0));
    if (strchr(program, '/')) {
        char *folder = path_folder(study->file);
        char *path = path_join(folder, program);
        json_array_set_new(command, 0, json_string(path));
        free(path);
        free(folder);
    }
}

static int read_trainer(struct study *study, struct failure *why)
{
    const struct yaml *node = yaml_get(study->document, "trainer");
    if (!node) {
        return 0;
    }
    if (study->outside) {
        return 0;
    }
    study->trainer = json_array();
    if (node->type == YAML_STRING) {
        add_words(study->trainer, node->text);
    } else if (node->type == YAML_LIST && add_arguments(study, node, study->trainer, why) != 0) {
        return -1;
    }
    const char *program = json_string_value(json_array_get(study->trainer, 0));
    if (!program || *program == '\0') {
        return field_fail(study->file, node, "trainer", "a command: a text or a list of texts",
                          why);
    }
    place_program(study, study->trainer);
    return 0;
}

/* ---- The whole ---- */

/* `trainer: none`: nobody is told of data or a network. */
static int check_outside(const struct study *study, struct failure *why)
{
    static const char *const meaningless[] = {"data", "model", "training", "final", "workers",
                                              "threads", "keep"};
    for (size_t i = 0; i < ARRAY_LENGTH(meaningless); i++) {
        const struct yaml *node = yaml_get(study->document, meaningless[i]);
        if (node) {
            return yaml_fail(study->file, node, why,
                             "`%s` means nothing with `trainer: none`; remove it",
                             meaningless[i]);
        }
    }
    return 0;
}

static bool is_outside(const struct yaml *document)
{
    const struct yaml *trainer = yaml_get(document, "trainer");
    return trainer && trainer->type == YAML_STRING && strcmp(trainer->text, "none") == 0;
}

static int check_document(struct study *study, struct failure *why)
{
    static const char *const keys[] = {"study",    "seed",   "objective", "data",    "parameters",
                                       "model",    "training", "search",  "workers", "threads",
                                       "final",    "keep",   "trainer"};
    static const char *const required[] = {"study", "parameters", "data", "model", "training"};
    enum { REQUIRED_OUTSIDE = 2 };
    const struct yaml *document = study->document;
    if (document->type != YAML_MAP) {
        return yaml_fail(study->file, document, why,
                         "a study file must be a mapping of keys such as `study:`, not %s",
                         yaml_type_name(document->type));
    }
    if (field_check_keys(study->file, document, "a study", keys, ARRAY_LENGTH(keys), why) != 0) {
        return -1;
    }
    study->outside = is_outside(document);
    for (size_t i = 0; i < (study->outside ? REQUIRED_OUTSIDE : ARRAY_LENGTH(required)); i++) {
        if (!yaml_get(document, required[i])) {
            return yaml_fail(study->file, document, why, "a study needs the key `%s`",
                             required[i]);
        }
    }
    return study->outside ? check_outside(study, why) : 0;
}

/* The trainer comes before the objective: with one of the user's own, any metric will do. */
static int read_settings(struct study *study, struct failure *why)
{
    const char *file = study->file;
    const struct yaml *document = study->document;
    study->threads = 1;
    study->keep = KEEP_DEFAULT;
    if (read_name(study, why) != 0 || read_seed(study, why) != 0 ||
        read_trainer(study, why) != 0 || study_read_objective(study, why) != 0 ||
        (!study->outside && study_read_data(study, why) != 0) ||
        space_read(file, yaml_get(document, "parameters"), &study->space, why) != 0 ||
        study_read_search(study, why) != 0 || read_workers(study, why) != 0 ||
        field_optional_int(file, document, "threads", 1, THREADS_MAX, &study->threads, why) != 0 ||
        field_optional_int(file, document, "keep", 1, KEEP_MAX, &study->keep, why) != 0) {
        return -1;
    }
    return read_final(study, why);
}

/* Paths go into JSON, which has UTF-8 only. */
static int check_path(const struct study *study, struct failure *why)
{
    return utf8_is_valid(study->file)
               ? 0 : fail_input(why, "%s: the path is not valid UTF-8; rename it", study->file);
}

static int read_study(struct study *study, struct failure *why)
{
    if (check_document(study, why) != 0 || read_settings(study, why) != 0 ||
        study_check_objective(study, why) != 0 || study_check_names(study, why) != 0 ||
        study_check_edges(study, why) != 0) {
        return -1;
    }
    study->fingerprint = study_fingerprint(study, why);
    return study->fingerprint ? 0 : -1;
}

struct study *study_parse(const char *path, const char *bytes, size_t size, struct failure *why)
{
    struct study *study = xcalloc(1, sizeof *study);
    study->file = xstrdup(path);
    study->text = xstrndup(bytes, size);
    if (check_path(study, why) == 0) {
        study->document = yaml_parse(path, bytes, size, why);
    }
    if (!study->document || read_study(study, why) != 0) {
        study_free(study);
        return NULL;
    }
    return study;
}

/* The file that was meant by the name of a study, or by one with another ending; NULL: there is
 * none. */
static char *meant_file(const char *path)
{
    static const char *const endings[] = {".yaml", ".yml"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash != NULL ? slash : path, '.');
    int length = (int)(dot != NULL ? dot - path : (ptrdiff_t)strlen(path));
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
        char *meant = xasprintf("%.*s%s", length, path, endings[i]);
        if (file_exists(meant)) {
            return meant;
        }
        free(meant);
    }
    return NULL;
}

int study_read_file(const char *path, char **bytes, size_t *size, struct failure *why)
{
    char *meant = file_exists(path) ? NULL : meant_file(path);
    int result = -1;
    if (meant != NULL) {
        fail_input(why, "there is no file %s; did you mean %s?", path, meant);
    } else {
        result = file_read(path, FILE_BYTES_MAX, bytes, size, why);
    }
    free(meant);
    return result;
}

struct study *study_load(const char *path, struct failure *why)
{
    char *bytes;
    size_t size;
    if (study_read_file(path, &bytes, &size, why) != 0) {
        return NULL;
    }
    struct study *study = study_parse(path, bytes, size, why);
    free(bytes);
    return study;
}

void study_free(struct study *study)
{
    if (!study) {
        return;
    }
    free(study->name);
    free(study->file);
    free(study->text);
    free(study->metric);
    space_release(&study->space);
    json_decref(study->data);
    json_decref(study->trainer);
    json_decref(study->fingerprint);
    yaml_tree_free(study->document);
    free(study);
}
