/* Hands each file of a folder to a target, and says how many there were:
 *
 *   fuzz_NAME FOLDER */
#include "tests/fuzz/fuzz.h"

#include "common/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MOST = 1 << 20 };

/* Told before it is tried, so that a crash is the last one's. */
static int run_file(const char *folder, const char *name, struct failure *why)
{
    char *path = path_join(folder, name), *bytes = NULL;
    size_t size = 0;
    int result = file_read(path, FILE_MOST, &bytes, &size, why);
    fprintf(stderr, "%s\n", path);
    if (result == 0) {
        /* Of just this size, so that a sanitizer sees who reads on. */
        bytes = xrealloc(bytes, size > 0 ? size : 1);
        LLVMFuzzerTestOneInput((uint8_t *)bytes, size);
    }
    free(bytes);
    free(path);
    return result;
}

int main(int count, char *arguments[])
{
    struct failure why = FAILURE_NONE;
    const struct dirent *entry;
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    int files = 0, result = 0;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return EXIT_BAD_USAGE;
    }
    while (result == 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        result = run_file(arguments[1], entry->d_name, &why);
        files++;
    }
    closedir(folder);
    if (result != 0)
        fprintf(stderr, "%s\n", why.text);
    failure_clear(&why);
    printf("%d files\n", files);
    return result == 0 ? EXIT_DONE : EXIT_BAD_INPUT;
}
