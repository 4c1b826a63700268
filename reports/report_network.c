/* The winner's weights, out of the checkpoint that the database holds.  Its form is that
 * of trainer/checkpoint.h; all that is done here is to find where the vectors lie. */
#include "reports/report_read.h"

#include "common/base64.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_SIZE = 16,              /* the words that it begins with, version, length */
    SUM_SIZE = 4,
    VERSION = 2,
    WEIGHTS_MOST = 4194304         /* in a page: 16 MiB, and a third more as text */
};
static const char MAGIC[8] = {'T', 'U', 'N', 'E', 'R', 'C', 'K', 'P'};

struct stored_model {
    json_t *header;
    const char *values;  /* the vectors, one after the other */
    size_t count;        /* numbers in all of them */
};

static uint32_t word_at(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return le32toh(word);
}

/* False for what is no checkpoint of the version that is known here. */
static bool open_model(const char *bytes, size_t size, struct stored_model *model)
{
    if (size < PREFIX_SIZE + SUM_SIZE || memcmp(bytes, MAGIC, sizeof MAGIC) != 0 ||
        word_at(bytes + 8) != VERSION || word_at(bytes + 12) > size - PREFIX_SIZE - SUM_SIZE)
        return false;
    size_t length = word_at(bytes + 12);
    model->header = json_loadb(bytes + PREFIX_SIZE, length, 0, NULL);
    model->values = bytes + PREFIX_SIZE + length;
    model->count = (size - PREFIX_SIZE - length - SUM_SIZE) / sizeof(float);
    return model->header != NULL;
}

/* Finds a vector by its name; its length is 0 when it is not there. */
static const char *find_vector(const struct stored_model *model, const char *name, size_t *length)
{
    const json_t *vectors = json_object_get(model->header, "vectors");
    size_t index, at = 0;
    json_t *vector;
    *length = 0;
    json_array_foreach(vectors, index, vector) {
        const char *own = json_string_value(json_object_get(vector, "name"));
        json_int_t numbers = json_integer_value(json_object_get(vector, "length"));
        if (!own || numbers < 0 || (size_t)numbers > model->count - at)
            break;
        if (strcmp(own, name) == 0) {
            *length = (size_t)numbers;
            break;
        }
        at += (size_t)numbers;
    }
    return model->values + at * sizeof(float);
}

static json_t *vector_text(const char *values, size_t length)
{
    char *text = base64_encode(values, length * sizeof(float));
    json_t *string = json_string(text);
    free(text);
    return string;
}

/* The weights that count: the best epoch's if there are such, else the averaged ones, else
 * the last. */
static json_t *network_json(const struct stored_model *model, char **note)
{
    static const char *const kinds[][2] = {{"best_parameters", "best_statistics"},
                                           {"ema_parameters", "ema_statistics"},
                                           {"parameters", "statistics"}};
    const char *weights = NULL, *statistics = NULL;
    size_t count = 0, statistic_count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds) && count == 0; i++) {
        weights = find_vector(model, kinds[i][0], &count);
        statistics = find_vector(model, kinds[i][1], &statistic_count);
    }
    if (count > WEIGHTS_MOST) {
        *note = xasprintf("the model has %zu weights, too many for a page", count);
        return NULL;
    }
    const json_t *input = json_object_get(model->header, "input");
    return json_pack("{s:{s:O?, s:O?, s:O?}, s:O?, s:O?, s:o, s:o}", "input", "height",
                     json_array_get(input, 0), "width", json_array_get(input, 1), "channels",
                     json_array_get(input, 2), "classes", json_object_get(model->header, "classes"),
                     "layers", json_object_get(model->header, "model"), "weights",
                     vector_text(weights, count), "statistics",
                     vector_text(statistics, statistic_count));
}

int report_read_network(struct store *store, struct report_data *data, struct failure *why)
{
    struct stored_model model = {0};
    void *bytes = NULL;
    size_t size = 0;
    int64_t id = store_find_study(store, data->name, why);
    if (id < 0 || store_final_model(store, id, &bytes, &size, why) < 0)
        return -1;
    if (bytes && open_model(bytes, size, &model))
        data->network = network_json(&model, &data->network_note);
    else
        data->network_note = xstrdup("the database holds no model that this program can read");
    if (!data->network_note)
        data->network_note = xstrdup("");
    json_decref(model.header);
    free(bytes);
    return 0;
}
