#include "trainer/data_cifar.h"

#include "common/file.h"
#include "trainer/data_labels.h"
#include "trainer/data_stamp.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, RECORD = 1 + CHANNELS * PLANE, CLASSES = 10 };
static const size_t file_bytes_most = (size_t)1 << 30;

static const char *const training_names[] = {"data_batch_1.bin", "data_batch_2.bin",
                                             "data_batch_3.bin", "data_batch_4.bin",
                                             "data_batch_5.bin"};
static const char test_name[] = "test_batch.bin";

/* Planes of the file become pixels of three values. */
static void add_record(const uint8_t *record, struct image_set *set)
{
    uint8_t *pixels = set->pixels + set->count * PLANE * CHANNELS;
    set->labels[set->count++] = record[0];
    for (size_t i = 0; i < PLANE; i++) {
        for (size_t c = 0; c < CHANNELS; c++)
            *pixels++ = record[1 + c * PLANE + i];
    }
}

static int add_file(const char *folder, const char *name, struct image_set *set,
                    struct failure *why)
{
    char *path = path_join(folder, name), *bytes = NULL;
    size_t size = 0;
    int classes = CLASSES;
    int result = file_read(path, file_bytes_most, &bytes, &size, why);
    if (result == 0 && (size == 0 || size % RECORD != 0))
        result = fail_input(why, "%s: %zu bytes are no whole number of CIFAR-10's records of %d "
                            "bytes; fetch the file again", path, size, RECORD);
    if (result == 0) {
        size_t count = size / RECORD;
        set->pixels = xreallocarray(set->pixels, set->count + count, PLANE * CHANNELS);
        set->labels = xreallocarray(set->labels, set->count + count, sizeof *set->labels);
        struct image_set added = {NULL, set->labels + set->count, count};
        for (size_t i = 0; i < count; i++)
            add_record((uint8_t *)bytes + i * RECORD, set);
        result = data_labels_check(path, &added, &classes, why);
    }
    free(bytes);
    free(path);
    return result;
}

int data_cifar_load(const char *folder, struct dataset *dataset, struct failure *why)
{
    dataset->height = dataset->width = SIDE;
    dataset->channels = CHANNELS;
    dataset->classes = CLASSES;
    for (size_t i = 0; i < ARRAY_LENGTH(training_names); i++) {
        if (add_file(folder, training_names[i], &dataset->training, why) != 0)
            return -1;
    }
    return add_file(folder, test_name, &dataset->test, why);
}

void data_cifar_stamps(const char *folder, struct text *stamps)
{
    for (size_t i = 0; i < ARRAY_LENGTH(training_names); i++)
        data_stamp_add(stamps, folder, training_names[i]);
    data_stamp_add(stamps, folder, test_name);
}
