#include "db/store_internal.h"

#include "common/base64.h"
#include "common/json_text.h"

#include <stdlib.h>

int store_begin_final(struct store *store, int64_t study, int trial, int attempt, int epochs,
                      struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial),
                                   value_integer(attempt), value_integer(epochs),
                                   value_integer(clock_wall_ms())};
    return RECORD(store,
                  "INSERT INTO recorded_finals (study, trial, attempt, epochs, started_ms)"
                  " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (study) DO UPDATE SET"
                  " trial = ?2, attempt = ?3, epochs = ?4, state = 'running', ended_ms = NULL",
                  values, why);
}

int store_set_final_arithmetic(struct store *store, int64_t study, const char *arithmetic,
                               struct failure *why)
{
    const struct value values[] = {value_integer(study), value_text(arithmetic)};
    return RECORD(store, "UPDATE recorded_finals SET arithmetic = ?2 WHERE study = ?1", values,
                  why);
}

/* ---- predictions ---- */

static int add_prediction(struct store *store, int64_t study, int64_t image, const json_t *label,
                          const json_t *predicted, const json_t *probabilities,
                          struct failure *why)
{
    /* The trainer computes in float, of which nine digits are all. */
    char *text = json_dumps(probabilities, JSON_COMPACT | JSON_REAL_PRECISION(9));
    const json_t *chosen = json_array_get(probabilities, (size_t)json_integer_value(predicted));
    const struct value values[] = {
        value_integer(study), value_integer(image), value_json(label), value_json(predicted),
        json_is_number(chosen) ? value_real(json_number_value(chosen)) : value_null(),
        value_text(text)};
    int result = RECORD(store,
                        "INSERT OR REPLACE INTO recorded_predictions (study, image, label,"
                        " predicted, probability, probabilities) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        values, why);
    free(text);
    return result;
}

int store_add_predictions(struct store *store, int64_t study, int64_t first,
                          const json_t *labels, const json_t *predicted,
                          const json_t *probabilities, struct failure *why)
{
    size_t count = json_array_size(labels);
    if (json_array_size(predicted) != count || json_array_size(probabilities) != count) {
        store->spoilt = true;
        return fail(why, "%s: predictions for %zu, %zu and %zu images do not belong together",
                    store->path, count, json_array_size(predicted),
                    json_array_size(probabilities));
    }
    for (size_t i = 0; i < count; i++) {
        if (add_prediction(store, study, first + (int64_t)i, json_array_get(labels, i),
                           json_array_get(predicted, i), json_array_get(probabilities, i),
                           why) < 0)
            return -1;
    }
    return 0;
}

static int add_image(struct store *store, int64_t study, const json_t *image,
                     struct failure *why)
{
    const char *text = json_string_value(json_object_get(image, "pixels"));
    size_t size = 0;
    void *pixels = text ? base64_decode(text, &size) : NULL;
    if (!pixels) {
        store->spoilt = true;
        return fail(why, "%s: the pixels of an image are no base64", store->path);
    }
    const struct value values[] = {value_integer(study),
                                   value_json(json_object_get(image, "image")),
                                   value_blob(pixels, size)};
    int result = RECORD(store, "INSERT OR REPLACE INTO recorded_images (study, image, pixels)"
                               " VALUES (?1, ?2, ?3)", values, why);
    free(pixels);
    return result;
}

int store_add_images(struct store *store, int64_t study, const json_t *images,
                     struct failure *why)
{
    for (size_t i = 0; i < json_array_size(images); i++) {
        if (add_image(store, study, json_array_get(images, i), why) < 0)
            return -1;
    }
    return 0;
}

int store_clear_predictions(struct store *store, int64_t study, struct failure *why)
{
    const struct value values[] = {value_integer(study)};
    if (RECORD(store, "DELETE FROM recorded_images WHERE study = ?1", values, why) < 0)
        return -1;
    return RECORD(store, "DELETE FROM recorded_predictions WHERE study = ?1", values, why);
}

/* ---- the end ---- */

int store_end_final(struct store *store, int64_t study, const struct final_record *final,
                    struct failure *why)
{
    char *layers = final->layers ? json_text(final->layers) : NULL;
    const struct value values[] = {value_integer(study),         value_integer(final->images),
                                   value_integer(final->correct), value_real(final->test_loss),
                                   value_text(layers),           value_integer(clock_wall_ms())};
    const struct value model[] = {value_integer(study),
                                  value_blob(final->model, final->model_size)};
    int result = RECORD(store,
                        "UPDATE recorded_finals SET state = 'ended', images = ?2, correct = ?3,"
                        " test_loss = ?4, layers = ?5, ended_ms = ?6"
                        " WHERE study = ?1", values, why);
    if (result == 0)
        result = RECORD(store, "INSERT OR REPLACE INTO recorded_models (study, bytes)"
                               " VALUES (?1, ?2)", model, why);
    free(layers);
    return result;
}
