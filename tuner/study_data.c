/* The keys `data` and `objective` of a study file. */
#include "tuner/study_parts.h"

#include "common/dataset_path.h"
#include "common/file.h"
#include "common/text.h"
#include "tuner/field.h"
#include "tuner/name.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGES_MAX = 1000000000, VALIDATION_DEFAULT = 5000, SIDE_MOST = 4096 };

/* ---- data ---- */

/* Sets data.folder; relative paths are seen from the study file.  What a folder holds is
 * looked at only when it is loaded, so that a study is the same wherever its data lie. */
static bool find_folder(struct study *study, const char *name)
{
    char *home = path_folder(study->file);
    char *folder = path_join(home, name);
    const char *kind = dataset_file_kind(name);
    bool is_path = strchr(name, '/') || *name == '.' || kind || folder_exists(folder);
    if (is_path) {
        json_object_set_new(study->data, "dataset", json_string(kind ? kind : "idx"));
        json_object_set_new(study->data, "folder", json_string(folder));
    }
    free(folder);
    free(home);
    return is_path;
}

static int read_dataset(struct study *study, const struct yaml *node, struct failure *why)
{
    static const char *const words[] = {"mnist", "synthetic"};
    if (node->type != YAML_STRING || *node->text == '\0') {
        return field_fail(study->file, node, "dataset",
                          "mnist, synthetic or the path of a folder of IDX files", why);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (strcmp(node->text, words[i]) == 0) {
            json_object_set_new(study->data, "dataset", json_string(words[i]));
            return 0;
        }
    }
    if (find_folder(study, node->text)) {
        return 0;
    }
    const char *near = nearest_word(node->text, words, ARRAY_LENGTH(words));
    if (near) {
        return yaml_fail(study->file, node, why, "unknown data set `%.60s`; did you mean `%s`?",
                         node->text, near);
    }
    return yaml_fail(study->file, node, why,
                     "unknown data set `%.60s`; there is mnist, synthetic or a folder, which must "
                     "exist or be written with a `/`",
                     node->text);
}

static int read_train(struct study *study, const struct yaml *node, struct failure *why)
{
    int count = 0;
    json_t *train = NULL;
    if (!node || (node->type == YAML_STRING && strcmp(node->text, "all") == 0)) {
        train = json_string("all");
    } else if (node->type == YAML_STRING) {
        return field_fail(study->file, node, "train", "`all` or a number of images", why);
    } else if (field_int(study->file, node, "train", 1, IMAGES_MAX, &count, why) == 0) {
        train = json_integer(count);
    }
    return train ? json_object_set_new(study->data, "train", train) : -1;
}

/* Height and width of images whose file does not tell them. */
static int read_size(struct study *study, const struct yaml *data, struct failure *why)
{
    static const char *const sides[] = {"height", "width"};
    const struct yaml *nodes[] = {yaml_get(data, "height"), yaml_get(data, "width")};
    const char *kind = json_string_value(json_object_get(study->data, "dataset"));
    for (size_t i = 0; i < ARRAY_LENGTH(sides); i++) {
        int side = 0;
        if (!nodes[i]) {
            continue;
        }
        if (strcmp(kind, "csv") != 0 || !nodes[1 - i]) {
            return yaml_fail(study->file, nodes[i], why,
                             "`height` and `width` go together and belong to a .csv file");
        }
        if (field_int(study->file, nodes[i], sides[i], 1, SIDE_MOST, &side, why) != 0) {
            return -1;
        }
        json_object_set_new(study->data, sides[i], json_integer(side));
    }
    return 0;
}

/* How a folder of IDX files differs from MNIST. */
static int read_form(struct study *study, const struct yaml *data, struct failure *why)
{
    const struct yaml *transpose = yaml_get(data, "transpose");
    const struct yaml *first = yaml_get(data, "first_label");
    const char *kind = json_string_value(json_object_get(study->data, "dataset"));
    bool transposed = false;
    int label = 0;
    if ((transpose || first) && strcmp(kind, "idx") != 0) {
        return yaml_fail(study->file, transpose ? transpose : first, why,
                         "`transpose` and `first_label` belong to a folder of IDX files");
    }
    if (transpose) {
        if (field_bool(study->file, transpose, "transpose", &transposed, why) != 0) {
            return -1;
        }
        json_object_set_new(study->data, "transpose", json_boolean(transposed));
    }
    if (first) {
        if (field_int(study->file, first, "first_label", 0, UINT8_MAX, &label, why) != 0) {
            return -1;
        }
        json_object_set_new(study->data, "first_label", json_integer(label));
    }
    return 0;
}

int study_read_data(struct study *study, struct failure *why)
{
    static const char *const keys[] = {"dataset", "train",     "validation", "height",
                                       "width",   "transpose", "first_label"};
    const struct yaml *data = yaml_get(study->document, "data");
    int validation = VALIDATION_DEFAULT;
    if (field_map(study->file, data, "data", "{dataset: mnist}", why) != 0 ||
        field_check_keys(study->file, data, "`data`", keys, ARRAY_LENGTH(keys), why) != 0) {
        return -1;
    }
    const struct yaml *dataset = yaml_get(data, "dataset");
    if (!dataset) {
        return yaml_fail(study->file, data, why,
                         "`data` needs a `dataset`: mnist, synthetic or a folder of IDX files");
    }
    study->data = json_object();
    if (read_dataset(study, dataset, why) != 0 ||
        read_size(study, data, why) != 0 || read_form(study, data, why) != 0 ||
        read_train(study, yaml_get(data, "train"), why) != 0 ||
        field_optional_int(study->file, data, "validation", 0, IMAGES_MAX, &validation, why) != 0) {
        return -1;
    }
    return json_object_set_new(study->data, "validation", json_integer(validation));
}

/* ---- objective ---- */

static const char *const metrics[] = {"train_loss", "train_accuracy", "val_loss", "val_accuracy"};

static bool is_ours(const char *metric)
{
    for (size_t i = 0; i < ARRAY_LENGTH(metrics); i++) {
        if (strcmp(metric, metrics[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A trainer of the user's own may report metrics of its own. */
static int read_metric(struct study *study, const struct yaml *objective, struct failure *why)
{
    const struct yaml *node = yaml_get(objective, "metric");
    int index;
    if (!node) {
        return 0;
    }
    if (node->type == YAML_STRING && strncmp(node->text, "test_", 5) == 0) {
        return yaml_fail(study->file, node, why,
                         "the test set chooses nothing; take `val_%.50s` instead of `%.55s`",
                         node->text + 5, node->text);
    }
    bool free_choice = (study->trainer || study->outside) && node->type == YAML_STRING &&
                       name_is_valid(node->text);
    if (!free_choice && field_word(study->file, node, "metric", metrics, ARRAY_LENGTH(metrics),
                                   &index, why) != 0) {
        return -1;
    }
    free(study->metric);
    study->metric = xstrdup(node->text);
    return 0;
}

static int read_goal(struct study *study, const struct yaml *objective, struct failure *why)
{
    static const char *const goals[] = {"minimize", "maximize"};
    const struct yaml *node = yaml_get(objective, "goal");
    int index = strstr(study->metric, "accuracy") != NULL;
    if (!node && !is_ours(study->metric)) {
        return yaml_fail(study->file, objective, why,
                         "the metric `%s` needs a `goal`: minimize or maximize", study->metric);
    }
    if (node && field_word(study->file, node, "goal", goals, 2, &index, why) != 0) {
        return -1;
    }
    study->maximize = index == 1;
    return 0;
}

static int read_take(struct study *study, const struct yaml *objective, struct failure *why)
{
    static const char *const takes[] = {"last", "best"};
    const struct yaml *node = yaml_get(objective, "take");
    int index = 0;
    if (node && field_word(study->file, node, "take", takes, 2, &index, why) != 0) {
        return -1;
    }
    study->take_best = index == 1;
    return 0;
}

int study_read_objective(struct study *study, struct failure *why)
{
    static const char *const keys[] = {"metric", "goal", "take"};
    const struct yaml *objective = yaml_get(study->document, "objective");
    study->metric = xstrdup("val_accuracy");
    study->maximize = true;
    if (!objective) {
        return 0;
    }
    if (field_map(study->file, objective, "objective", "{metric: val_loss}", why) != 0 ||
        field_check_keys(study->file, objective, "`objective`", keys, ARRAY_LENGTH(keys),
                         why) != 0 ||
        read_metric(study, objective, why) != 0 || read_goal(study, objective, why) != 0) {
        return -1;
    }
    return read_take(study, objective, why);
}
