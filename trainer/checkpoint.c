#include "trainer/checkpoint.h"

#include "common/file.h"
#include "trainer/floats.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { VERSION = 2, MAGIC_SIZE = 8, PREFIX_SIZE = MAGIC_SIZE + 4 + 4, SUM_SIZE = 4 };
static const char MAGIC[MAGIC_SIZE] = {'T', 'U', 'N', 'E', 'R', 'C', 'K', 'P'};
/* Eight vectors of as many parameters as a network may have, and a header. */
static const size_t FILE_SIZE_MOST = (size_t)1 << 32;
enum { VECTORS_MOST = 64 };
static const size_t HEADER_SIZE_MOST = (size_t)1 << 24;

static void put_u32(char *bytes, uint32_t value)
{
    value = htole32(value);
    memcpy(bytes, &value, sizeof value);
}

static uint32_t get_u32(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

/* A float in its little-endian form; the same the other way round. */
static void put_floats(char *bytes, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        put_u32(bytes + i * sizeof bits, bits);
    }
}

static void get_floats(const char *bytes, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = get_u32(bytes + i * sizeof bits);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

static uint32_t checksum(const char *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc32(0, NULL, 0), (const Bytef *)bytes, size);
}

/* ---- writing ---- */

/* The header with the names and lengths of the vectors, as text; the caller frees it. */
static char *header_text(const json_t *header, const struct checkpoint_vector *vectors,
                         size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{sssI}", "name", vectors[i].name, "length",
                                              (json_int_t)vectors[i].length));
    json_t *whole = json_object();
    json_object_update(whole, (json_t *)header);
    json_object_set_new(whole, "vectors", list);
    /* 17 digits: every double comes back as it was. */
    char *text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(whole);
    return text;
}

int checkpoint_write(const char *path, const json_t *header,
                     const struct checkpoint_vector *vectors, size_t count, struct failure *why)
{
    char *text = header_text(header, vectors, count);
    if (!text)
        return fail(why, "%s: the header cannot be written as JSON", path);
    size_t length = strlen(text);
    size_t size = PREFIX_SIZE + length + SUM_SIZE;
    for (size_t i = 0; i < count; i++)
        size += vectors[i].length * sizeof(float);
    char *bytes = xmalloc(size);
    memcpy(bytes, MAGIC, MAGIC_SIZE);
    put_u32(bytes + MAGIC_SIZE, VERSION);
    put_u32(bytes + MAGIC_SIZE + 4, (uint32_t)length);
    memcpy(bytes + PREFIX_SIZE, text, length);
    char *place = bytes + PREFIX_SIZE + length;
    for (size_t i = 0; i < count; i++) {
        put_floats(place, vectors[i].values, vectors[i].length);
        place += vectors[i].length * sizeof(float);
    }
    put_u32(place, checksum(bytes, size - SUM_SIZE));

    const struct file_piece piece = {bytes, size};
    int result = file_replace(path, &piece, 1, why);
    free(bytes);
    free(text);
    return result;
}

/* ---- reading ---- */

int checkpoint_damaged(struct failure *why, const char *path, const char *what)
{
    return fail_input(why,
                      "%s is damaged: %s; delete it and train again from an earlier checkpoint "
                      "or from the start",
                      path, what);
}

/* What can be said of the bytes without looking into the header. */
static int check_form(const char *path, const char *bytes, size_t size, struct failure *why)
{
    if (size < MAGIC_SIZE || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0)
        return fail_input(why, "%s is no checkpoint: it does not begin with %.8s; name a file that "
                               "the trainer has written",
                          path, MAGIC);
    if (size < PREFIX_SIZE + SUM_SIZE)
        return checkpoint_damaged(why, path, "it ends within its first bytes");
    uint32_t version = get_u32(bytes + MAGIC_SIZE);
    if (version < VERSION)
        return fail_input(why,
                          "%s was written by an earlier version of this program (checkpoint "
                          "format %u, now %d); train again from the start",
                          path, version, VERSION);
    if (version > VERSION)
        return fail_input(why,
                          "%s has version %u of the checkpoint format, and this program reads "
                          "version %d; use the program that wrote it, or train again",
                          path, version, VERSION);
    size_t length = get_u32(bytes + MAGIC_SIZE + 4);
    if (length > HEADER_SIZE_MOST || length > size - PREFIX_SIZE - SUM_SIZE)
        return checkpoint_damaged(why, path, "its header is longer than the file");
    if (get_u32(bytes + size - SUM_SIZE) != checksum(bytes, size - SUM_SIZE))
        return checkpoint_damaged(why, path, "its checksum does not match its content");
    return 0;
}

static bool is_count(const json_t *value, json_int_t most)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) <= most;
}

static bool is_seed(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && *text && strlen(text) <= 20 && strspn(text, "0123456789") == strlen(text);
}

static bool is_input(const json_t *value)
{
    bool good = json_array_size(value) == 3;
    for (size_t i = 0; i < json_array_size(value); i++)
        good = good && is_count(json_array_get(value, i), INT32_MAX);
    return good;
}

/* Each with a name of its own and a length. */
static bool are_vectors(const json_t *list)
{
    size_t count = json_array_size(list);
    bool good = json_is_array(list) && count <= VECTORS_MOST;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *vector = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(vector, "name"));
        const json_t *length = json_object_get(vector, "length");
        good = name && is_count(length, INT32_MAX) && json_integer_value(length) > 0;
        for (size_t k = 0; good && k < i; k++)
            good = strcmp(name, json_string_value(json_object_get(json_array_get(list, k),
                                                                  "name"))) != 0;
    }
    return good;
}

enum precision checkpoint_precision(const json_t *header)
{
    const json_t *name = json_object_get(header, "precision");
    return name ? precision_find(json_string_value(name)) : PRECISION_FP32;
}

/* The first field that is missing or of a wrong type, or NULL. */
static const char *wrong_field(const json_t *header)
{
    static const struct {
        const char *name;
        json_int_t most;
    } counts[] = {
        {"classes", INT32_MAX}, {"trial", UINT32_MAX},          {"epoch", INT32_MAX},
        {"step", INT64_MAX},    {"schedule_epochs", INT32_MAX},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        if (!is_count(json_object_get(header, counts[i].name), counts[i].most))
            return counts[i].name;
    }
    if (!json_is_array(json_object_get(header, "model")))
        return "model";
    if (!json_is_object(json_object_get(header, "training")))
        return "training";
    if (!is_input(json_object_get(header, "input")))
        return "input";
    if (!are_vectors(json_object_get(header, "vectors")))
        return "vectors";
    if (checkpoint_precision(header) == PRECISION_COUNT)
        return "precision";
    return is_seed(json_object_get(header, "seed")) ? NULL : "seed";
}

static int read_header(const char *path, const char *bytes, struct checkpoint *checkpoint,
                       struct failure *why)
{
    size_t length = get_u32(bytes + MAGIC_SIZE + 4);
    checkpoint->header = json_loadb(bytes + PREFIX_SIZE, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(checkpoint->header))
        return checkpoint_damaged(why, path, "its header is no JSON object");
    const char *wrong = wrong_field(checkpoint->header);
    if (wrong) {
        char *what = xasprintf("'%s' in its header is missing or out of range", wrong);
        checkpoint_damaged(why, path, what);
        free(what);
        return -1;
    }
    return 0;
}

/* The vectors as the header lists them, without their values; how many numbers they have
 * together, which cannot overflow: VECTORS_MOST lengths under 2^31. */
static size_t list_vectors(struct checkpoint *checkpoint)
{
    const json_t *list = json_object_get(checkpoint->header, "vectors");
    size_t total = 0;
    checkpoint->vector_count = json_array_size(list);
    checkpoint->vectors = xcalloc(checkpoint->vector_count, sizeof *checkpoint->vectors);
    for (size_t i = 0; i < checkpoint->vector_count; i++) {
        const json_t *vector = json_array_get(list, i);
        checkpoint->vectors[i].name = json_string_value(json_object_get(vector, "name"));
        checkpoint->vectors[i].length =
            (size_t)json_integer_value(json_object_get(vector, "length"));
        total += checkpoint->vectors[i].length;
    }
    return total;
}

static int read_vectors(const char *path, const char *bytes, size_t size,
                        struct checkpoint *checkpoint, struct failure *why)
{
    size_t begin = PREFIX_SIZE + get_u32(bytes + MAGIC_SIZE + 4);
    size_t count = list_vectors(checkpoint);
    if (count * sizeof(float) != size - begin - SUM_SIZE)
        return checkpoint_damaged(why, path, "its length is not what its header says");
    checkpoint->values = floats_new(count);
    get_floats(bytes + begin, checkpoint->values, count);
    float *values = checkpoint->values;
    for (size_t i = 0; i < checkpoint->vector_count; i++) {
        checkpoint->vectors[i].values = values;
        values += checkpoint->vectors[i].length;
    }
    return 0;
}

int checkpoint_read(const char *path, struct checkpoint *checkpoint, struct failure *why)
{
    *checkpoint = (struct checkpoint){0};
    char *bytes = NULL;
    size_t size = 0;
    int result = -1;
    if (file_read(path, FILE_SIZE_MOST, &bytes, &size, why) < 0)
        return -1;
    if (check_form(path, bytes, size, why) < 0 ||
        read_header(path, bytes, checkpoint, why) < 0 ||
        read_vectors(path, bytes, size, checkpoint, why) < 0)
        goto done;
    result = 0;
done:
    if (result < 0)
        checkpoint_release(checkpoint);
    free(bytes);
    return result;
}

void checkpoint_release(struct checkpoint *checkpoint)
{
    json_decref(checkpoint->header);
    free(checkpoint->vectors);
    free(checkpoint->values);
    *checkpoint = (struct checkpoint){0};
}

const struct checkpoint_vector *checkpoint_find(const struct checkpoint *checkpoint,
                                                const char *name)
{
    for (size_t i = 0; i < checkpoint->vector_count; i++) {
        if (strcmp(checkpoint->vectors[i].name, name) == 0)
            return &checkpoint->vectors[i];
    }
    return NULL;
}
