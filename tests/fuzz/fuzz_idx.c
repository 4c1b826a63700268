/* The first byte says how the files are laid out; then come the four IDX files of a folder,
 * each after its length (fuzz_piece). */
#include "tests/folder_remove.h"
#include "tests/fuzz/fuzz.h"

#include "common/file.h"
#include "trainer/data_idx.h"

#include <stdlib.h>
#include <unistd.h>

enum { COMPRESSED = 1, SPLIT = 2, TRANSPOSE = 4, FIRST_LABEL = 8, SINGLE = 16, FILES = 4 };

static void remove_files(const char *folder)
{
    char *path = path_join(folder, "idx");
    folder_remove(path, NULL);
    free(path);
}

static char *write_files(struct fuzz_input *input, unsigned form)
{
    const char *const names[FILES] = {data_idx_train_images, data_idx_train_labels,
                                      data_idx_test_images, data_idx_test_labels};
    char *folder = path_join(fuzz_folder(), "idx");
    for (size_t i = 0; i < FILES && (i == 0 || input->left > 0); i++) {
        size_t size;
        const uint8_t *bytes = fuzz_piece(input, &size);
        const char *name = i == 2 && form & SPLIT ? "test-images-idx3-ubyte"
                           : i == 3 && form & SPLIT ? "test-labels-idx1-ubyte" : names[i];
        char *file = xasprintf("%s%s%s", form & SPLIT ? "emnist-letters-" : "", name,
                               form & COMPRESSED ? ".gz" : "");
        fuzz_write(folder, file, bytes, size);
        free(file);
    }
    return folder;
}

/* Only the images, as those to be predicted are read. */
static void read_images(const struct fuzz_input *input)
{
    struct failure why = FAILURE_NONE;
    struct image_set set = {0};
    int height = 0, width = 0;
    const char *path = fuzz_file(input->at, input->left);
    bool accepted = data_idx_read_images(path, &set, &height, &width, &why) == 0;
    fuzz_judge(accepted, &why);
    if (accepted) {
        volatile uint8_t last = set.pixels[set.count * (size_t)height * (size_t)width - 1];
        (void)last; /* a sanitizer sees whether it is there */
    }
    free(set.pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    unsigned form = fuzz_byte(&input);
    if (form & SINGLE) {
        read_images(&input);
        return 0;
    }
    char *folder = write_files(&input, form);
    json_t *data = json_pack("{s:s, s:s, s:b}", "dataset", "idx", "folder", folder, "transpose",
                             (form & TRANSPOSE) != 0);
    if (form & SPLIT)
        json_object_set_new(data, "split", json_string("letters"));
    if (form & FIRST_LABEL)
        json_object_set_new(data, "first_label", json_integer(1));
    fuzz_load(data);
    remove_files(fuzz_folder());
    free(folder);
    return 0;
}
