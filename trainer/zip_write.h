/* Writes a zip archive in memory (APPNOTE 4.3): entries are stored as they are, with their
 * sums, and bear the first date that zip knows, so that the same content gives the same bytes.
 *
 * Archives stay under 4 GB and 65535 entries (no zip64). */
#ifndef TRAINER_ZIP_WRITE_H
#define TRAINER_ZIP_WRITE_H

#include "common/text.h"

struct zip_writer {
    struct text archive;   /* the entries so far */
    struct text directory; /* what is said of them at the end */
    unsigned entries;
};
#define ZIP_WRITER_EMPTY {TEXT_EMPTY, TEXT_EMPTY, 0}

void zip_write(struct zip_writer *writer, const char *name, const void *content, size_t size);

/* Completes the archive, which the caller releases; the writer is empty again. */
struct text zip_write_end(struct zip_writer *writer);

#endif
