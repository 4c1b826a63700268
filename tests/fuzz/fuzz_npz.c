/* After a byte, the bytes are a zip archive of NumPy's arrays.  With the byte odd, the sums
 * of its entries are made right first, since no mutation would guess them. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ENTRY_SIZE = 46, LOCAL_SIZE = 30, UNPACKED_MOST = 1 << 20 };

static size_t number(const uint8_t *at, int bytes)
{
    size_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (size_t)at[i] << 8 * i;
    return value;
}

/* The sum of what an entry of the directory holds; what is stored is its own content. */
static uint32_t content_sum(const uint8_t *entry, const uint8_t *from, size_t packed)
{
    static uint8_t content[UNPACKED_MOST];
    z_stream stream = {.next_in = (Bytef *)from, .avail_in = (uInt)packed, .next_out = content,
                       .avail_out = sizeof content};
    if (number(entry + 10, 2) == 0)
        return (uint32_t)crc32_z(0, from, packed);
    if (inflateInit2(&stream, -15) != Z_OK)
        return 0;
    inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return (uint32_t)crc32_z(0, content, sizeof content - stream.avail_out);
}

static void mend_entry(uint8_t *archive, size_t size, uint8_t *entry)
{
    size_t local = number(entry + 42, 4), packed = number(entry + 20, 4);
    if (local > size || size - local < LOCAL_SIZE)
        return;
    size_t header = LOCAL_SIZE + number(archive + local + 26, 2) +
                    number(archive + local + 28, 2);
    if (header > size - local || packed > size - local - header)
        return;
    uint32_t sum = content_sum(entry, archive + local + header, packed);
    for (int i = 0; i < 4; i++)
        entry[16 + i] = (uint8_t)(sum >> 8 * i);
}

static void mend_sums(uint8_t *archive, size_t size)
{
    for (size_t at = 0; at + ENTRY_SIZE <= size; at++) {
        if (memcmp(archive + at, "PK\1\2", 4) == 0)
            mend_entry(archive, size, archive + at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    bool mended = fuzz_byte(&input) & 1;
    uint8_t *archive = xmalloc(input.left + 1);
    memcpy(archive, input.at, input.left);
    if (mended)
        mend_sums(archive, input.left);
    const char *path = fuzz_file(archive, input.left);
    fuzz_load(json_pack("{s:s, s:s}", "dataset", "npz", "folder", path));
    free(archive);
    return 0;
}
