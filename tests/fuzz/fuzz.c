#include "tests/folder_remove.h"
#include "tests/fuzz/fuzz.h"

#include "common/file.h"
#include "trainer/data_kind.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 64 };

void fuzz_expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

void fuzz_judge(bool accepted, struct failure *why)
{
    if (accepted)
        fuzz_expect(why->code == EXIT_DONE && !why->text, "what is accepted has no failure");
    else
        fuzz_expect(why->code != EXIT_DONE && why->text && *why->text,
                    "what is refused has a failure with a message");
    failure_clear(why);
}

/* ---- Pieces of the bytes ---- */

unsigned fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

const uint8_t *fuzz_piece(struct fuzz_input *input, size_t *size)
{
    size_t asked = fuzz_byte(input);
    asked |= (size_t)fuzz_byte(input) << 8;
    const uint8_t *piece = input->at;
    *size = asked < input->left ? asked : input->left;
    input->at += *size;
    input->left -= *size;
    return piece;
}

/* ---- Files, in memory ---- */

static char folder_path[PATH_BYTES];

static void remove_folder(void)
{
    folder_remove(folder_path, NULL);
}

const char *fuzz_folder(void)
{
    if (!*folder_path) {
        snprintf(folder_path, sizeof folder_path, "%s/tuner-fuzz.XXXXXX",
                 folder_exists("/dev/shm") ? "/dev/shm" : "/tmp");
        fuzz_expect(mkdtemp(folder_path) != NULL, "a folder can be made");
        atexit(remove_folder);
    }
    return folder_path;
}

void fuzz_write(const char *folder, const char *name, const void *bytes, size_t size)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE = 0600 };
    char *path = path_join(folder, name), *above = path_folder(path);
    int fd = open(path, FLAGS, MODE);
    if (fd < 0 && folder_make(above, NULL) == 0)
        fd = open(path, FLAGS, MODE);
    fuzz_expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size,
                "a file can be written");
    close(fd);
    free(above);
    free(path);
}

const char *fuzz_file(const uint8_t *bytes, size_t size)
{
    static char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/file", fuzz_folder());
    fuzz_write(fuzz_folder(), "file", bytes, size);
    return path;
}

/* ---- Data sets ---- */

static void check_set(const struct dataset *dataset, const struct image_set *set)
{
    fuzz_expect(set->count > 0, "there are images");
    for (size_t i = 0; i < set->count; i++)
        fuzz_expect(set->labels[i] < dataset->classes, "labels are under the number of classes");
}

void fuzz_load(json_t *data)
{
    struct failure why = FAILURE_NONE;
    char *sources = data_kind_sources(data);
    struct dataset *dataset = dataset_load(data, &why);
    fuzz_judge(dataset != NULL, &why);
    fuzz_expect(sources || !dataset, "what is loaded has sources");
    free(sources);
    if (dataset) {
        fuzz_expect(dataset->height > 0 && dataset->width > 0 && dataset->channels > 0 &&
                    dataset->classes > 1, "sizes are positive");
        check_set(dataset, &dataset->training);
        check_set(dataset, &dataset->test);
        fuzz_expect(dataset_checksum(dataset) == dataset->checksum, "the checksum is right");
    }
    dataset_free(dataset);
    json_decref(data);
}
