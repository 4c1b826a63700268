#include "trainer/data_cache.h"

#include "common/file.h"
#include "trainer/data_idx.h"
#include "trainer/data_kind.h"
#include "tests/folder_remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { TRAINING = 30, TEST = 10, PIXELS = 28 * 28, HEADER = 64, PROCESSES = 6 };

/* ---- A folder with digits, and a cache that is not there yet ---- */

struct scratch {
    char *folder, *digits, *cache;
    json_t *data; /* with the cache */
};

static void write_digits(const char *folder, uint64_t seed)
{
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    data_synthetic_load(TRAINING, TEST, seed, dataset);
    assert_int_equal(folder_remove(folder, NULL), 0);
    assert_int_equal(data_idx_write(folder, dataset, NULL), 0);
    dataset_free(dataset);
}

static int make_scratch(void **state)
{
    const char *parent = getenv("TEST_TMP");
    struct scratch *scratch = xcalloc(1, sizeof *scratch);
    scratch->folder = xasprintf("%s/cache.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(scratch->folder))
        return -1;
    scratch->digits = path_join(scratch->folder, "digits");
    scratch->cache = path_join(scratch->folder, "home/cache");
    write_digits(scratch->digits, 1);
    scratch->data = json_pack("{s:s, s:s, s:i, s:i, s:s, s:s}", "dataset", "idx", "folder",
                              scratch->digits, "validation", 5, "train", 20, "seed", "7",
                              "cache", scratch->cache);
    *state = scratch;
    return 0;
}

static int remove_scratch(void **state)
{
    struct scratch *scratch = *state;
    int result = folder_remove(scratch->folder, NULL);
    json_decref(scratch->data);
    free(scratch->cache);
    free(scratch->digits);
    free(scratch->folder);
    free(scratch);
    return result;
}

static struct dataset *load(const json_t *data)
{
    struct failure why = FAILURE_NONE;
    struct dataset *dataset = dataset_load(data, &why);
    if (!dataset)
        fail_msg("%s", why.text);
    return dataset;
}

static struct dataset *load_without_cache(const json_t *data)
{
    json_t *plain = json_copy((json_t *)data);
    json_object_del(plain, "cache");
    struct dataset *dataset = load(plain);
    assert_null(dataset->mapping);
    json_decref(plain);
    return dataset;
}

static void assert_same_set(const struct image_set *set, const struct image_set *expected,
                            size_t size)
{
    assert_int_equal(set->count, expected->count);
    assert_memory_equal(set->pixels, expected->pixels, set->count * size);
    assert_memory_equal(set->labels, expected->labels, set->count * sizeof *set->labels);
}

static void assert_same(const struct dataset *dataset, const struct dataset *expected)
{
    size_t size = (size_t)(expected->height * expected->width * expected->channels);
    assert_int_equal(dataset->height, expected->height);
    assert_int_equal(dataset->width, expected->width);
    assert_int_equal(dataset->channels, expected->channels);
    assert_int_equal(dataset->classes, expected->classes);
    assert_int_equal(dataset->checksum, expected->checksum);
    assert_same_set(&dataset->training, &expected->training, size);
    assert_same_set(&dataset->test, &expected->test, size);
    assert_int_equal(dataset->train_count, expected->train_count);
    assert_memory_equal(dataset->train_index, expected->train_index,
                        expected->train_count * sizeof *expected->train_index);
    assert_int_equal(dataset->validation_count, expected->validation_count);
    assert_memory_equal(dataset->validation_index, expected->validation_index,
                        expected->validation_count * sizeof *expected->validation_index);
}

/* Loads with the cache and without, and compares; whether the images were mapped. */
static bool load_both(const json_t *data)
{
    struct dataset *dataset = load(data), *expected = load_without_cache(data);
    bool mapped = dataset->mapping != NULL;
    assert_same(dataset, expected);
    dataset_free(dataset);
    dataset_free(expected);
    return mapped;
}

static int files_in(const char *path)
{
    DIR *folder = opendir(path);
    int count = -2;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static char *cache_path(const struct scratch *scratch)
{
    char *sources = data_kind_sources(scratch->data);
    assert_non_null(sources);
    char *path = data_cache_path(scratch->cache, sources);
    free(sources);
    return path;
}

static struct stat status_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* ---- Making and using ---- */

static void the_first_makes_what_the_next_maps(void **state)
{
    struct scratch *scratch = *state;
    char *path = cache_path(scratch);
    assert_true(load_both(scratch->data));
    struct stat made = status_of(path);
    assert_int_equal(files_in(scratch->cache), 1);

    assert_true(load_both(scratch->data));
    struct stat used = status_of(path);
    assert_true(is_same_file(&made, &used));
    assert_int_equal(files_in(scratch->cache), 1);
    free(path);
}

static void nothing_is_read_from_the_files_again(void **state)
{
    struct scratch *scratch = *state;
    char *sources = data_kind_sources(scratch->data);
    struct dataset *expected = load_without_cache(scratch->data), mapped;
    assert_int_equal(data_cache_map(scratch->cache, sources, &mapped, NULL), -1);
    assert_int_equal(data_cache_make(scratch->cache, sources, expected, NULL), 0);
    assert_int_equal(folder_remove(scratch->digits, NULL), 0);
    assert_int_equal(data_cache_map(scratch->cache, sources, &mapped, NULL), 0);
    assert_same_set(&mapped.training, &expected->training, PIXELS);
    assert_same_set(&mapped.test, &expected->test, PIXELS);
    assert_int_equal(mapped.checksum, expected->checksum);
    data_cache_unmap(&mapped);
    dataset_free(expected);
    free(sources);
}

static void what_only_splits_shares_one_file(void **state)
{
    struct scratch *scratch = *state;
    assert_true(load_both(scratch->data));
    json_object_set_new(scratch->data, "seed", json_string("8"));
    json_object_set_new(scratch->data, "train", json_string("all"));
    json_object_set_new(scratch->data, "validation", json_integer(3));
    json_object_set_new(scratch->data, "join_validation", json_true());
    assert_true(load_both(scratch->data));
    assert_int_equal(files_in(scratch->cache), 1);
}

static void other_settings_have_a_file_of_their_own(void **state)
{
    struct scratch *scratch = *state;
    assert_true(load_both(scratch->data));
    json_object_set_new(scratch->data, "transpose", json_true());
    assert_true(load_both(scratch->data));
    assert_int_equal(files_in(scratch->cache), 2);
}

static void deleting_the_file_harms_nobody(void **state)
{
    struct scratch *scratch = *state;
    struct dataset *dataset = load(scratch->data), *expected = load_without_cache(scratch->data);
    assert_int_equal(folder_remove(scratch->cache, NULL), 0);
    assert_same(dataset, expected);
    assert_true(load_both(scratch->data));
    dataset_free(dataset);
    dataset_free(expected);
}

static void bad_data_are_refused_as_without_a_cache(void **state)
{
    struct scratch *scratch = *state;
    struct failure why = FAILURE_NONE;
    char *file = xasprintf("%s/%s.gz", scratch->digits, data_idx_test_labels);
    assert_true(load_both(scratch->data));
    assert_int_equal(truncate(file, 20), 0);
    assert_null(dataset_load(scratch->data, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, data_idx_test_labels));
    failure_clear(&why);
    assert_int_equal(folder_remove(scratch->digits, NULL), 0);
    assert_null(dataset_load(scratch->data, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    failure_clear(&why);
    free(file);
}

/* ---- Files that change ---- */

/* The cache is another file than `before`, and its images are those of the files. */
static struct stat assert_made_anew(const struct scratch *scratch, const struct stat *before)
{
    char *path = cache_path(scratch);
    assert_true(load_both(scratch->data));
    struct stat now = status_of(path);
    assert_false(is_same_file(before, &now));
    assert_int_equal(files_in(scratch->cache), 1);
    free(path);
    return now;
}

static void a_changed_file_makes_another_which_replaces_it(void **state)
{
    struct scratch *scratch = *state;
    char *file = xasprintf("%s/%s.gz", scratch->digits, data_idx_train_images);
    struct stat source = status_of(file), nothing = {0};
    struct stat made = assert_made_anew(scratch, &nothing);

    struct timespec times[2] = {source.st_mtim, source.st_mtim};
    times[1].tv_nsec ^= 1;
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
    made = assert_made_anew(scratch, &made);

    write_digits(scratch->digits, 2);
    made = assert_made_anew(scratch, &made);

    char *plain = path_join(scratch->digits, data_idx_train_images);
    const struct file_piece nonsense = {"x", 1};
    assert_int_equal(file_replace(plain, &nonsense, 1, NULL), 0);
    assert_null(dataset_load(scratch->data, NULL)); /* it would be read first */
    assert_int_equal(unlink(plain), 0);
    free(plain);
    free(file);
}

static void a_file_with_the_old_size_and_date_is_another(void **state)
{
    struct scratch *scratch = *state;
    struct stat nothing = {0};
    char *file = xasprintf("%s/%s.gz", scratch->digits, data_idx_train_labels), *bytes;
    struct stat source = status_of(file), made = assert_made_anew(scratch, &nothing);
    struct timespec times[2] = {source.st_mtim, source.st_mtim};
    size_t size;
    assert_int_equal(file_read(file, 1 << 20, &bytes, &size, NULL), 0);
    const struct file_piece piece = {bytes, size};
    struct stat replaced;
    do { /* until the clock of the disk has gone on */
        assert_int_equal(file_replace(file, &piece, 1, NULL), 0);
        assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
        replaced = status_of(file);
    } while (replaced.st_ctim.tv_sec == source.st_ctim.tv_sec &&
             replaced.st_ctim.tv_nsec == source.st_ctim.tv_nsec);
    assert_made_anew(scratch, &made);
    free(bytes);
    free(file);
}

/* ---- Damage ---- */

/* The file as it must be, which tests spoil and put back. */
struct spoiled {
    char *path, *sources, *bytes;
    size_t size;
    int fd;
};

static struct spoiled open_spoiled(const struct scratch *scratch)
{
    struct spoiled spoiled = {.path = cache_path(scratch),
                              .sources = data_kind_sources(scratch->data)};
    assert_true(load_both(scratch->data));
    assert_int_equal(file_read(spoiled.path, 1 << 20, &spoiled.bytes, &spoiled.size, NULL), 0);
    spoiled.fd = open(spoiled.path, O_RDWR | O_CLOEXEC);
    assert_true(spoiled.fd >= 0);
    return spoiled;
}

static void close_spoiled(struct spoiled *spoiled)
{
    close(spoiled->fd);
    free(spoiled->bytes);
    free(spoiled->sources);
    free(spoiled->path);
}

static void put_byte(const struct spoiled *spoiled, size_t at, uint8_t byte)
{
    assert_int_equal(pwrite(spoiled->fd, &byte, 1, (off_t)at), 1);
}

static void assert_unusable(const struct scratch *scratch, const struct spoiled *spoiled,
                            const char *what, size_t at)
{
    struct failure why = FAILURE_NONE;
    struct dataset dataset;
    if (data_cache_map(scratch->cache, spoiled->sources, &dataset, &why) == 0)
        fail_msg("used with %s %zu", what, at);
    if (!why.text || !strstr(why.text, spoiled->path))
        fail_msg("no reason is told with %s %zu: %s", what, at, why.text ? why.text : "");
    failure_clear(&why);
}

/* A load makes it anew, byte for byte as it was. */
static void assert_repaired(const struct scratch *scratch, const struct spoiled *spoiled)
{
    char *bytes;
    size_t size;
    assert_true(load_both(scratch->data));
    assert_int_equal(file_read(spoiled->path, 1 << 20, &bytes, &size, NULL), 0);
    assert_int_equal(size, spoiled->size);
    assert_memory_equal(bytes, spoiled->bytes, size);
    assert_int_equal(files_in(scratch->cache), 1);
    free(bytes);
}

static void a_changed_byte_anywhere_is_seen(void **state)
{
    struct scratch *scratch = *state;
    struct spoiled spoiled = open_spoiled(scratch);
    size_t images = HEADER + (TRAINING + TEST) * sizeof(uint16_t);
    for (size_t at = 0; at < spoiled.size; at += at < images ? 1 : 13) {
        put_byte(&spoiled, at, (uint8_t)~spoiled.bytes[at]);
        assert_unusable(scratch, &spoiled, "a changed byte", at);
        put_byte(&spoiled, at, (uint8_t)spoiled.bytes[at]);
    }
    size_t sources = spoiled.size - strlen(spoiled.sources);
    assert_memory_equal(spoiled.bytes + sources, spoiled.sources, strlen(spoiled.sources));
    for (size_t at = sources; at < spoiled.size; at++) {
        put_byte(&spoiled, at, (uint8_t)(spoiled.bytes[at] ^ 1));
        assert_unusable(scratch, &spoiled, "a changed source", at);
        put_byte(&spoiled, at, (uint8_t)spoiled.bytes[at]);
    }
    struct dataset dataset;
    assert_int_equal(data_cache_map(scratch->cache, spoiled.sources, &dataset, NULL), 0);
    data_cache_unmap(&dataset);
    close_spoiled(&spoiled);
}

static void another_length_is_seen(void **state)
{
    struct scratch *scratch = *state;
    struct spoiled spoiled = open_spoiled(scratch);
    for (size_t length = 0; length < spoiled.size; length += length < 2 * HEADER ? 1 : 89) {
        assert_int_equal(ftruncate(spoiled.fd, (off_t)length), 0);
        assert_unusable(scratch, &spoiled, "length", length);
        assert_int_equal(pwrite(spoiled.fd, spoiled.bytes, spoiled.size, 0), spoiled.size);
    }
    assert_int_equal(ftruncate(spoiled.fd, (off_t)spoiled.size + 1), 0);
    assert_unusable(scratch, &spoiled, "length", spoiled.size + 1);
    close_spoiled(&spoiled);
}

/* Writes a field of the header, and the sum that makes it credible. */
static void forge(const struct spoiled *spoiled, size_t at, size_t width, uint64_t value)
{
    uint8_t header[HEADER];
    memcpy(header, spoiled->bytes, sizeof header);
    memcpy(header + at, &value, width); /* little-endian */
    uint64_t sum = crc32_z(0, header, HEADER - sizeof sum);
    memcpy(header + HEADER - sizeof sum, &sum, sizeof sum);
    assert_int_equal(pwrite(spoiled->fd, header, sizeof header, 0), sizeof header);
}

static void a_header_that_promises_too_much_or_too_little_is_seen(void **state)
{
    struct scratch *scratch = *state;
    struct spoiled spoiled = open_spoiled(scratch);
    static const struct {
        const char *name;
        size_t at, width;
    } fields[] = {{"height", 12, 4}, {"width", 16, 4}, {"channels", 20, 4}, {"classes", 24, 4},
                  {"training", 32, 8}, {"test", 40, 8}, {"sources", 48, 8}};
    static const uint64_t values[] = {0, 1, 60000, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(values); k++) {
            if (strcmp(fields[i].name, "channels") == 0 && values[k] == 1)
                continue; /* it is */
            forge(&spoiled, fields[i].at, fields[i].width, values[k]);
            assert_unusable(scratch, &spoiled, fields[i].name, k);
        }
    }
    forge(&spoiled, 8, 4, DATA_CACHE_VERSION + 1);
    assert_unusable(scratch, &spoiled, "version", DATA_CACHE_VERSION + 1);
    forge(&spoiled, 8, 4, DATA_CACHE_VERSION);
    assert_true(load_both(scratch->data));
    close_spoiled(&spoiled);
}

static void what_is_damaged_is_made_anew(void **state)
{
    struct scratch *scratch = *state;
    for (size_t at = 0; at < HEADER; at++) {
        struct spoiled spoiled = open_spoiled(scratch);
        put_byte(&spoiled, at, (uint8_t)(spoiled.bytes[at] ^ 1));
        assert_repaired(scratch, &spoiled);
        close_spoiled(&spoiled);
    }
    for (size_t length = 0; length < HEADER + PIXELS; length += 97) {
        struct spoiled spoiled = open_spoiled(scratch);
        assert_int_equal(ftruncate(spoiled.fd, (off_t)length), 0);
        assert_repaired(scratch, &spoiled);
        close_spoiled(&spoiled);
    }
}

/* ---- Many at once ---- */

/* A process waits until all are there, then loads; its exit status says how it went. */
static void load_in_child(const struct scratch *scratch, int start,
                          const struct dataset *expected)
{
    char byte;
    ssize_t count = read(start, &byte, 1); /* the end, when the parent closes */
    struct dataset *dataset = count == 0 ? dataset_load(scratch->data, NULL) : NULL;
    bool same = dataset && dataset->mapping && dataset->checksum == expected->checksum &&
                memcmp(dataset->training.pixels, expected->training.pixels,
                       TRAINING * PIXELS) == 0;
    _exit(same ? 0 : 1);
}

static void processes_that_start_at_once_all_end_up_right(void **state)
{
    struct scratch *scratch = *state;
    struct dataset *expected = load_without_cache(scratch->data);
    for (int round = 0; round < 10; round++) {
        int ends[2], status;
        pid_t children[PROCESSES];
        assert_int_equal(folder_remove(scratch->cache, NULL), 0);
        assert_int_equal(pipe(ends), 0);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                close(ends[1]);
                load_in_child(scratch, ends[0], expected);
            }
        }
        close(ends[1]);
        for (int i = 0; i < PROCESSES; i++) {
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
        close(ends[0]);
        assert_int_equal(files_in(scratch->cache), 1);
    }
    dataset_free(expected);
}

static void what_the_dead_left_is_removed(void **state)
{
    struct scratch *scratch = *state;
    char *path = cache_path(scratch);
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    assert_int_equal(waitpid(dead, NULL, 0), dead);
    char *left = xasprintf("%s.tmp.%ld", path, (long)dead);
    char *of_the_living = xasprintf("%s.tmp.%ld", path, (long)getppid());
    const struct file_piece piece = {"half", 4};
    assert_int_equal(folder_make(scratch->cache, NULL), 0);
    assert_int_equal(file_replace(left, &piece, 1, NULL), 0);
    assert_int_equal(file_replace(of_the_living, &piece, 1, NULL), 0);
    assert_true(load_both(scratch->data));
    assert_false(file_exists(left));
    assert_true(file_exists(of_the_living));
    free(of_the_living);
    free(left);
    free(path);
}

/* ---- Where there can be none ---- */

static void a_folder_that_cannot_be_written_is_done_without(void **state)
{
    struct scratch *scratch = *state;
    char *blocked = path_join(scratch->digits, "file/cache");
    char *file = path_join(scratch->digits, "file");
    const struct file_piece piece = {"", 0};
    assert_int_equal(file_replace(file, &piece, 1, NULL), 0);
    json_object_set_new(scratch->data, "cache", json_string(blocked));
    assert_false(load_both(scratch->data));

    assert_int_equal(folder_make(scratch->cache, NULL), 0);
    assert_int_equal(chmod(scratch->cache, 0555), 0);
    json_object_set_new(scratch->data, "cache", json_string(scratch->cache));
    bool mapped = load_both(scratch->data);
    assert_true(mapped == (geteuid() == 0)); /* who may write everywhere does */
    assert_int_equal(chmod(scratch->cache, 0755), 0);
    free(file);
    free(blocked);
}

static void a_folder_in_its_place_is_done_without(void **state)
{
    struct scratch *scratch = *state;
    char *path = cache_path(scratch);
    assert_int_equal(folder_make(path, NULL), 0);
    assert_false(load_both(scratch->data));
    assert_true(folder_exists(path));
    assert_int_equal(files_in(scratch->cache), 1);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)
        CASE(the_first_makes_what_the_next_maps),
        CASE(nothing_is_read_from_the_files_again),
        CASE(what_only_splits_shares_one_file),
        CASE(other_settings_have_a_file_of_their_own),
        CASE(deleting_the_file_harms_nobody),
        CASE(bad_data_are_refused_as_without_a_cache),
        CASE(a_changed_file_makes_another_which_replaces_it),
        CASE(a_file_with_the_old_size_and_date_is_another),
        CASE(a_changed_byte_anywhere_is_seen),
        CASE(another_length_is_seen),
        CASE(a_header_that_promises_too_much_or_too_little_is_seen),
        CASE(what_is_damaged_is_made_anew),
        CASE(processes_that_start_at_once_all_end_up_right),
        CASE(what_the_dead_left_is_removed),
        CASE(a_folder_that_cannot_be_written_is_done_without),
        CASE(a_folder_in_its_place_is_done_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
