/* CIFAR-10's files are records of 3,073 bytes, so a few bytes stand for many: the first says
 * which of the six files they make, or that it is missing, the next two how long it is; the
 * others, again and again, are its content.  The other files have a record each. */
#include "tests/fuzz/fuzz.h"

#include "common/file.h"

#include <stdlib.h>
#include <unistd.h>

enum { RECORD = 3073, FILES = 6, MISSING = 128 };

static const char *const names[FILES] = {"data_batch_1.bin", "data_batch_2.bin",
                                         "data_batch_3.bin", "data_batch_4.bin",
                                         "data_batch_5.bin", "test_batch.bin"};

/* All files with one record each. */
static const char *good_files(void)
{
    static const uint8_t record[RECORD];
    static char *folder;
    if (!folder)
        folder = path_join(fuzz_folder(), "cifar");
    for (size_t i = 0; i < FILES; i++) {
        char *path = path_join(folder, names[i]);
        if (!file_exists(path))
            fuzz_write(folder, names[i], record, RECORD);
        free(path);
    }
    return folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    unsigned form = fuzz_byte(&input);
    const char *folder = good_files(), *name = names[form % FILES];
    size_t length = fuzz_byte(&input);
    length |= (size_t)fuzz_byte(&input) << 8;
    uint8_t *content = xmalloc(length + 1);
    for (size_t i = 0; i < length; i++)
        content[i] = input.left > 0 ? input.at[i % input.left] : 0;
    char *path = path_join(folder, name);
    unlink(path);
    if (form < MISSING)
        fuzz_write(folder, name, content, length);
    fuzz_load(json_pack("{s:s, s:s}", "dataset", "cifar10", "folder", folder));
    unlink(path);
    free(path);
    free(content);
    return 0;
}
