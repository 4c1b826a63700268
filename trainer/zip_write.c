#include "trainer/zip_write.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum {
    VERSION = 20,           /* of the format that a reader must know: 2.0 */
    UTF8_NAMES = 1 << 11,   /* a flag */
    FIRST_DAY = 1 << 5 | 1, /* the first of January 1980; the time is midnight, 0 */
};

static void add16(struct text *text, unsigned value)
{
    text_add_char(text, (char)(value & 0xff));
    text_add_char(text, (char)(value >> 8 & 0xff));
}

static void add32(struct text *text, size_t value)
{
    add16(text, (unsigned)(value & 0xffff));
    add16(text, (unsigned)(value >> 16 & 0xffff));
}

/* What an entry's own header and the directory both say of it. */
static void describe(struct text *text, const char *name, uint32_t checksum, size_t size)
{
    add16(text, VERSION);
    add16(text, UTF8_NAMES);
    add16(text, 0); /* stored */
    add16(text, 0);
    add16(text, FIRST_DAY);
    add32(text, checksum);
    add32(text, size);
    add32(text, size);
    add16(text, (unsigned)strlen(name));
    add16(text, 0); /* nothing extra */
}

void zip_write(struct zip_writer *writer, const char *name, const void *content, size_t size)
{
    struct text *archive = &writer->archive, *directory = &writer->directory;
    uint32_t checksum = (uint32_t)crc32_z(0, content, size);
    size_t local = archive->length;
    text_add(archive, "PK\3\4");
    describe(archive, name, checksum, size);
    text_add(archive, name);
    text_add_bytes(archive, content, size);

    text_add(directory, "PK\1\2");
    add16(directory, VERSION);
    describe(directory, name, checksum, size);
    add16(directory, 0); /* no comment */
    add16(directory, 0); /* the first disk, */
    add16(directory, 0); /* no attributes of its own */
    add32(directory, 0); /* or of its system */
    add32(directory, local);
    text_add(directory, name);
    writer->entries++;
}

struct text zip_write_end(struct zip_writer *writer)
{
    struct text archive = writer->archive;
    size_t begin = archive.length;
    text_add_bytes(&archive, text_string(&writer->directory), writer->directory.length);
    text_add(&archive, "PK\5\6");
    add32(&archive, 0); /* one disk */
    add16(&archive, writer->entries);
    add16(&archive, writer->entries);
    add32(&archive, writer->directory.length);
    add32(&archive, begin);
    add16(&archive, 0); /* no comment */
    text_free(&writer->directory);
    *writer = (struct zip_writer)ZIP_WRITER_EMPTY;
    return archive;
}
