#include "tuner/trained_model.h"

#include "tuner/home.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the final model ---- */

static int write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* A file that has no name is gone with the processes that have it open, however they end.  It
 * is left open across exec, which is what makes its path good for others. */
static int open_in_memory(struct trained_model *model, const void *bytes, size_t size,
                          struct failure *why)
{
    model->descriptor = memfd_create("model", 0);
    if (model->descriptor < 0 || write_all(model->descriptor, bytes, size) != 0)
        return fail(why, "the model cannot be put into memory for the trainer: %s",
                    strerror(errno));
    model->path = xasprintf("/proc/self/fd/%d", model->descriptor);
    return 0;
}

static const char *column(const struct visit *visit, const char *name)
{
    const char *text = json_string_value(json_object_get(visit->row, name));
    return text != NULL ? text : "";
}

/* Why there is none, and what there may be instead. */
static int fail_without_final(const struct visit *visit, struct failure *why)
{
    const char *study = visit->study;
    if (strcmp(column(visit, "sampler"), "imported") == 0)
        return fail(why, "study %s has no final model: it was imported, without any", study);
    if (strcmp(column(visit, "state"), "finished") == 0)
        return fail(why, "study %s has no final model: other programs trained it", study);
    if (strcmp(column(visit, "state"), "failed") == 0)
        return fail(why, "study %s has no final model, for it failed; `tuner export %s --trial N` "
                         "has a trial's.  It failed because: %s", study, study,
                    column(visit, "note"));
    return fail(why, "study %s has no final model yet, for it is %s; run it to its end, or have a "
                     "trial's with `tuner export %s --trial N`", study, column(visit, "state"),
                study);
}

void *trained_model_final(const struct visit *visit, size_t *size, struct failure *why)
{
    int64_t id = store_find_study(visit->store, visit->study, why);
    void *bytes = NULL;
    if (id > 0 && store_final_model(visit->store, id, &bytes, size, why) == 0)
        fail_without_final(visit, why);
    return bytes;
}

static int open_final(struct trained_model *model, const struct visit *visit, struct failure *why)
{
    size_t size = 0;
    void *bytes = trained_model_final(visit, &size, why);
    int result = bytes != NULL ? open_in_memory(model, bytes, size, why) : -1;
    free(bytes);
    return result;
}

/* ---- a trial's ---- */

/* Rows from the newest epoch on; those whose checkpoint was deleted have none. */
static char *newest_checkpoint(const struct visit *visit, const json_t *rows)
{
    const json_t *row;
    char *path = NULL;
    size_t i;
    json_array_foreach(rows, i, row) {
        path = home_find_checkpoint(visit->home, visit->study,
                                    json_string_value(json_object_get(row, "checkpoint")));
        if (path != NULL)
            break;
    }
    return path;
}

static int open_trial(struct trained_model *model, const struct visit *visit, int64_t trial,
                      struct failure *why)
{
    json_t *arguments = json_pack("[s, I]", visit->study, (json_int_t)trial);
    json_t *rows = store_rows(visit->store,
                              "SELECT e.checkpoint AS checkpoint FROM trials AS t "
                              "LEFT JOIN epochs AS e ON e.study = t.study AND e.trial = t.trial "
                              "WHERE t.study = ?1 AND t.trial = ?2 ORDER BY e.epoch DESC",
                              arguments, why);
    json_decref(arguments);
    if (rows == NULL)
        return -1;
    model->path = newest_checkpoint(visit, rows);
    if (json_array_size(rows) == 0)
        fail_input(why, "study %s has no trial %lld; `tuner trials %s` lists them", visit->study,
                   (long long)trial, visit->study);
    else if (model->path == NULL)
        fail_input(why, "trial %lld of %s has no checkpoint any more; `keep` in the study file "
                        "says how many of the best trials keep theirs",
                   (long long)trial, visit->study);
    json_decref(rows);
    return model->path != NULL ? 0 : -1;
}

int trained_model_open(struct trained_model *model, const struct visit *visit, int64_t trial,
                       struct failure *why)
{
    int result;
    *model = (struct trained_model){.descriptor = -1};
    result = trial < 0 ? open_final(model, visit, why) : open_trial(model, visit, trial, why);
    if (result != 0)
        trained_model_close(model);
    return result;
}

void trained_model_close(struct trained_model *model)
{
    if (model->descriptor >= 0)
        close(model->descriptor);
    free(model->path);
    *model = (struct trained_model){.descriptor = -1};
}
