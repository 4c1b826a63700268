/* After a byte, the bytes are a checkpoint.  With the byte odd its version, the length of its
 * header and its sum are made right first, since no mutation would guess them: bytes with a
 * zero in them end the header there.  What is accepted is written and read again, and its
 * network is made. */
#include "tests/fuzz/fuzz.h"

#include "common/file.h"
#include "trainer/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PREFIX_SIZE = 16, LENGTH_AT = 12, SUM_SIZE = 4, MEND = 1 };

static void put_u32(uint8_t *to, size_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* "TUNERCKP", version 2, the header up to a zero byte, the vectors, the sum. */
static uint8_t *assemble(const struct fuzz_input *input, size_t *size)
{
    const uint8_t *zero = input->left > 0 ? memchr(input->at, 0, input->left) : NULL;
    size_t header = zero ? (size_t)(zero - input->at) : input->left;
    size_t vectors = zero ? input->left - header - 1 : 0;
    uint8_t *file = xmalloc(PREFIX_SIZE + header + vectors + SUM_SIZE);
    memcpy(file, "TUNERCKP\2\0\0\0", LENGTH_AT);
    put_u32(file + LENGTH_AT, header);
    memcpy(file + PREFIX_SIZE, input->at, header);
    if (vectors > 0)
        memcpy(file + PREFIX_SIZE + header, zero + 1, vectors);
    *size = PREFIX_SIZE + header + vectors;
    put_u32(file + *size, crc32_z(0, file, *size));
    *size += SUM_SIZE;
    return file;
}

/* Of the list of vectors only their names and lengths are written, whatever else it had. */
static bool same_headers(const json_t *one, const json_t *other)
{
    json_t *plain_one = json_copy((json_t *)(uintptr_t)one);
    json_t *plain_other = json_copy((json_t *)(uintptr_t)other);
    json_object_del(plain_one, "vectors");
    json_object_del(plain_other, "vectors");
    bool same = json_equal(plain_one, plain_other);
    json_decref(plain_one);
    json_decref(plain_other);
    return same;
}

static void write_again(const struct checkpoint *checkpoint)
{
    struct checkpoint again;
    char *path = path_join(fuzz_folder(), "again.ckpt");
    fuzz_expect(checkpoint_write(path, checkpoint->header, checkpoint->vectors,
                                 checkpoint->vector_count, NULL) == 0 &&
                checkpoint_read(path, &again, NULL) == 0, "it can be written and read");
    fuzz_expect(same_headers(again.header, checkpoint->header), "its header is the same again");
    for (size_t i = 0; i < checkpoint->vector_count; i++) {
        const struct checkpoint_vector *one = &checkpoint->vectors[i];
        const struct checkpoint_vector *other = checkpoint_find(&again, one->name);
        fuzz_expect(other && other->length == one->length &&
                    memcmp(other->values, one->values, one->length * sizeof(float)) == 0,
                    "its vectors are the same again");
    }
    checkpoint_release(&again);
    free(path);
}

static void load_network(const char *path)
{
    struct failure why = FAILURE_NONE;
    json_t *header = NULL;
    struct network *network = checkpoint_load_network(path, 1, &header, &why);
    fuzz_judge(network != NULL, &why);
    network_free(network);
    json_decref(header);
}

static void read_file(const uint8_t *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    struct checkpoint checkpoint;
    const char *path = fuzz_file(bytes, size);
    bool accepted = checkpoint_read(path, &checkpoint, &why) == 0;
    fuzz_judge(accepted, &why);
    if (accepted) {
        write_again(&checkpoint);
        load_network(path);
    }
    checkpoint_release(&checkpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    if (fuzz_byte(&input) & MEND) {
        uint8_t *file = assemble(&input, &size);
        read_file(file, size);
        free(file);
    } else {
        read_file(input.at, input.left);
    }
    return 0;
}
