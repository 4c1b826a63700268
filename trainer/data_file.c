#include "trainer/data_file.h"

#include "common/file.h"

#include <stdlib.h>
#include <string.h>

enum { DEFLATE_RATIO_MOST = 1032 /* no gzip stream grows by more */ };
static const size_t file_bytes_most = (size_t)8 << 30;

int data_file_open(struct data_file *file, char *path, struct failure *why)
{
    *file = (struct data_file){.path = path};
    if (!path)
        return -1;
    if (file_read(file->path, file_bytes_most, &file->bytes, &file->size, why) != 0)
        return -1;
    if (file->size == 0)
        return fail_input(why, "%s: the file is empty; fetch it again", file->path);

    file->compressed = file->size >= 2 && memcmp(file->bytes, "\x1f\x8b", 2) == 0;
    if (!file->compressed)
        return 0;
    if (inflateInit2(&file->stream, 15 + 16) != Z_OK) /* the largest window; a gzip header */
        return fail(why, "%s: zlib cannot start", file->path);
    file->stream_open = true;
    return 0;
}

void data_file_close(struct data_file *file)
{
    if (file->stream_open)
        inflateEnd(&file->stream);
    free(file->bytes);
    free(file->path);
}

size_t data_file_most(const struct data_file *file)
{
    return file->compressed ? file->size * DEFLATE_RATIO_MOST : file->size;
}

/* zlib counts in 32 bits, so input and output are handed over in pieces.  Returns
 * how much of `to` was filled; less than `size` only at the end of the stream. */
static int inflate_bytes(struct data_file *file, uint8_t *to, size_t size, size_t *filled,
                         struct failure *why)
{
    const size_t piece = (size_t)1 << 30;
    z_stream *stream = &file->stream;
    *filled = 0;
    while (*filled < size && !file->stream_ended) {
        size_t in = file->size - file->taken, out = size - *filled;
        stream->next_in = (Bytef *)file->bytes + file->taken;
        stream->avail_in = (uInt)(in < piece ? in : piece);
        stream->next_out = to + *filled;
        stream->avail_out = (uInt)(out < piece ? out : piece);
        int code = inflate(stream, Z_NO_FLUSH);
        file->taken = (size_t)((char *)stream->next_in - file->bytes);
        *filled = (size_t)(stream->next_out - to);
        bool starved = file->taken == file->size && *filled < size;
        if (code == Z_STREAM_END)
            file->stream_ended = true;
        else if (code == Z_BUF_ERROR || (code == Z_OK && starved))
            return fail_input(why, "%s: the gzip data is truncated; fetch the file again",
                              file->path);
        else if (code != Z_OK)
            return fail_input(why, "%s: the gzip data is corrupted (%s); fetch the file again",
                              file->path, stream->msg ? stream->msg : "zlib says no more");
    }
    return 0;
}

int data_file_take(struct data_file *file, uint8_t *to, size_t size, struct failure *why)
{
    size_t filled = 0;
    if (file->compressed) {
        if (inflate_bytes(file, to, size, &filled, why) != 0)
            return -1;
    } else {
        filled = file->size - file->taken < size ? file->size - file->taken : size;
        memcpy(to, file->bytes + file->taken, filled);
        file->taken += filled;
    }
    if (filled < size)
        return fail_input(why, "%s: the file is truncated: %zu bytes are missing; fetch it again",
                          file->path, size - filled);
    return 0;
}

uint8_t *data_file_take_last(struct data_file *file, size_t size, struct failure *why)
{
    bool own = !file->compressed && size <= file->size - file->taken;
    uint8_t *to = own ? (uint8_t *)file->bytes : xmalloc(size);
    if (own) {
        memmove(to, file->bytes + file->taken, size);
        file->taken += size;
        file->bytes = NULL;
    } else if (data_file_take(file, to, size, why) != 0) {
        free(to);
        return NULL;
    }
    return to;
}

int data_file_finish(struct data_file *file, struct failure *why)
{
    uint8_t byte;
    size_t filled = 0;
    if (file->compressed && inflate_bytes(file, &byte, 1, &filled, why) != 0)
        return -1;
    if (filled > 0 || file->taken < file->size)
        return fail_input(why, "%s: bytes follow after the last value; the file is damaged, "
                          "fetch it again", file->path);
    return 0;
}
