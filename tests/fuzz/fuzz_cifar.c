/* CIFAR-10's files are records of 3,073 bytes, so a few bytes stand for many: the first says
 * which of the six files they make, the next two how long it is; the others, again and again,
 * are its content.  The other files have a record each. */
#include "tests/fuzz/fuzz.h"

#include "common/file.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD = 3073, FILES = 6, MISSING = 8 };

static const char *const names[FILES] = {"data_batch_1.bin", "data_batch_2.bin",
                                         "data_batch_3.bin", "data_batch_4.bin",
                                         "data_batch_5.bin", "test_batch.bin"};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t record[RECORD];
    struct fuzz_input input = {bytes, size};
    unsigned form = fuzz_byte(&input);
    size_t length = fuzz_byte(&input);
    length |= (size_t)fuzz_byte(&input) << 8;
    uint8_t *content = xmalloc(length + 1);
    for (size_t i = 0; i < length; i++)
        content[i] = input.left > 0 ? input.at[i % input.left] : 0;
    char *folder = path_join(fuzz_folder(), "cifar");
    for (unsigned i = 0; i < FILES; i++) {
        if (i != form % MISSING)
            fuzz_write(folder, names[i], record, RECORD);
        else if (!(form & MISSING))
            fuzz_write(folder, names[i], content, length);
    }
    fuzz_load(json_pack("{s:s, s:s}", "dataset", "cifar10", "folder", folder));
    folder_remove(folder, NULL);
    free(folder);
    free(content);
    return 0;
}
