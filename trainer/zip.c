#include "trainer/zip.h"

#include "common/file.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    END_SIZE = 22, /* of the record that ends the archive, without its comment */
    COMMENT_MOST = 65535,
    ENTRY_SIZE = 46, /* in the directory, without names */
    LOCAL_SIZE = 30, /* before the content, without names */
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1,
    DEFLATE_RATIO_MOST = 1032 /* no stream grows by more */
};
static const size_t file_bytes_most = UINT32_MAX;

struct entry {
    unsigned flags, method;
    uint32_t checksum;
    size_t compressed, size, local;
};

static unsigned read16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
}

static uint32_t read32(const uint8_t *bytes)
{
    return read16(bytes) | (uint32_t)read16(bytes + 2) << 16;
}

/* ---- The directory ---- */

/* The record that ends the archive; only its own comment may follow. */
static const uint8_t *find_end(const struct zip *zip)
{
    for (size_t comment = 0; comment <= COMMENT_MOST && END_SIZE + comment <= zip->size;
         comment++) {
        const uint8_t *end = zip->bytes + zip->size - END_SIZE - comment;
        if (memcmp(end, "PK\5\6", 4) == 0 && read16(end + 20) == comment)
            return end;
    }
    return NULL;
}

int zip_open(struct zip *zip, const char *path, struct failure *why)
{
    char *bytes = NULL;
    size_t size = 0;
    *zip = (struct zip){.path = path};
    if (file_read(path, file_bytes_most, &bytes, &size, why) != 0)
        return -1;
    return zip_take(zip, path, (uint8_t *)bytes, size, why);
}

int zip_take(struct zip *zip, const char *path, uint8_t *bytes, size_t size, struct failure *why)
{
    *zip = (struct zip){.path = path, .bytes = bytes, .size = size};
    const uint8_t *end = find_end(zip);
    if (!end)
        return fail_input(why, "%s: this is no zip archive, or it is truncated: its end record is "
                          "missing; fetch the file again", path);
    zip->entries = read16(end + 10);
    zip->directory_size = read32(end + 12);
    zip->directory = read32(end + 16);
    if (zip->entries == UINT16_MAX || zip->directory_size == UINT32_MAX ||
        zip->directory == UINT32_MAX)
        return fail_input(why, "%s: archives of 4 GB or 65535 entries (zip64) are not read; save "
                          "less in it", path);
    size_t room = (size_t)(end - zip->bytes);
    if (zip->directory > room || zip->directory_size > room - zip->directory)
        return fail_input(why, "%s: the zip directory lies outside the file, which is damaged; "
                          "fetch it again", path);
    return 0;
}

void zip_close(struct zip *zip)
{
    free(zip->bytes);
    zip->bytes = NULL;
}

static int find_entry(const struct zip *zip, const char *name, struct entry *entry,
                      struct failure *why)
{
    const uint8_t *at = zip->bytes + zip->directory, *end = at + zip->directory_size;
    size_t name_length = strlen(name);
    for (unsigned i = 0; i < zip->entries; i++) {
        size_t left = (size_t)(end - at);
        if (left < ENTRY_SIZE || memcmp(at, "PK\1\2", 4) != 0)
            return fail_input(why, "%s: entry %u of the zip directory is damaged; fetch the file "
                              "again", zip->path, i);
        size_t length = read16(at + 28);
        size_t whole = ENTRY_SIZE + length + read16(at + 30) + read16(at + 32);
        if (left < whole)
            return fail_input(why, "%s: entry %u of the zip directory is truncated; fetch the "
                              "file again", zip->path, i);
        if (length == name_length && memcmp(at + ENTRY_SIZE, name, length) == 0) {
            *entry = (struct entry){read16(at + 8),  read16(at + 10), read32(at + 16),
                                    read32(at + 20), read32(at + 24), read32(at + 42)};
            return 0;
        }
        at += whole;
    }
    return fail_input(why, "%s: there is no '%s' in it; an .npz file needs x_train, y_train, "
                      "x_test and y_test", zip->path, name);
}

/* ---- The content ---- */

static int check_entry(const struct zip *zip, const char *name, const struct entry *entry,
                       struct failure *why)
{
    if (entry->compressed == UINT32_MAX || entry->size == UINT32_MAX ||
        entry->local == UINT32_MAX)
        return fail_input(why, "%s: '%s' has 4 GB or more (zip64), which is not read; save less "
                          "in it", zip->path, name);
    if (entry->flags & ENCRYPTED)
        return fail_input(why, "%s: '%s' is encrypted; save it without a password", zip->path,
                          name);
    if (entry->method != STORED && entry->method != DEFLATED)
        return fail_input(why, "%s: '%s' is compressed by method %u; only stored and deflated "
                          "entries are read, so save it with numpy.savez", zip->path, name,
                          entry->method);
    return 0;
}

/* Where an entry's bytes begin, or NULL when they are not within the file. */
static const uint8_t *locate(const struct zip *zip, const struct entry *entry)
{
    size_t end = zip->directory;
    if (entry->local > end || end - entry->local < LOCAL_SIZE)
        return NULL;
    const uint8_t *local = zip->bytes + entry->local;
    size_t header = LOCAL_SIZE + (size_t)read16(local + 26) + read16(local + 28);
    size_t room = end - entry->local;
    bool inside = header <= room && entry->compressed <= room - header;
    return memcmp(local, "PK\3\4", 4) == 0 && inside ? local + header : NULL;
}

/* Sizes are below 4 GB, so zlib's 32-bit counts hold them. */
static bool inflate_whole(const uint8_t *from, const struct entry *entry, uint8_t *to)
{
    z_stream stream = {.next_in = (Bytef *)from, .avail_in = (uInt)entry->compressed,
                       .next_out = to, .avail_out = (uInt)entry->size};
    if (inflateInit2(&stream, -15) != Z_OK) /* no header of zlib's own */
        return false;
    bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0 &&
                 stream.avail_in == 0;
    inflateEnd(&stream);
    return whole;
}

static bool unpack(const uint8_t *from, const struct entry *entry, uint8_t *to)
{
    if (entry->method == DEFLATED)
        return inflate_whole(from, entry, to);
    if (entry->compressed != entry->size)
        return false;
    memcpy(to, from, entry->size);
    return true;
}

int zip_read(const struct zip *zip, const char *name, uint8_t **content, size_t *size,
             struct failure *why)
{
    struct entry entry = {0};
    *content = NULL;
    if (find_entry(zip, name, &entry, why) != 0 || check_entry(zip, name, &entry, why) != 0)
        return -1;
    const uint8_t *from = locate(zip, &entry);
    if (!from || entry.size / DEFLATE_RATIO_MOST > entry.compressed)
        return fail_input(why, "%s: '%s' is truncated or lies outside the file; fetch it again",
                          zip->path, name);
    uint8_t *to = xmalloc(entry.size + 1);
    if (!unpack(from, &entry, to) || crc32_z(0, to, entry.size) != entry.checksum) {
        free(to);
        return fail_input(why, "%s: '%s' is corrupted: its content does not fit its checksum; "
                          "fetch the file again", zip->path, name);
    }
    *content = to;
    *size = entry.size;
    return 0;
}
