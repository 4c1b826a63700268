#include "common/dataset_path.h"

#include "common/file.h"
#include "common/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name; /* uncompressed; ".gz" is added where it is fetched */
    const char *sha256;
} mnist_files[] = {
    {"train-images-idx3-ubyte",
     "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
    {"train-labels-idx1-ubyte",
     "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
    {"t10k-images-idx3-ubyte",
     "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
    {"t10k-labels-idx1-ubyte",
     "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
};

static const char *const mirrors[] = {
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
};

enum { SHA256_HEX = 64 };

/* ---- Programs ---- */

/* 0 if the program ends with that. */
static int run_program(char *const arguments[], const char *input, int output,
                       struct failure *why)
{
    int code = program_run(arguments, input, output, why);
    return code > 0 ? fail(why, "%s ended with code %d", arguments[0], code) : code;
}

/* The file comes in by stdin: sha256sum changes its output for strange names.
 * What it says fits into a pipe, so it is read after the program's end. */
static int check_sha256(const char *path, const char *expected, struct failure *why)
{
    char *arguments[] = {"sha256sum", NULL};
    char sum[SHA256_HEX];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(why, "pipe: %s", strerror(errno));

    int result = run_program(arguments, path, ends[1], why);
    close(ends[1]);
    if (result == 0 && (read(ends[0], sum, sizeof sum) != (ssize_t)sizeof sum ||
                        memcmp(sum, expected, sizeof sum) != 0))
        result = fail(why, "its SHA-256 is not %.16s...", expected);
    close(ends[0]);
    return result;
}

/* ---- Fetching ---- */

static int fetch_from(const char *mirror, const char *name, const char *sha256, const char *path,
                      struct failure *why)
{
    char *url = xasprintf("%s%s", mirror, name);
    char *part = xasprintf("%s.part.%ld", path, (long)getpid());
    char *arguments[] = {"curl",  "--fail", "--silent", "--location", "--connect-timeout", "10",
                         "--max-time", "300", "--output", part, url, NULL};
    int result = run_program(arguments, "/dev/null", -1, why);
    if (result == 0)
        result = check_sha256(part, sha256, why);
    if (result == 0 && rename(part, path) != 0)
        result = fail(why, "%s: %s", path, strerror(errno));
    if (result != 0) {
        unlink(part);
        fail_prefix(why, "%s", url);
    }
    free(part);
    free(url);
    return result;
}

static int fetch_file(const char *folder, size_t file, struct failure *why)
{
    char *name = xasprintf("%s.gz", mnist_files[file].name);
    char *path = path_join(folder, name);
    int result = file_exists(path) ? 0 : -1;
    for (size_t i = 0; i < ARRAY_LENGTH(mirrors) && result != 0; i++) {
        failure_clear(why);
        result = fetch_from(mirrors[i], name, mnist_files[file].sha256, path, why);
    }
    free(path);
    free(name);
    return result;
}

/* A file stands under its own name only once it is whole and checked, so what an
 * interrupted fetch left is gone on with. */
static int fetch_mnist(const char *folder, struct failure *why)
{
    if (folder_make(folder, why) != 0)
        return -1;
    message("fetching MNIST (11 MB) to %s", folder);
    for (size_t i = 0; i < ARRAY_LENGTH(mnist_files); i++) {
        if (fetch_file(folder, i, why) != 0)
            return -1;
    }
    return 0;
}

/* ---- Finding ---- */

/* The first file of the set that a folder has neither plain nor compressed, or NULL. */
static const char *missing_file(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LENGTH(mnist_files); i++) {
        char *plain = path_join(folder, mnist_files[i].name);
        char *compressed = xasprintf("%s.gz", plain);
        bool there = file_exists(plain) || file_exists(compressed);
        free(plain);
        free(compressed);
        if (!there)
            return mnist_files[i].name;
    }
    return NULL;
}

/* Sets `folder` to its absolute path, after a look whether the files are there. */
static int set_folder(json_t *data, const char *folder, const char *named_by,
                      struct failure *why)
{
    char *absolute = realpath(folder, NULL);
    if (!absolute)
        return fail_input(why, "%s: '%s': %s; give a folder of IDX files", named_by, folder,
                          strerror(errno));
    const char *missing = missing_file(absolute);
    int result = missing ? fail_input(why, "%s: '%s' has no %s or %s.gz; put the four IDX files "
                                      "there or name another folder",
                                      named_by, absolute, missing, missing)
                         : json_object_set_new(data, "folder", json_string(absolute));
    if (!missing && result != 0)
        fail_input(why, "%s: the path of '%s' is not UTF-8", named_by, folder);
    free(absolute);
    return result;
}

static int resolve_mnist(json_t *data, const char *home, bool fetch, struct failure *why)
{
    const char *given = json_string_value(json_object_get(data, "folder"));
    if (given)
        return set_folder(data, given, "data.folder", why);
    const char *by_environment = getenv("MNIST_DIR");
    if (by_environment && by_environment[0])
        return set_folder(data, by_environment, "$MNIST_DIR", why);

    struct failure unfetched = FAILURE_NONE;
    char *data_folder = path_join(home, "data");
    char *folder = path_join(data_folder, "mnist");
    int result = 0;
    if (!missing_file(folder) || (fetch && fetch_mnist(folder, &unfetched) == 0)) {
        result = set_folder(data, folder, "the home folder's MNIST", why);
    } else {
        message("no MNIST in $MNIST_DIR or %s%s%s; using the built-in synthetic digits instead",
                folder, unfetched.text ? ", and it could not be fetched (no network?): " : "",
                unfetched.text ? unfetched.text : "");
        json_object_set_new(data, "dataset", json_string("synthetic"));
    }
    failure_clear(&unfetched);
    free(folder);
    free(data_folder);
    return result;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static bool has(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool there = file_exists(path);
    free(path);
    return there;
}

const char *dataset_file_kind(const char *path)
{
    return ends_with(path, ".csv") ? "csv" : ends_with(path, ".npz") ? "npz" : NULL;
}

/* What a path holds: by its ending, or by what lies in the folder. */
static const char *find_kind(const char *path)
{
    const char *kind = dataset_file_kind(path);
    if (kind)
        return kind;
    if (has(path, "data_batch_1.bin") || has(path, "test_batch.bin"))
        return "cifar10";
    return has(path, "train/.") ? "png" : "idx";
}

static int set_path(json_t *data, const char *path, struct failure *why)
{
    char *absolute = realpath(path, NULL);
    if (!absolute)
        return fail_input(why, "data: '%s': %s; give the path of a data set that is there", path,
                          strerror(errno));
    int result = json_object_set_new(data, "folder", json_string(absolute));
    if (result != 0)
        fail_input(why, "data: the path of '%s' is not UTF-8", path);
    free(absolute);
    return result;
}

static bool is_kind(const char *name)
{
    static const char *const kinds[] = {"idx", "csv", "npz", "png", "cifar10"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (strcmp(name, kinds[i]) == 0)
            return true;
    }
    return false;
}

/* Sets `split` to the one set of EMNIST whose files lie in the folder, if there is one. */
static int find_split(json_t *data, const char *folder, struct failure *why)
{
    static const char *const splits[] = {"balanced", "byclass", "bymerge",
                                         "digits",   "letters", "mnist"};
    const char *found = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(splits); i++) {
        char *plain = xasprintf("emnist-%s-train-images-idx3-ubyte", splits[i]);
        char *compressed = xasprintf("%s.gz", plain);
        bool there = has(folder, plain) || has(folder, compressed);
        free(compressed);
        free(plain);
        if (there && found)
            return fail_input(why, "data: '%s' has EMNIST's sets `%s` and `%s`; put the four files "
                              "of one into a folder of its own", folder, found, splits[i]);
        found = there ? splits[i] : found;
    }
    return found ? json_object_set_new(data, "split", json_string(found)) : 0;
}

static int set_idx(json_t *data, const char *path, struct failure *why)
{
    json_object_del(data, "split"); /* of a folder named before */
    if (find_split(data, path, why) != 0)
        return -1;
    return json_object_get(data, "split") ? set_path(data, path, why)
                                          : set_folder(data, path, "data", why);
}

/* A name that is no data set of ours is the path of a folder or a file. */
static int resolve_path(json_t *data, const char *name, struct failure *why)
{
    const char *given = json_string_value(json_object_get(data, "folder"));
    if (!given && is_kind(name) && !folder_exists(name))
        return fail_at(why, "data.folder", "data: '%s' needs a folder", name);
    const char *path = given ? given : name;
    if (!given && !folder_exists(name) && !(dataset_file_kind(name) && file_exists(name)))
        return fail_at(why, "data.dataset",
                       "there is no data set or folder '%s'; use mnist, synthetic or the path of "
                       "a folder, a .csv or an .npz file", name);
    const char *kind = find_kind(path);
    int result = strcmp(kind, "idx") == 0 ? set_idx(data, path, why)
                                          : set_path(data, path, why);
    return result == 0 ? json_object_set_new(data, "dataset", json_string(kind)) : -1;
}

json_t *dataset_resolve(const json_t *data, const char *home, bool fetch, struct failure *why)
{
    const char *given = json_string_value(json_object_get(data, "dataset"));
    if (!given) {
        fail_at(why, "data.dataset", "data needs a dataset: mnist, synthetic or a folder");
        return NULL;
    }

    /* A copy, because it is replaced while it is still read. */
    char *name = xstrdup(given);
    json_t *resolved = json_copy((json_t *)data);
    int result = 0;
    if (strcmp(name, "mnist") == 0)
        result = resolve_mnist(resolved, home, fetch, why);
    else if (strcmp(name, "synthetic") == 0)
        json_object_del(resolved, "folder");
    else
        result = resolve_path(resolved, name, why);
    free(name);
    if (result != 0) {
        json_decref(resolved);
        return NULL;
    }
    return resolved;
}
