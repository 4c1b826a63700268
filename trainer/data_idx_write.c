#include "trainer/data_idx.h"

#include "common/file.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void put_big_endian(uint8_t *bytes, size_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static size_t make_header(const size_t *sizes, unsigned dimensions, uint8_t *header)
{
    memset(header, 0, 4);
    header[2] = IDX_TYPE_BYTE;
    header[3] = (uint8_t)dimensions;
    for (unsigned i = 0; i < dimensions; i++)
        put_big_endian(header + 4 + 4 * i, sizes[i]);
    return 4 + 4 * (size_t)dimensions;
}

static void deflate_piece(z_stream *stream, const uint8_t *bytes, size_t size, int flush)
{
    stream->next_in = (Bytef *)bytes;
    stream->avail_in = (uInt)size;
    deflate(stream, flush);
}

/* A gzip stream of both pieces; NULL when they are too long for one (4 GB). */
static uint8_t *compress_pieces(const uint8_t *header, size_t header_size, const uint8_t *values,
                                size_t size, size_t *compressed)
{
    z_stream stream = {0};
    if (size > UINT32_MAX / 2 ||
        deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    size_t bound = deflateBound(&stream, (uLong)(header_size + size));
    uint8_t *bytes = xmalloc(bound);
    stream.next_out = bytes;
    stream.avail_out = (uInt)bound;
    deflate_piece(&stream, header, header_size, Z_NO_FLUSH);
    deflate_piece(&stream, values, size, Z_FINISH);
    *compressed = bound - stream.avail_out;
    deflateEnd(&stream);
    return bytes;
}

static int write_file(const char *folder, const char *name, const uint8_t *values,
                      const size_t *sizes, unsigned dimensions, struct failure *why)
{
    uint8_t header[IDX_HEADER_MAX];
    size_t header_size = make_header(sizes, dimensions, header), size = 1;
    for (unsigned i = 0; i < dimensions; i++)
        size *= sizes[i];
    char *plain = path_join(folder, name);
    char *path = xasprintf("%s.gz", plain);
    struct file_piece piece = {0};
    uint8_t *compressed = compress_pieces(header, header_size, values, size, &piece.size);
    piece.bytes = compressed;
    int result = compressed ? file_replace(path, &piece, 1, why)
                            : fail_input(why, "%s: too many images for one file", path);
    free(compressed);
    free(path);
    free(plain);
    return result;
}

static int write_set(const char *folder, const char *images, const char *labels,
                     const struct dataset *dataset, const struct image_set *set,
                     struct failure *why)
{
    const size_t sizes[3] = {set->count, (size_t)dataset->height, (size_t)dataset->width};
    if (write_file(folder, images, set->pixels, sizes, 3, why) != 0)
        return -1;
    uint8_t *bytes = xmalloc(set->count);
    for (size_t i = 0; i < set->count; i++)
        bytes[i] = (uint8_t)set->labels[i];
    int result = write_file(folder, labels, bytes, sizes, 1, why);
    free(bytes);
    return result;
}

static int refuse_to_replace(const char *folder, const char *name, struct failure *why)
{
    int result = 0;
    char *plain = path_join(folder, name);
    char *compressed = xasprintf("%s.gz", plain);
    if (file_exists(plain) || file_exists(compressed))
        result = fail_input(why, "%s: a data set is there already (%s); name another folder",
                            folder, name);
    free(compressed);
    free(plain);
    return result;
}

int data_idx_write(const char *folder, const struct dataset *dataset, struct failure *why)
{
    if (refuse_to_replace(folder, data_idx_train_images, why) != 0 ||
        refuse_to_replace(folder, data_idx_train_labels, why) != 0 ||
        refuse_to_replace(folder, data_idx_test_images, why) != 0 ||
        refuse_to_replace(folder, data_idx_test_labels, why) != 0 ||
        folder_make(folder, why) != 0 ||
        write_set(folder, data_idx_train_images, data_idx_train_labels, dataset,
                  &dataset->training, why) != 0)
        return -1;
    return write_set(folder, data_idx_test_images, data_idx_test_labels, dataset, &dataset->test,
                     why);
}
