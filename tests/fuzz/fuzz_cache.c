/* After a byte, the bytes are a file of decoded images.  The byte says what of it is made right
 * first, since no mutation would guess it: the sources at its end, the sum of its header.
 * What is accepted is written and read again. */
#include "tests/fuzz/fuzz.h"

#include "common/file.h"
#include "trainer/data_cache.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Of the header (data_cache.c). */
enum { SOURCES_AT = 48, SUM_AT = 56, HEADER_SIZE = 64 };
enum { MEND_SOURCES = 1, MEND_SUM = 2, OTHER_SOURCES = 4 };

static const char sources[] = "idx {\"dataset\":\"idx\"}\ntrain-images 1 2 3\n";

static uint8_t *mend(const struct fuzz_input *input, unsigned form, size_t *size)
{
    size_t length = form & MEND_SOURCES ? strlen(sources) : 0;
    uint8_t *file = xmalloc(input->left + length + 1);
    memcpy(file, input->at, input->left);
    memcpy(file + input->left, sources, length);
    *size = input->left + length;
    if (input->left < HEADER_SIZE)
        return file;
    if (form & MEND_SOURCES)
        memcpy(file + SOURCES_AT, &(uint64_t){length}, sizeof(uint64_t));
    if (form & MEND_SUM)
        memcpy(file + SUM_AT, &(uint64_t){crc32_z(0, file, SUM_AT)}, sizeof(uint64_t));
    return file;
}

static void write_again(const struct dataset *found, const char *folder)
{
    struct dataset again = {0};
    char *other = path_join(folder, "other");
    fuzz_expect(data_cache_make(other, sources, found, NULL) == 0 &&
                data_cache_map(other, sources, &again, NULL) == 0,
                "a cache can be written and read");
    fuzz_expect(again.mapping_size == found->mapping_size &&
                memcmp(again.mapping, found->mapping, found->mapping_size) == 0,
                "it is the same again");
    data_cache_unmap(&again);
    free(other);
}

static void map(const char *folder, const char *asked)
{
    struct failure why = FAILURE_NONE;
    struct dataset found = {0};
    if (data_cache_map(folder, asked, &found, &why) == 0) {
        fuzz_expect(found.checksum == dataset_checksum(&found), "the checksum is right");
        fuzz_judge(true, &why);
        write_again(&found, folder);
        data_cache_unmap(&found);
    } else {
        fuzz_judge(false, &why);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    unsigned form = fuzz_byte(&input);
    size_t length;
    uint8_t *file = mend(&input, form, &length);
    char *folder = path_join(fuzz_folder(), "cache");
    /* Of the same name, since the first line is the same. */
    const char *asked = form & OTHER_SOURCES ? "idx {\"dataset\":\"idx\"}\n" : sources;
    char *path = data_cache_path(folder, asked);
    fuzz_write(folder, strrchr(path, '/') + 1, file, length);
    map(folder, asked);
    free(path);
    free(folder);
    free(file);
    return 0;
}
