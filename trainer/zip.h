/* A zip archive in memory: what an entry contains, checked by its sum.
 *
 * Entries are found by the directory at the archive's end (APPNOTE 4.3.12); of the header
 * before an entry only its length is used.  Archives or entries of 4 GB and more (zip64)
 * and encrypted ones are refused. */
#ifndef TRAINER_ZIP_H
#define TRAINER_ZIP_H

#include "common/base.h"

struct zip {
    const char *path;     /* for messages; the caller's */
    uint8_t *bytes;
    size_t size;
    size_t directory;     /* where the directory begins, and how long it is */
    size_t directory_size;
    unsigned entries;
};

/* Close in any case. */
int zip_open(struct zip *zip, const char *path, struct failure *why);
/* The same of an archive's bytes, which become the zip's and are freed with it. */
int zip_take(struct zip *zip, const char *path, uint8_t *bytes, size_t size,
             struct failure *why);
void zip_close(struct zip *zip);

/* The content of an entry by its exact name; the caller frees *content. */
int zip_read(const struct zip *zip, const char *name, uint8_t **content, size_t *size,
             struct failure *why);

#endif
