#include "trainer/configuration.h"

#include "common/dataset_path.h"
#include "common/file.h"
#include "common/schema.h"
#include "common/seed.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MOST = 1 << 20 }; /* bytes */

static const char *const keys[] = {"model", "training", "data",       "seed",
                                   "trial", "epochs",   "parameters", "study"};
static const char *const data_keys[] = {"dataset",    "folder", "train",
                                        "validation", "seed",   "join_validation",
                                        "height",     "width",  "split",
                                        "transpose",  "first_label"};

/* `of` names the object in the message, when it is not the whole. */
static int check_keys(const json_t *object, const char *const *known_keys, size_t count,
                      const char *of, struct failure *why)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(key, known_keys[i]) == 0;
        if (known)
            continue;
        const char *nearest = nearest_word(key, known_keys, count);
        return fail_input(why, "unknown key \"%s\"%s%s%s%s", key, of,
                          nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                          nearest ? "\"?" : "");
    }
    return 0;
}

static int read_seed(const json_t *value, uint64_t *seed, struct failure *why)
{
    if (!value || seed_parse(json_string_value(value), seed))
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return fail_input(why, "\"seed\" must be a whole number from 0 to 2^64 - 1, such as "
                          "\"42\"");
    *seed = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_number(const json_t *object, const char *key, int64_t low, int64_t high,
                       int64_t *number, struct failure *why)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < low ||
        json_integer_value(value) > high)
        return fail_input(why, "\"%s\" must be a whole number from %lld to %lld", key,
                          (long long)low, (long long)high);
    *number = json_integer_value(value);
    return 0;
}

static int read_data(const json_t *object, json_t **data, struct failure *why)
{
    json_t *value = json_object_get(object, "data");
    if (value && !json_is_object(value))
        return fail_input(why, "\"data\" must be an object such as {\"dataset\": \"mnist\"}");
    *data = value ? json_incref(value) : json_object();
    return check_keys(*data, data_keys, ARRAY_LENGTH(data_keys), " in \"data\"", why);
}

static int read_all(const json_t *object, struct configuration *configuration,
                    struct failure *why)
{
    int64_t trial = 0;
    if (!json_is_object(object))
        return fail_input(why, "a configuration is an object with \"model\" and \"training\"");
    if (check_keys(object, keys, ARRAY_LENGTH(keys), "", why) != 0)
        return -1;
    if (!json_object_get(object, "model") || !json_object_get(object, "training"))
        return fail_input(why, "there must be a \"model\" and a \"training\"");
    configuration->model = schema_check_model(json_object_get(object, "model"), why);
    if (!configuration->model)
        return -1;
    configuration->training = schema_check_training(json_object_get(object, "training"), why);
    if (!configuration->training)
        return -1;
    configuration->epochs =
        json_integer_value(json_object_get(configuration->training, "epochs"));
    if (read_data(object, &configuration->data, why) != 0 ||
        read_seed(json_object_get(object, "seed"), &configuration->seed, why) != 0 ||
        read_number(object, "trial", 0, UINT32_MAX, &trial, why) != 0 ||
        read_number(object, "epochs", 1, 1000000, &configuration->epochs, why) != 0)
        return -1;
    configuration->trial = (uint32_t)trial;
    return 0;
}

static json_t *load_file(const char *path, struct failure *why)
{
    json_error_t error;
    json_t *object = NULL;
    char *bytes = NULL;
    size_t size = 0;
    if (strcmp(path, "-") == 0) {
        object = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
    } else {
        if (file_read(path, FILE_MOST, &bytes, &size, why) != 0)
            return NULL;
        object = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
        free(bytes);
    }
    if (!object)
        fail_input(why, "%s:%d:%d: error: %s; a configuration is JSON, such as `tuner check "
                   "STUDY.yaml --trial 0` prints", path, error.line, error.column, error.text);
    return object;
}

struct configuration *configuration_read(const char *path, struct failure *why)
{
    json_t *object = load_file(path, why);
    if (!object)
        return NULL;
    struct configuration *configuration = xcalloc(1, sizeof *configuration);
    if (read_all(object, configuration, why) != 0) {
        fail_prefix(why, "%s", path);
        configuration_free(configuration);
        configuration = NULL;
    }
    json_decref(object);
    return configuration;
}

void configuration_free(struct configuration *configuration)
{
    if (!configuration)
        return;
    json_decref(configuration->model);
    json_decref(configuration->training);
    json_decref(configuration->data);
    free(configuration);
}

bool configuration_is(const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return true;
    if (stat(path, &status) != 0 || S_ISDIR(status.st_mode))
        return false;
    if (!S_ISREG(status.st_mode)) /* a pipe can be read only once, and has no checkpoint */
        return true;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    int byte = getc(file);
    while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')
        byte = getc(file);
    fclose(file);
    return byte == '{' || byte == '[';
}

json_t *configuration_data(const json_t *data, const char *dataset, uint64_t seed,
                           struct failure *why)
{
    const char *home = getenv("TUNER_HOME");
    char digits[24];
    json_t *asked = json_copy((json_t *)data);
    if (dataset) {
        json_object_set_new(asked, "dataset", json_string(dataset));
        json_object_del(asked, "folder");
    }
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    json_object_set_new(asked, "seed", json_string(digits));
    json_t *found = dataset_resolve(asked, home && home[0] ? home : "tuning", true, why);
    json_decref(asked);
    if (!found && dataset && why && why->where && strcmp(why->where, "data.dataset") == 0) {
        fail_prefix(why, "--data");
        free(why->where); /* it is not in the configuration */
        why->where = NULL;
    }
    return found;
}
